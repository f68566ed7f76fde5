"""The escalation matrix: what a post of each category needs, by whom, by when, under which clause.

Read from policy/escalation.toml. It supplies the "defined policy or process" of section 2.10 of the
Federation's Social Media Policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import Field, model_validator

from monitor.records import Severity
from monitor.tables import Table, read_toml, validated

if TYPE_CHECKING:
    from pathlib import Path


class Role(Table):
    """Who may own an item. `per_school`: each school has its own holder."""

    name: str = Field(min_length=1)
    per_school: bool = False


OWNER: Final = "owner"
"""Stands in a ladder for the case's own owner."""


class Rung(Table):
    """Who is alerted how long after a post was found, if nobody has acknowledged the case by then."""

    after_minutes: int = Field(ge=0)
    roles: tuple[str, ...] = Field(min_length=1)


class SeverityRule(Table):
    """One step of the severity scale; times in minutes.

    `clock` says whether they run day and night or only while the schools are staffed; `ladder` who is
    alerted, and when.
    """

    name: str
    meaning: str
    acknowledge_minutes: int = Field(ge=0)
    act_minutes: int = Field(ge=0)
    clock: Literal["always", "staffed"]
    ladder: tuple[Rung, ...] = ()
    target: str
    channel: str


class Category(Table):
    """One row of the matrix.

    Attributes:
        severity: where it starts; None for posts that are not about our schools.
        escalates: when a person or a rule raises it, in words.
        owner: role that acts; "" if nobody needs to.
        told: roles that are told, in order.
        restricted_to: the only roles that may read the words; empty if it is not restricted.
        clauses: of the Federation's policy.
        law: statute and guidance.
        external: agencies outside.
        steps: what to do, in order. never: what must not be done.
    """

    name: str
    definition: str
    severity: Severity | None = None
    escalates: str
    target: str
    owner: str
    told: tuple[str, ...] = ()
    restricted_to: tuple[str, ...] = ()
    clauses: tuple[str, ...] = Field(min_length=1)
    law: str
    external: str
    steps: tuple[str, ...]
    never: tuple[str, ...]

    @property
    def restricted(self) -> bool:
        """Whether only `restricted_to` may read the words."""
        return bool(self.restricted_to)

    @property
    def readers(self) -> tuple[str, ...]:
        """Roles that may read the words: the restricted ones, or owner and those told."""
        return self.restricted_to or tuple(role for role in (self.owner, *self.told) if role)


class Escalation(Table):
    """The whole matrix."""

    policy_title: str
    roles: dict[str, Role]
    severities: dict[Severity, SeverityRule]
    categories: dict[str, Category]
    conflicts: dict[str, str]

    @model_validator(mode="after")
    def _names_known_roles(self) -> Self:
        """Refuse a category that names a role which is not in the table of roles."""
        for name, category in self.categories.items():
            named = {category.owner, *category.told, *category.restricted_to} - {""}
            unknown = named - self.roles.keys()
            if unknown:
                problem = f"category {name} names unknown roles: {', '.join(sorted(unknown))}"
                raise ValueError(problem)
        unknown = ({*self.conflicts} | {*self.conflicts.values()}) - self.roles.keys()
        if unknown:
            problem = f"[conflicts] names unknown roles: {', '.join(sorted(unknown))}"
            raise ValueError(problem)
        on_ladders = {role for rule in self.severities.values() for rung in rule.ladder for role in rung.roles}
        unknown = on_ladders - self.roles.keys() - {OWNER}
        if unknown:
            problem = f"a ladder names unknown roles: {', '.join(sorted(unknown))}"
            raise ValueError(problem)
        missing = set(Severity) - self.severities.keys()
        if missing:
            problem = f"[severities] lacks {', '.join(sorted(missing))}"
            raise ValueError(problem)
        return self

    @classmethod
    def read(cls, path: Path) -> Escalation:
        """Return the matrix in `path`.

        Raises:
            ConfigError: the file is missing or wrong.
        """
        content, text = read_toml(path)
        return validated(cls, content, file=path, text=text)

    @property
    def ids(self) -> tuple[str, ...]:
        """Category ids in the matrix's order."""
        return tuple(self.categories)

    def category(self, category_id: str) -> Category:
        """Return one row.

        Raises:
            KeyError: no such category.
        """
        return self.categories[category_id]

    def owner_name(self, category_id: str) -> str:
        """Return the owner's role in words, "" if nobody needs to act."""
        owner = self.categories[category_id].owner
        return self.roles[owner].name if owner else ""
