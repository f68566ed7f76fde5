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


class AlertRule(Table):
    """How often one story may alert the same person, and what stands on every alert."""

    pause_minutes: int = Field(default=60, ge=0, le=1440)
    danger: str = Field(
        default="In danger ring 999. This monitor is not watched day and night (policy 2.3).", min_length=1
    )


class SpikeRule(Table):
    """When a small number is unusual.

    Attributes:
        least_accounts: fewer accounts and outlets than these in 24 hours are never unusual.
        one_in: how unlikely a number has to be: at most one in so many days.
        least_days, most_days: how many comparable days are needed, and how many of the last ones are used.
        pace_hours, pace_posts, pace_times: a story is fast that was told so often within so many hours, and so
            many times as often as in the hours before.
        outlet_days: how long a source must have been read before an outlet there counts as new.
    """

    least_accounts: int = Field(default=5, ge=2)
    one_in: int = Field(default=1000, ge=20)
    least_days: int = Field(default=6, ge=2)
    most_days: int = Field(default=12, ge=2)
    pace_hours: int = Field(default=2, ge=1, le=12)
    pace_posts: int = Field(default=8, ge=2)
    pace_times: int = Field(default=3, ge=2)
    outlet_days: int = Field(default=28, ge=1)

    @model_validator(mode="after")
    def _enough_days(self) -> Self:
        """Refuse to need more days than are used."""
        if self.most_days < self.least_days:
            problem = "most_days must not be less than least_days"
            raise ValueError(problem)
        return self


class Category(Table):
    """One row of the matrix.

    Attributes:
        severity: where it starts; None for posts that are not about our schools.
        escalates: when a person or a rule raises it, in words.
        owner: role that acts; "" if nobody needs to.
        told: roles that are told, in order.
        restricted_to: the only roles that may read the words; empty if it is not restricted.
        about_a_person: whether its posts point at one child or adult: described in e-mail, never quoted.
        never_quoted: whether no word may be copied, not even for those who may read it.
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
    about_a_person: bool = False
    never_quoted: bool = False
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
    alerts: AlertRule = AlertRule()
    spikes: SpikeRule = SpikeRule()
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

    def about_a_person(self, category_id: str) -> bool:
        """Whether posts of a category point at one child or adult; those of an unknown one may."""
        row = self.categories.get(category_id)
        return row is None or row.about_a_person

    def owner_name(self, category_id: str) -> str:
        """Return the owner's role in words, "" if nobody needs to act."""
        owner = self.categories[category_id].owner
        return self.roles[owner].name if owner else ""
