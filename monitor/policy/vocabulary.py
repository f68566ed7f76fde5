"""The words that raise a category, and those that calm it, read from policy/vocabulary.toml.

A rule is a list of patterns over words, not regular expressions: groups of phrases, how many words may
stand between them, and what calms the rule. Patterns are matched by one Aho-Corasick automaton and binary
search, so that no rule and no post can make them slow.

The small language of a pattern, by example::

    stay home              the two words, one after the other
    stab*                  any word that begins with "stab"
    {weapon}               one phrase of the group "weapon"
    {bring} .. {weapon}    the second after the first, with at most 4 words between; "..8" sets the number
    {weapon} & {place}     both near one another, in any order
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from monitor.errors import ConfigError
from monitor.records import Severity
from monitor.tables import Table, dotted, line_of, read_toml, validated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from monitor.tables import Key

DEFAULT_GAP: Final = 4
"""Words that may stand between two parts of a pattern joined by ".."."""

SHAPES: Final = frozenset({"number", "money", "clock", "score", "year group", "slur"})
"""Groups that need no list: the words are known by their form, or by their hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of a pattern.

    Attributes:
        phrase: words that must follow one another, "" where a group is meant.
        group: name of a group, "" where a phrase is meant.
        gap: most words between the step before and this one.
    """

    phrase: str = ""
    group: str = ""
    gap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """What must occur: every chain, near one another, each a run of steps in order."""

    text: str
    chains: tuple[tuple[Step, ...], ...]


_PART: Final = re.compile(r"\{([^{}]*)\}|(\.\.\d{0,2})|([^\s{}]+)")


def parsed(text: str) -> Pattern:
    """Return a pattern of the small language as data.

    Raises:
        ValueError: it is empty, a gap stands at an end, or a brace is open.
    """
    if text.count("{") != text.count("}") or "{" in re.sub(r"\{[^{}]*\}", "", text):
        problem = f"a brace is not closed in {text!r}"
        raise ValueError(problem)
    return Pattern(text=text, chains=tuple(_chain(part, text) for part in f" {text} ".split(" & ")))


def _chain(part: str, whole: str) -> tuple[Step, ...]:
    """Return one run of steps; neighbouring words become one phrase."""
    steps: list[Step] = []
    gap: int | None = None
    for group, dots, word in _PART.findall(part):
        if dots:
            if gap is not None or not steps:
                problem = f"'..' must stand between two words or groups in {whole!r}"
                raise ValueError(problem)
            gap = int(dots[2:] or DEFAULT_GAP)
        elif group:
            steps.append(Step(group=group.strip(), gap=gap or 0))
            gap = None
        elif gap is None and steps and steps[-1].phrase and not steps[-1].phrase.endswith("*"):
            last = steps.pop()
            steps.append(Step(phrase=f"{last.phrase} {word}", gap=last.gap))
        else:
            steps.append(Step(phrase=word, gap=gap or 0))
            gap = None
    if gap is not None or not steps or any("&" in step.phrase.split() for step in steps):
        problem = f"an empty part in {whole!r}"
        raise ValueError(problem)
    for step in steps:
        if "*" in step.phrase[:-1] or step.phrase == "*":
            problem = f"'*' may only end a word in {whole!r}"
            raise ValueError(problem)
    return tuple(steps)


def _plain(phrase: str) -> bool:
    """Whether `phrase` may stand in a group: words alone, or one other group."""
    pattern = parsed(phrase)
    return len(pattern.chains) == 1 and len(pattern.chains[0]) == 1


def _readable(text: str) -> str:
    parsed(text)
    return text


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
PatternText = Annotated[Words, AfterValidator(_readable)]


class Rule(Table):
    """One way a category shows itself.

    Attributes:
        id: stands on every judgement that it makes.
        category: of the escalation matrix.
        severity: None takes the matrix's.
        say: patterns; one must occur.
        unless: patterns that calm this rule when they stand within `near` words of what it found.
        near: how far `unless` reaches, in words.
        kind: "sure" stands alone; "hint" needs the encoder's support, where there is an encoder; "escalator"
            raises its category only if something else has named it.
        weight: how much it says for its category where categories of everyday matters compete.
        why: one sentence for the person who reads the reason.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")]
    category: Words
    severity: Severity | None = None
    say: tuple[PatternText, ...] = Field(min_length=1)
    unless: tuple[PatternText, ...] = ()
    near: int = Field(default=15, ge=1)
    kind: Literal["sure", "hint", "escalator"] = "sure"
    weight: float = Field(default=1.0, gt=0)
    why: Words


class Slurs(Table):
    """Words that are not printed: salted SHA-256 of the folded word, in hex."""

    salt: Words
    hashes: frozenset[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]]


class Vocabulary(Table):
    """All words of the triage.

    Attributes:
        questions: the order of questions of the escalation process, each a list of category ids.
        fillers: words that are passed over, so that they cannot come between the words of a pattern.
        slang: one written form -> what it means.
        groups: name -> phrases; a phrase may be another group, "{weapon}".
        disguised: groups whose words are also sought in pieces ("kn ife") and in leetspeak.
        safety: groups whose words are shown to a person even where no rule fires.
        slurs: hashed.
        rules: in no particular order.
    """

    questions: tuple[tuple[Words, ...], ...] = Field(min_length=1)
    fillers: frozenset[Words]
    slang: dict[str, Words]
    groups: dict[str, tuple[PatternText, ...]]
    disguised: tuple[Words, ...] = ()
    safety: tuple[Words, ...] = Field(min_length=1)
    slurs: Slurs
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rules_are_told_apart(self) -> Self:
        ids = [rule.id for rule in self.rules]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            problem = f"two rules have the id {twice[0]!r}"
            raise ValueError(problem)
        return self

    @classmethod
    def read(cls, path: Path, category_ids: Iterable[str]) -> Vocabulary:
        """Return the vocabulary in `path`.

        Args:
            path: a TOML file.
            category_ids: the ids of the escalation matrix.

        Raises:
            ConfigError: the file is missing or wrong: unknown category or group, empty phrase, bad pattern.
        """
        content, text = read_toml(path)
        vocabulary = validated(cls, content, file=path, text=text)
        for problem, cure, key in vocabulary.faults(frozenset(category_ids)):
            raise ConfigError(problem, file=path, key=dotted(key), line=line_of(text, key), cure=cure)
        return vocabulary

    def faults(self, category_ids: frozenset[str]) -> Iterator[tuple[str, str, Key]]:
        """Yield what is wrong beyond the form of single values: the problem, its cure and the key."""
        yield from self._faults_of_rules(category_ids)
        for category in (one for question in self.questions for one in question):
            if category not in category_ids:
                yield f"unknown category {category!r}", "mend its name", ("questions",)
        yield from self._faults_of_groups()
        for key, names in (("safety", self.safety), ("disguised", self.disguised)):
            for name in names:
                if name not in self.groups:
                    yield f"unknown group {name!r}", "write it under [groups]", (key,)

    def _faults_of_rules(self, category_ids: frozenset[str]) -> Iterator[tuple[str, str, Key]]:
        for number, rule in enumerate(self.rules):
            if rule.category not in category_ids:
                problem = f"rule {rule.id!r} names the unknown category {rule.category!r}"
                yield problem, f"one of: {', '.join(sorted(category_ids))}", ("rules", number, "category")
            for key, patterns in (("say", rule.say), ("unless", rule.unless)):
                for name in (name for pattern in patterns for name in self.unknown_groups(pattern)):
                    problem = f"rule {rule.id!r} names the unknown group {name!r}"
                    yield problem, "write it under [groups], or mend its name", ("rules", number, key)

    def _faults_of_groups(self) -> Iterator[tuple[str, str, Key]]:
        for name, phrases in self.groups.items():
            for phrase in phrases:
                for unknown in self.unknown_groups(phrase):
                    yield f"unknown group {unknown!r}", "mend its name", ("groups", name)
                if not _plain(phrase):
                    problem = f"{phrase!r} is not a phrase"
                    yield problem, "leave '..', '&' and '{group} word' to rules", ("groups", name)
        circle = self.circle()
        if circle:
            yield f"group {circle!r} contains itself", "take it out of the circle", ("groups", circle)

    def unknown_groups(self, pattern: str) -> tuple[str, ...]:
        """Return the groups a pattern names that stand nowhere."""
        named = [step.group for chain in parsed(pattern).chains for step in chain if step.group]
        return tuple(name for name in named if name not in self.groups and name not in SHAPES)

    def circle(self) -> str:
        """Return the name of a group that contains itself, "" if none does."""

        def reaches(name: str, above: tuple[str, ...]) -> str:
            if name in above:
                return name
            inner = (step.group for phrase in self.groups.get(name, ()) for step in parsed(phrase).chains[0])
            return next((found for one in inner if one and (found := reaches(one, (*above, name)))), "")

        return next((found for name in self.groups if (found := reaches(name, ()))), "")

    def phrases(self, group: str) -> frozenset[str]:
        """Return the phrases of a group, those of the groups inside it included."""
        out: set[str] = set()
        for phrase in self.groups.get(group, ()):
            steps = parsed(phrase).chains[0]
            if len(steps) == 1 and steps[0].group:
                out |= self.phrases(steps[0].group)
            else:
                out.add(phrase)
        return frozenset(out)
