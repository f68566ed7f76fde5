"""Source policies: which source may be read, scored and kept, for how long, and at what cost.

Platforms set terms of their own; each row of policy/sources.toml says what follows from them. They are
enforced in one place (monitor.jobs and monitor.store) and shown by `doctor` and in the reports.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import Field, RootModel

from monitor.tables import Table, read_toml, validated

if TYPE_CHECKING:
    from pathlib import Path


class SourcePolicy(Table):
    """What one source's terms allow.

    Attributes:
        name: as people know it.
        kind: "article" sources share one mention per canonical URL; "social" ones never do;
            "manual" ones are typed in.
        on_by_default: whether it is read without being switched on.
        why: why it is on or off, in one sentence; printed wherever the source is shown as off.
        needs_approval: what must be recorded as `approval` in monitor.toml to switch it on, "" if nothing.
        may_be_scored: whether a sentiment score may be derived and stored.
        keep_text: whether the words may be stored; if not, id and link only.
        keep_hours: longest storage; 0 where our own retention rule alone applies.
        recheck_hours: how often each stored post is asked for again; 0 for never.
        on_deletion: "wipe" keeps a hash of the id, so that it does not come back; "forget" keeps nothing.
        every_minutes: how often it is read.
        daily_calls, daily_units, monthly_pence: our caps; 0 where there is none.
        never_sees: what this source can never show us, in words for a report.
        terms: where the rule comes from.
    """

    name: str
    kind: Literal["article", "social", "manual"]
    on_by_default: bool
    why: str
    needs_approval: str = ""
    may_be_scored: bool = True
    keep_text: bool = True
    keep_hours: int = Field(default=0, ge=0)
    recheck_hours: int = Field(default=0, ge=0)
    on_deletion: Literal["wipe", "forget"] = "wipe"
    every_minutes: int = Field(default=15, ge=1)
    daily_calls: int = Field(default=0, ge=0)
    daily_units: int = Field(default=0, ge=0)
    monthly_pence: int = Field(default=0, ge=0)
    never_sees: tuple[str, ...] = ()
    terms: str = ""

    @property
    def keep(self) -> timedelta | None:
        """Longest storage, or None where only our own retention applies."""
        return timedelta(hours=self.keep_hours) if self.keep_hours else None


class Sources(RootModel[dict[str, SourcePolicy]]):
    """Every source policy, by collector name."""

    @classmethod
    def read(cls, path: Path) -> Sources:
        """Return the source policies in `path`.

        Raises:
            ConfigError: the file is missing or wrong.
        """
        content, text = read_toml(path)
        return validated(cls, content, file=path, text=text)

    def __getitem__(self, source: str) -> SourcePolicy:
        return self.root[source]

    def __contains__(self, source: object) -> bool:
        return source in self.root

    @property
    def names(self) -> tuple[str, ...]:
        """Collector names in the file's order."""
        return tuple(self.root)
