"""`federation-monitor tag`: judge posts from a file or a pipe."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

import click

from monitor.cli.options import safe
from monitor.records import Relevance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.encoder import Encoder
    from monitor.jobs.tag import Failed, Tagged
    from monitor.policy.folder import Policy

CARRIERS: Final = 3
"""Words that are named at most for an answer of the encoder."""
CARRIES: Final = 0.02
"""How much an answer's probability must fall without a word before that word is named."""


@click.command(
    epilog="Examples:\n\n  federation-monitor tag posts.jsonl > judged.jsonl\n\n"
    '  echo \'{"id": 1, "text": "KJS Knaresborough were superb today"}\''
    " | federation-monitor tag --explain"
)
@click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"), default="-")
@click.option(
    "--policy", type=click.Path(exists=True, file_okay=False, path_type=Path), help="A folder of other rules."
)
@click.option("--explain", is_flag=True, help="Print for people: every tag with its reasons.")
def command(file: TextIO, policy: Path | None, *, explain: bool) -> None:
    """Judge posts: JSON Lines from FILE (or standard input), one JSON line each, in the same order.

    A line holds `id` and `text`, and may hold `title`, `source`, `community` (the group, subreddit, feed or
    video title in which it stood), `url`, `author` and `published`. A line that cannot be read yields
    {"id": ..., "error": ...} in its place, and the exit code is 1 at the end. Nothing is stored or sent.
    """
    from analysis.encoder import Encoder
    from analysis.pipeline import judges_of
    from monitor.jobs.tag import Failed, tagged
    from monitor.policy import folder

    rules = folder.load(policy or folder.FOLDER)
    encoder = Encoder.load()
    judges = judges_of(rules, encoder)
    failed = 0
    for line in tagged(_with_progress(file), judges):
        if isinstance(line, Failed):
            failed += 1
            click.echo(_failure(line) if explain else json.dumps(line.as_json()))
        else:
            click.echo(_explained(line, rules, encoder) if explain else json.dumps(line.as_json(rules.escalation)))
    if failed:
        click.echo(f"{failed} lines could not be read", err=True)
        sys.exit(1)


def _with_progress(file: TextIO) -> Iterator[str]:
    """Give the lines of a file, with a progress bar where somebody watches and the length is known."""
    name = getattr(file, "name", None)
    path = Path(name) if isinstance(name, str) else None
    if not sys.stderr.isatty() or sys.stdout.isatty() or path is None or not path.is_file():
        yield from file
        return
    from rich.progress import Progress

    from monitor.cli.options import console

    with Progress(console=console(err=True), transient=True) as progress:
        task = progress.add_task("judging", total=path.stat().st_size)
        for line in file:
            yield line
            progress.advance(task, len(line.encode("utf-8", "surrogateescape")))


def _failure(line: Failed) -> str:
    """Return a line that could not be read, for people."""
    return safe(f"{line.id}: could not be read: {line.error}\n")


def _explained(line: Tagged, rules: Policy, encoder: Encoder) -> str:
    """Return a judgement with its reasons, and the words that carried the encoder's answers, for people."""
    judgement, matrix = line.judgement, rules.escalation
    category = matrix.category(judgement.category)
    owner = matrix.roles[judgement.owner].name if judgement.owner else "nobody"
    severity = matrix.severities[judgement.severity] if judgement.severity else None
    out = [
        safe(f"{line.id}: {' '.join(line.post.text.split())[:200]}"),
        f"  about us    {judgement.relevant}" + (f" ({', '.join(judgement.schools)})" if judgement.schools else ""),
        f"  tone        {judgement.sentiment} ({judgement.sentiment_score:+.2f})"
        + ("" if judgement.sentiment_sure else ", unsure"),
        f"  category    {category.name}" + (f"; also {', '.join(judgement.also)}" if judgement.also else ""),
        f"  severity    {judgement.severity} {severity.name}: {severity.target}" if severity else "  severity    none",
        f"  who acts    {owner}",
        f"  clauses     {', '.join(judgement.clauses)} of the Social Media Policy"
        + (f"; {category.law}" if category.law else ""),
    ]
    for reason in judgement.reasons:
        words = f" {reason.text!r} at {reason.start}-{reason.end}" if reason.end else f" {reason.text}".rstrip()
        note = f" ({reason.note})" if reason.note else ""
        out.append(safe(f"  because     [{reason.about}] {reason.rule}:{words}{note}"))
    felt: Literal["mood", "tone"] = "tone" if judgement.relevant is Relevance.NO else "mood"
    for about, weights in (
        ("category", encoder.word_weights(line.post.text, "category")),
        ("sentiment", encoder.word_weights(line.post.text, felt)),
    ):
        words = ", ".join(
            f"{line.post.text[word.start : word.end]!r} {word.weight:+.2f}"
            for word in sorted(weights, key=lambda word: -word.weight)[:CARRIERS]
            if word.weight >= CARRIES
        )
        out.append(safe(f"  carried by  [{about}] {words or 'no single word'}"))
    return "\n".join(out) + "\n"
