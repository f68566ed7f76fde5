"""What the gate reads of a post, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.records import Reason, Relevance


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post and what stood around it; the fields are those of `monitor.records.Mention`."""

    text: str
    title: str = ""
    source: str = ""
    community: str = ""
    url: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a post is about our schools.

    Attributes:
        relevant: yes, no, or uncertain where a person has to look.
        schools: codes, sorted; empty unless `relevant` is yes.
        reasons: what it stands on, with offsets into the text as it was given; what stands around the text
            has no offsets and says so in its note.
        drop_reason: short and without words of the post, fit for a count; "" unless `relevant` is no.
        doubtful: whether it is dropped only because too little was said; danger in its words would keep it.
    """

    relevant: Relevance
    schools: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    drop_reason: str = ""
    doubtful: bool = False
