"""No post can make a regular expression or a rule slow: each is analysed, each rule is fed its worst input."""

from __future__ import annotations

import ast
import cProfile
import importlib
import pkgutil
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.matching import Gate, Post
from analysis.triage import Triage
from monitor.policy import folder
from monitor.policy.vocabulary import SHAPES, parsed
from monitor.records import Relevance

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports the old name of Python's own parser
    from regexploit.ast.sre import SreOpParser
    from regexploit.redos import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from monitor.policy.vocabulary import Rule

ROOT = Path(__file__).parents[1]
ROOMS = ("monitor", "collectors", "analysis", "reports")
LONG = 20_000
"""Characters of the longest input: four times what a long post has."""
POLICY = folder.load()
TRIAGE = Triage(POLICY.vocabulary, POLICY.escalation)
GATE = Gate(POLICY.schools)
USES = {"compile", "sub", "subn", "search", "match", "fullmatch", "split", "findall", "finditer"}


class Parser(SreOpParser):  # type: ignore[misc]
    """The analyser's parser, which is older than possessive repeats: they count as ordinary ones, which is stricter."""

    def from_POSSESSIVE_REPEAT(self, data: Any) -> Any:  # noqa: ANN401, N802 - the base class's ways
        return self.from_MAX_REPEAT(data)


def modules() -> Iterator[ModuleType]:
    """Import every module of the house, except those that run when they are imported."""
    yield importlib.import_module("scheduler")
    for room in ROOMS:
        package = importlib.import_module(room)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if not found.name.endswith("__main__") and ".migrations" not in found.name:
                yield importlib.import_module(found.name)


def compiled(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Give the patterns among a module's globals and its classes' attributes."""
    for name, value in vars(module).items():
        inside = vars(value) if isinstance(value, type) and value.__module__ == module.__name__ else {}
        for place, one in ((name, value), *((f"{name}.{inner}", it) for inner, it in inside.items())):
            if isinstance(one, re.Pattern):
                yield f"{module.__name__}.{place}", one


def written(module: ModuleType) -> Iterator[tuple[str, re.Pattern[Any] | None]]:
    """Give the patterns that stand in a module's calls of `re`; None where it cannot be told what stands there."""
    assert module.__file__
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=use), args=[first, *_]) if use in USES:
                where = f"{module.__name__} line {node.lineno}"
                match first:
                    case ast.Constant(value=str(pattern)):
                        yield where, re.compile(pattern)
                    case ast.Name(id=name) if isinstance(vars(module).get(name), str):
                        yield where, re.compile(vars(module)[name])
                    case _ if use == "compile":
                        continue  # composed when the module is imported: found among its globals
                    case _:
                        yield where, None


def slow(pattern: re.Pattern[Any]) -> list[str]:
    """Return inputs on which a pattern needs more than linear time."""
    return [one.example() for one in find(Parser().parse_sre(pattern.pattern, pattern.flags)) if one.starriness > 2]


HOUSE = list(modules())
PATTERNS = dict(found for module in HOUSE for found in (*compiled(module), *written(module)))


def test_patterns_of_every_room_are_found() -> None:
    assert len(PATTERNS) > 80
    assert {name.split(".")[0] for name in PATTERNS} == set(ROOMS)
    assert "monitor.masking.PHONE" in PATTERNS


@pytest.mark.parametrize("where", sorted(PATTERNS))
def test_no_pattern_can_be_made_to_backtrack_without_end(where: str) -> None:
    pattern = PATTERNS[where]
    assert pattern is not None, "write the pattern where it can be read, or give it a name of its own"
    assert slow(pattern) == []


@pytest.mark.parametrize("bad", [r"(a+)+b", r"\s*(\[\[?)\s*([^\]]+?)\s*\]", r"x*x*x*y", r"(?:\w+\s?)*!"])
def test_a_pattern_that_backtracks_is_found_out(bad: str) -> None:
    assert slow(re.compile(bad))


def test_no_regular_expression_is_made_of_what_a_post_or_a_rule_says() -> None:
    """Every other call of `re` in the house would be listed as one that cannot be told."""
    assert [where for where, pattern in PATTERNS.items() if pattern is None] == []


def own_words(rule: Rule) -> Iterator[str]:
    """Give each pattern of a rule in its own words, without its last part, and with its last letter wrong."""
    for written_so in (*rule.say, *rule.unless):
        for chain in parsed(written_so).chains:
            parts = [
                "3"
                if step.group in SHAPES
                else min(POLICY.vocabulary.phrases(step.group))
                if step.group
                else step.phrase
                for step in chain
            ]
            whole = " ".join(part.removesuffix("*") for part in parts)
            yield whole
            yield " ".join(part.removesuffix("*") for part in parts[:-1] or parts)
            yield f"{whole[:-1]}x"


def work(of: Callable[[str], object], said: str) -> int:
    """Return how many functions are called, Python's own included."""
    profile = cProfile.Profile()
    profile.runcall(of, said)
    return sum(entry.callcount for entry in profile.getstats())


def judged(said: str) -> object:
    return TRIAGE.judge(Post(text=said), Relevance.YES)


def gated(said: str) -> object:
    return GATE.decide(Post(text=said, title=said[:200], url="https://a.example/" + said[:200].replace(" ", "-")))


def grows(of: Callable[[str], object], unit: str) -> float:
    """Return how many times the work of twice the input is that of once."""
    half = unit * (LONG // len(unit) // 2 + 1)
    of(half + half)  # what is looked up once for ever is looked up now
    return work(of, half + half) / work(of, half)


@pytest.mark.parametrize("rule", POLICY.vocabulary.rules, ids=lambda rule: rule.id)
def test_the_worst_input_of_each_rule_costs_what_its_length_costs(rule: Rule) -> None:
    assert grows(judged, " ".join(own_words(rule)) + " ") < 2.5


@pytest.mark.parametrize(
    "unit",
    [
        "King James's School Knaresborough ",
        "King James's School Knaresboroug ",
        "boroughbridgehighschool",
        "#KJS@BHS ",
        "K J S . ",
        "kingjamesschoolknaresboroug",
        "a.b/c ",
        "https://a.example/kjs ",
        "\u0489\u200b",
        "@_#",
    ],
)
def test_names_and_near_misses_without_end_cost_what_their_length_costs(unit: str) -> None:
    assert grows(gated, unit) < 2.5
    assert grows(judged, unit) < 2.5
