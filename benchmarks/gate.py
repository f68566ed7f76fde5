"""How many ordinary posts a second pass the gate on one core, beside two peers: `python -m benchmarks.gate`.

Two lists of names: the two schools of policy/schools.toml, and 72,000 invented English schools. The posts are
tweets about anything, read in place from ../shared and never kept. The peers answer a far smaller question
(is one of the official names there, letter by letter?), in the same run over the same posts:

- one compiled alternation of all names, as a first version would be written;
- names in a dictionary by their words, looked up from every word on (the idea of FlashText).
"""

from __future__ import annotations

import itertools
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.matching import Gate, Post
from monitor.policy.schools import School, Schools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[1]
TWEETS = ROOT.parent / "shared" / "data" / "sentiment" / "train.tsv"
MANY = 72_000
ROUNDS = 5
SHARE_FOR_THE_ALTERNATION = 200
"""Every so manieth post for the alternation of 72,000 names, which would take an hour over all of them."""

_STARTS = (
    "Ash",
    "Barn",
    "Bex",
    "Brad",
    "Brock",
    "Carl",
    "Chart",
    "Dar",
    "Ded",
    "Elm",
    "Fern",
    "Gains",
    "Hart",
    "Hasel",
    "Hol",
    "Ingle",
    "Kel",
    "Kirk",
    "Lang",
    "Mal",
)
_ENDS = (
    "borough",
    "bridge",
    "burn",
    "bury",
    "combe",
    "dale",
    "field",
    "ford",
    "ham",
    "hurst",
    "ingham",
    "leigh",
    "mere",
    "minster",
    "stead",
    "ton",
    "wick",
    "worth",
)
_FOUNDERS = (
    "St Aldate's",
    "St Botolph's",
    "St Chad's",
    "St Wilfrid's",
    "Queen Maud",
    "King Edgar's",
    "Lady Hatherley",
    "Holy Rood",
    "The Grange",
    "Meadow Bank",
    "Mill Lane",
    "North Hill",
    "Oakfield",
    "Priory Park",
    "Westgate",
    "Sir Giles Otley",
    "Thornhill",
    "Undercliffe",
    "River View",
    "Orchard End",
)
_KINDS = (
    "Primary School",
    "Church of England Primary School",
    "Community Primary School",
    "High School",
    "Academy",
    "Grammar School",
    "Secondary School",
    "Infant School",
    "Junior School",
    "College",
)


def invented_schools(how_many: int) -> tuple[School, ...]:
    """Return schools of invented towns, all names different."""
    towns = ["".join(parts) for parts in itertools.product(_STARTS, _ENDS)]
    every = itertools.product(_KINDS, _FOUNDERS, towns)
    return tuple(
        School(code=f"S{number}", name=f"{founder} {kind} {town}", towns=(town,))
        for number, (kind, founder, town) in enumerate(itertools.islice(every, how_many))
    )


def tweets() -> list[str]:
    """Return the texts of the tweets."""
    with TWEETS.open(encoding="utf-8", newline="\n") as lines:
        rows = (line.split("\t") for line in lines)
        return [row[2] for row in rows if len(row) > 2]


def through(gate: Gate, texts: Sequence[str]) -> int:
    """Return how many posts the gate keeps: the screen for all, a decision for those that pass it."""
    passing = gate.screen(texts)
    return sum(gate.decide(Post(text=texts[place])).drop_reason == "" for place in passing)


def by_alternation(names: Sequence[str]) -> Callable[[Sequence[str]], int]:
    """Return the first peer."""
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b", re.IGNORECASE)
    return lambda texts: sum(pattern.search(text) is not None for text in texts)


def by_dictionary(names: Sequence[str]) -> Callable[[Sequence[str]], int]:
    """Return the second peer."""
    word = re.compile(r"[\w']+")
    known = {tuple(word.findall(name.lower())) for name in names}
    lengths: dict[str, set[int]] = {}
    for words in known:
        lengths.setdefault(words[0], set()).add(len(words))

    def names_one(text: str) -> bool:
        words = word.findall(text.lower())
        return any(
            tuple(words[place : place + length]) in known
            for place, first in enumerate(words)
            for length in lengths.get(first, ())
        )

    return lambda texts: sum(map(names_one, texts))


def a_second(work: Callable[[Sequence[str]], int], texts: Sequence[str], rounds: int = ROUNDS) -> float:
    """Return the posts a second of one core's own time, in the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work(texts)
        best = min(best, time.process_time() - started)
    return len(texts) / best


def main() -> int:
    """Print one table; return 0, or 77 where there are no posts to read."""
    if not TWEETS.exists():
        print(f"skipped: there is no {TWEETS.relative_to(ROOT.parent)}")
        return 77
    texts = tweets()
    two = Schools.read(ROOT / "policy" / "schools.toml")
    many = two.model_copy(update={"schools": (*two.schools, *invented_schools(MANY))})
    print(f"{len(texts):,} ordinary tweets, one core, best of {ROUNDS}")
    print(f"{'':32}{'tweets/s':>12}{'gate is':>12}")
    for title, schools, few in (
        ("two schools", two, texts),
        (f"{MANY:,} names more", many, texts[::SHARE_FOR_THE_ALTERNATION]),
    ):
        started = time.perf_counter()
        gate = Gate(schools)
        built = time.perf_counter() - started
        names = [school.name for school in schools.schools]
        own = a_second(lambda posts, gate=gate: through(gate, posts), texts)  # type: ignore[misc]
        looked = len(gate.screen(texts))
        print(f"{title:32}{own:12,.0f}{'':14}built in {built:.1f} s; {looked:,} looked at closely")
        for peer, speed in (
            ("  one alternation", a_second(by_alternation(names), few, 1)),
            ("  dictionary of words", a_second(by_dictionary(names), texts, 1)),
        ):
            print(f"{peer:32}{speed:12,.0f}{own / speed:11.1f}x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
