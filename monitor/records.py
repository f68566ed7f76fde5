"""The frozen records that travel through the house, from a collector to a report.

A post is a `Mention` when a collector yields it, gets a `Judgement` in the pipeline, and becomes part
of a `Case` when somebody has to act. A `Run` says that a source was read, or why it was not: every
count in every report carries its coverage, because "nothing was said" and "we did not look" differ.

Times are zone-aware or refused. Records compare by value and cannot be changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit


class Severity(StrEnum):
    """How urgent; the scale of policy/escalation.toml. `P0` is the most urgent."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Relevance(StrEnum):
    """Is the post about one of our schools?"""

    YES = "yes"
    NO = "no"
    UNCERTAIN = "uncertain"


class Sentiment(StrEnum):
    """The post's tone. A negative post may be defending the school."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Outcome(StrEnum):
    """How a run over one source ended."""

    COMPLETE = "complete"  # the whole window was read
    PARTIAL = "partial"  # some of it was read, then the source stopped us
    FAILED = "failed"  # nothing was read


class Purpose(StrEnum):
    """What a run was for."""

    COLLECT = "collect"  # to find what is new: only this says that a source was read
    RECHECK = "recheck"  # to ask again for what is stored


class CaseState(StrEnum):
    """Where a case stands."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    WAITING = "waiting"
    ANSWERED = "answered"
    NO_REPLY_NEEDED = "no reply needed"
    REFERRED = "referred"
    CLOSED = "closed"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has something to do."""
        return self in {CaseState.NEW, CaseState.ACKNOWLEDGED, CaseState.WAITING}


def aware(name: str, value: datetime) -> datetime:
    """Return `value` in UTC.

    Raises:
        ValueError: `value` has no zone; a time without a zone is a guess.
    """
    if value.tzinfo is None or value.utcoffset() is None:
        problem = f"{name} has no time zone: {value!r}"
        raise ValueError(problem)
    return value.astimezone(UTC)


def _aware_fields(record: object, *names: str) -> None:
    """Turn the named fields of a frozen record into UTC, refusing times without a zone."""
    for name in names:
        value = getattr(record, name)
        if value is not None:
            object.__setattr__(record, name, aware(name, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open span of time, `start <= t < end`, both zone-aware and kept in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        """Refuse a window without zones or one that ends before it starts."""
        _aware_fields(self, "start", "end")
        if self.end < self.start:
            problem = f"the window ends ({self.end}) before it starts ({self.start})"
            raise ValueError(problem)

    def __contains__(self, moment: datetime) -> bool:
        """Whether `moment` (zone-aware) lies in the window."""
        return self.start <= moment < self.end

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One public post, as a collector saw it.

    `(source, native_id)` is its key. `published` is the platform's word; *first seen* and *last seen*
    belong to the store, which alone can know them.

    Attributes:
        source: the collector's name, "bluesky".
        native_id: the platform's own id; for web pages the canonical URL.
        url: where a person can open it; http or https, or "" where the source has none.
        text: plain text, as the platform gave it.
        published: when the platform says it was published.
        title: headline or video title, "" if none.
        community: the group, subreddit, feed, channel or page in which it stood, "" if none.
        channel: which configured feed, query or tag found it.
        author: the public handle. It is turned into a keyed hash by the store and never kept.
        language: BCP 47 tag, "" if the platform gives none.
        in_reply_to: native id of the parent post, if any.
        repost_of: native id of the original, if this is a repost.
        edited: when the platform says it was last edited, if ever.
        raw: the captured bytes; only their SHA-256 is kept, as evidence.
    """

    source: str
    native_id: str
    url: str
    text: str
    published: datetime
    title: str = ""
    community: str = ""
    channel: str = ""
    author: str = field(default="", repr=False)
    language: str = ""
    in_reply_to: str | None = None
    repost_of: str | None = None
    edited: datetime | None = None
    raw: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a mention without key, with a URL that is not a web address, or without a zone."""
        _aware_fields(self, "published", "edited")
        if not self.source or not self.native_id:
            problem = "a mention needs a source and a native id"
            raise ValueError(problem)
        if self.url and urlsplit(self.url).scheme not in {"http", "https"}:
            problem = f"not a web address: {self.url[:80]!r}"
            raise ValueError(problem)

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the captured bytes, or of the text where a collector captured none."""
        return hashlib.sha256(self.raw or self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """One item that could not be read: counted, with the reason, and the rest goes on."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A source's word that a post is deleted, protected or private: the store wipes it."""

    source: str
    native_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """Where a collector wants to start next time; kept only if the whole run completes.

    Attributes:
        channel: which feed, query or tag it belongs to.
        value: opaque to everyone but the collector.
    """

    channel: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one call cost: for the ledger.

    Attributes:
        calls: requests made.
        units: the platform's own quota units.
        pence: money, in hundredths of a pound.
    """

    calls: int = 0
    units: int = 0
    pence: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        """Add two costs."""
        return Spent(calls=self.calls + other.calls, units=self.units + other.units, pence=self.pence + other.pence)

    def __sub__(self, other: Spent) -> Spent:
        """Return what is left after a cost."""
        return Spent(calls=self.calls - other.calls, units=self.units - other.units, pence=self.pence - other.pence)


Yielded = Mention | Malformed | Gone | Bookmark | Spent
"""What a collector yields, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a collector is asked for.

    Attributes:
        window: the span of publication that is wanted; a source may give more, the store sorts it out.
        phrases: names of the schools to search for, most telling first. Never a person's name.
        tags: hashtags without "#".
        bookmarks: what the collector left behind after its last complete run, by channel.
        allowance: what may still be spent before our own cap; None where there is none.
    """

    window: Window
    phrases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    bookmarks: dict[str, str] = field(default_factory=dict)
    allowance: Spent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt to read one source: what coverage is printed from.

    Attributes:
        source: the collector's name.
        started, ended: when.
        window: what was asked for; of no length where stored posts were asked for again.
        outcome: how it ended.
        purpose: what it was for.
        seen: items the source gave; new: mentions not known before; changed: known ones that were edited.
        dropped: reason -> how many were not about our schools; never their text.
        malformed: reason -> how many items could not be read.
        gone: how many were wiped because the source says they are gone.
        spent: calls, units, money.
        error_kind, error: `SourceError.kind` and sentence, "" when all went well.
        retry_at: when the source may be asked again, if it said so.
    """

    source: str
    started: datetime
    ended: datetime
    window: Window
    outcome: Outcome
    purpose: Purpose = Purpose.COLLECT
    seen: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    malformed: dict[str, int] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    error_kind: str = ""
    error: str = ""
    retry_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse times without a zone."""
        _aware_fields(self, "started", "ended", "retry_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one part of a judgement was made.

    Attributes:
        about: "relevance", "sentiment" or "category"; "words" where it says why they are not kept.
        rule: the rule's id in policy/, or what decided ("model", "nearest example").
        start, end: offsets into the text as it was given; 0, 0 when the reason is not in the text.
        text: the words at those offsets, or what the reason stands on.
        note: one sentence for people, "" if the rule says it all.
    """

    about: str
    rule: str
    start: int = 0
    end: int = 0
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the pipeline says of one post, with its reasons, under one version of the policy.

    `sentiment` and `sentiment_score` are None where the platform's terms forbid derived scores.
    `severity` is None only for posts that are not about our schools.
    """

    relevant: Relevance
    schools: tuple[str, ...]
    sentiment: Sentiment | None
    sentiment_score: float | None
    category: str
    also: tuple[str, ...]
    severity: Severity | None
    owner: str
    clauses: tuple[str, ...]
    reasons: tuple[Reason, ...]
    policy_version: str
    sentiment_sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMention:
    """A mention as the store gives it back: masked text, hashed author, three clocks.

    Attributes:
        id: the store's own number.
        mention: the post, with `author` always "" and personal details masked.
        author_key: keyed hash of the handle, to count distinct accounts in a window; "" if none.
        first_seen, last_seen: the store's clocks.
        sha256: of the captured bytes.
        also_in: (source, channel, url) of each further place where the same article stood.
        story: number of the story it belongs to; its own id if it began it, or is in none yet.
        story_began: when that story was first seen, None if it is in none yet.
        judgement: the newest, or None if it was not judged yet.
    """

    id: int
    mention: Mention
    author_key: str
    first_seen: datetime
    last_seen: datetime
    sha256: str
    also_in: tuple[tuple[str, str, str], ...] = ()
    story: int = 0
    story_began: datetime | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One line of a case's append-only history: who, when, what and why."""

    at: datetime
    by: str
    what: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What people decided and did about one or more posts.

    Attributes:
        reference: "KJS-0042", printable, never derived from a person.
        mention_id: the post that opened it.
        category, severity, owner: by the matrix; owner is a role, never a person.
        schools: codes.
        opened, due: when, and by when the owner should act. `due` is None where nothing is due.
        state: where it stands.
        restricted: whether only the roles in `readers` may see more than the reference.
        readers: roles that may see the words.
        history: oldest first.
    """

    reference: str
    mention_id: int
    category: str
    severity: Severity
    owner: str
    schools: tuple[str, ...]
    opened: datetime
    due: datetime | None
    state: CaseState
    restricted: bool
    readers: tuple[str, ...]
    history: tuple[CaseEvent, ...] = ()


class Sight(StrEnum):
    """What can be said of one source in one window."""

    READ = "read"  # its last run was complete and recent
    BEHIND = "behind"  # it is on, but was not completely read when it should have been
    NEVER = "never read"  # it is on and was never completely read
    OFF = "off"  # it is not read, for the reason given


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well one source was seen in one window: no count is shown without it.

    Attributes:
        source, name: the collector's name, and what people call the source.
        sight: see `Sight`.
        last_read: when it was last read completely, if ever.
        next_try: when it will be tried again, if that is known.
        why: why it is behind or off, in one sentence; "" when all is well.
        kind: `SourceError.kind` of the failure behind that, "" if there was none.
        new: mentions first seen in the window; None unless the source was read ("?" in a report, never 0).
        dropped: reason -> posts that were not about our schools; their number only.
        malformed: items that could not be read.
        gone: posts wiped because the source says they are gone; changed: posts edited there, and judged again.
        spent: calls, units, money in the window.
        used: the largest share of one of our own limits that is spent, 1.0 being all of it; 0.0 where there is none.
        never_sees: what the source can never show.
    """

    source: str
    name: str
    sight: Sight
    last_read: datetime | None = None
    next_try: datetime | None = None
    why: str = ""
    kind: str = ""
    new: int | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    malformed: int = 0
    gone: int = 0
    changed: int = 0
    spent: Spent = field(default_factory=Spent)
    used: float = 0.0
    never_sees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """Mentions first seen on one day (a span from digest to digest); `blind` where a source was not read."""

    start: datetime
    count: int
    blind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A report, ready to be delivered or written to disk.

    Attributes:
        name: file name without ending, "daily-2026-11-23".
        subject: one line, safe for a lock screen: no names, no words of a post.
        html, text: the two bodies.
    """

    name: str
    subject: str
    html: str
    text: str


class Clock(Protocol):
    """Tells the time; tests bring their own."""

    def __call__(self) -> datetime:
        """Return now, zone-aware."""


def utc_now() -> datetime:
    """Return now in UTC: the clock of live runs."""
    return datetime.now(UTC)


def as_plain(record: Any) -> Any:  # noqa: ANN401 - walks any record
    """Return a record as dicts, lists, strings and numbers, for JSON. Times become ISO 8601 in UTC."""
    if is_dataclass(record) and not isinstance(record, type):
        return {f.name: as_plain(getattr(record, f.name)) for f in fields(record)}
    if isinstance(record, datetime):
        return record.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(record, dict):
        return {str(key): as_plain(value) for key, value in record.items()}
    if isinstance(record, tuple | list | set | frozenset):
        return [as_plain(item) for item in record]
    if isinstance(record, bytes):
        return hashlib.sha256(record).hexdigest()
    return record
