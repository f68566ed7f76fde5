"""What has to be known to say a case in words: the matrix, names of schools and sources, time and zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports import wording
from reports.looking import short_name
from reports.quoting import clean, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Category, Escalation
    from monitor.records import Coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordbook:
    """Names and times as one report says them.

    Attributes:
        escalation: categories, roles, severities.
        schools: code -> name.
        coverage: names the sources.
        now: when the report is made, zone-aware.
        zone: the reader's.
    """

    escalation: Escalation
    schools: Mapping[str, str]
    coverage: tuple[Coverage, ...]
    now: datetime
    zone: ZoneInfo

    def when(self, moment: datetime) -> str:
        """Return a moment as people say it now: "today 16:00"."""
        return wording.near(moment, self.now, self.zone)

    def category(self, category_id: str) -> str:
        """Return a category's name; its id if the matrix no longer has it."""
        row = self.escalation.categories.get(category_id)
        return row.name if row else category_id

    def row(self, category_id: str) -> Category | None:
        """Return a category's row of the matrix, None if the matrix no longer has it."""
        return self.escalation.categories.get(category_id)

    def role(self, role_id: str) -> str:
        """Return a role's name, "nobody" where none is given."""
        role = self.escalation.roles.get(role_id)
        return role.name if role else role_id or "nobody"

    def owner(self, role_id: str, schools: Sequence[str]) -> str:
        """Return who owns an item: the role, and whose it is where each school has its own."""
        role = self.escalation.roles.get(role_id)
        if not role or not role.per_school or not schools:
            return self.role(role_id)
        if len(schools) == 1:
            return f"{role.name}, {self.school(schools)}"
        return f"{role.name} of each school"

    def school(self, codes: Sequence[str]) -> str:
        """Return which schools are meant: one name, "Both schools", or that it is not clear."""
        if not codes:
            return "School not clear"
        if len(codes) > 1 and set(codes) == set(self.schools):
            return "Both schools" if len(codes) == 2 else "All schools"  # noqa: PLR2004 - two are "both"
        return wording.listed([self.schools.get(code, code) for code in codes])

    def source(self, name: str) -> str:
        """Return what people call a source."""
        for source in self.coverage:
            if source.source == name:
                return shortened(short_name(source), 40)
        return shortened(clean(name), 40)
