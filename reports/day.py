"""What a digest is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.records import aware

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from monitor.policy.escalation import Escalation
    from monitor.records import Case, Coverage, DayCount, StoredMention, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyMaterial:
    """Everything that one digest says, from the store.

    Attributes:
        federation, short_name: full and short name.
        zone: the reader's.
        window: what the digest covers.
        made_at: when it is made, zone-aware; "late" and "today" are reckoned from here.
        mentions: first seen in the window, judged.
        earlier: of the same stories and of those of the cases, but first seen before the window.
        likeness: share of three-word sequences from which two posts count as copies.
        cases: still open, whenever opened.
        settled: no longer open, but decided in the window, or of a story that goes on in it.
        case_mentions: mention id of a case -> the mention, where its words still exist.
        coverage: one for each source.
        days: the last seven, oldest first; each from digest to digest.
        usual: usual range of a day's count, None while there is too little history.
        troubles: jobs that failed, messages that could not be sent, in sentences.
        unusual: what was unusual in small numbers, and what did not alert anybody a second time, in sentences.
        unsaid: counts of which nobody can say yet whether they are unusual, in sentences.
        escalation: the matrix.
        school_names: code -> name.
        contact: an e-mail address that is read, "" if there is none.
        audit: the audit's last line, "1234:0123456789abcdef"; "" before the first.
    """

    federation: str
    short_name: str
    zone: ZoneInfo
    window: Window
    made_at: datetime
    mentions: tuple[StoredMention, ...]
    earlier: tuple[StoredMention, ...]
    likeness: float
    cases: tuple[Case, ...]
    settled: tuple[Case, ...]
    case_mentions: dict[int, StoredMention]
    coverage: tuple[Coverage, ...]
    days: tuple[DayCount, ...]
    usual: tuple[int, int] | None
    troubles: tuple[str, ...]
    unusual: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    escalation: Escalation
    school_names: dict[str, str]
    contact: str
    audit: str = ""

    def __post_init__(self) -> None:
        """Refuse a time without a zone: "late" and "today" would be guesses."""
        aware("made_at", self.made_at)
