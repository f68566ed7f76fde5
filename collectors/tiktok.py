"""TikTok: public videos and comments that mention the school's business account, as words only.

TikTok API for Business, `/business/mention/video/list/` and `/business/mention/comment/list/`
(business-api.tiktok.com/portal/docs, "Mentions"). There is no search for a school. An answer with HTTP status
200 may be an error: its `code` says so. Videos and pictures are never fetched, and their addresses not asked for.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from collectors import SourceOptions
from collectors._purse import Purse
from collectors._shelves import read_all
from collectors._vendor import BaseAddress
from collectors._wire import what_is_wrong
from collectors._words import Words
from monitor.addresses import is_web
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import retry_at
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collectors import Tools
    from monitor.records import Ask, Yielded

NAME: Final = "tiktok"
SECRETS: Final = ("TIKTOK_ACCESS_TOKEN",)
CALL: Final = Spent(calls=1)
PAGE: Final = 100
LONGEST_LIST: Final = 1_000
"""How many mentions TikTok lists at most; of what is further down a full list says nothing."""
MOST_PAGES: Final = 50
SLOW_DOWN: Final = frozenset({40100})
"""Too many requests in a second, a minute or a day."""
NOT_FOR_US: Final = frozenset({40001, *range(40101, 40120)})
"""No permission, or a token that is empty, over or revoked: somebody must look."""
PASSING: Final = range(50_000, 70_000)
"""TikTok's own faults and its maintenance."""


class Options(SourceOptions):
    """`[sources.tiktok]`.

    Attributes:
        business_id: of our account, as TikTok gives it with the token ("open_id").
        reach_days: how far back mentions are listed; what is older cannot be checked again and is then wiped.
        api_url: the API's base address, version included.
    """

    business_id: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,100}$")
    reach_days: int = Field(default=30, ge=1, le=90)
    api_url: BaseAddress = "https://business-api.tiktok.com/open_api/v1.3"

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.business_id else "no account is named: set business_id"


class TikTok:
    """Reads the mentions of one business account, newest first. A comment's key is "VIDEO/COMMENT"."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._http = tools.http
        self._clock = tools.clock
        self._token = tools.secrets.need(SECRETS[0], "TikTok shows mentions to the mentioned account alone")

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield what was published in the window, each mention once; see `collectors.Collector`.

        A list that is closed to us does not keep us from the other; the error at the end names it.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, ask.allowance, self._clock)
        days = min(math.ceil((self._clock() - ask.window.start) / timedelta(days=1)) + 1, self._options.reach_days)
        lists = {shelf.name: self._listed(shelf, max(days, 1), purse, back_to=ask.window.start) for shelf in SHELVES}
        return read_all(NAME, lists, ask, things="lists", clock=self._clock)

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each mention as it stands now, or `Gone`.

        Nothing can be asked for by id, so the lists are read: what is not in a whole list is deleted, private, or
        no longer mentions us. Where TikTok's list is full it says nothing of what is missing.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        for shelf in SHELVES:
            waiting = {native_id for native_id in native_ids if ("/" in native_id) is shelf.of_comments}
            if not waiting:
                continue
            listed = unreadable = 0
            for item in self._listed(shelf, self._options.reach_days, purse, back_to=None):
                match item:
                    case Mention():
                        listed += 1
                        if item.native_id in waiting:
                            waiting.discard(item.native_id)
                            yield item
                    case Malformed():
                        unreadable += 1
                        yield item
                    case Spent():
                        yield item
            for native_id in sorted(waiting):
                if unreadable or listed >= LONGEST_LIST:
                    yield Malformed(reason="asked for again, and TikTok's list does not say whether it stands")
                else:
                    yield Gone(source=NAME, native_id=native_id)

    def _listed(
        self, shelf: _Shelf, days: int, purse: Purse, *, back_to: datetime | None
    ) -> Iterator[Mention | Malformed | Spent]:
        """Yield one list, newest first, to its end or until a whole page is older than `back_to`."""
        cursor, cursors = 0, {0}
        for _ in range(MOST_PAGES):
            purse.need(CALL)
            page = self._page(shelf, days, cursor)
            yield purse.pay(CALL)
            items = [shelf.read(wire) for wire in page.items(shelf)]
            yield from items
            moments = [item.published for item in items if isinstance(item, Mention)]
            if not page.has_more or (back_to and moments and max(moments) < back_to):
                return
            cursor = page.cursor
            if cursor in cursors:
                raise UnexpectedShape(NAME, "the same cursor came twice")
            cursors.add(cursor)
        raise UnexpectedShape(NAME, f"one list does not end after {MOST_PAGES} pages")

    def _page(self, shelf: _Shelf, days: int, cursor: int) -> _Page:
        """Ask for one page.

        Raises:
            SourceError: see `monitor.errors`.
        """
        answer = self._http.get(
            f"{self._options.api_url}/business/mention/{shelf.path}/list/",
            source=NAME,
            params={
                "business_id": self._options.business_id,
                "fields": json.dumps(shelf.fields, separators=(",", ":")),
                "sort_field": shelf.newest,
                "sort_type": "DESC",
                "number_of_days": days,
                "cursor": cursor,
                "max_count": PAGE,
            },
            headers={"Access-Token": self._token.get_secret_value()},
        )
        try:
            envelope = _Envelope.model_validate(answer.json(NAME))
            if envelope.code:
                raise self._refusal(envelope.code)
            return _Page.model_validate(envelope.data)
        except ValidationError as error:
            raise UnexpectedShape(NAME, f"expected a page of mentions: {what_is_wrong(error)}") from None

    def _refusal(self, code: int) -> SourceError:
        """Return what a code other than 0 means; the message beside it may repeat the token and is not read."""
        if code in SLOW_DOWN:
            return RateLimited(NAME, f"TikTok asks us to wait (code {code})", retry_at=retry_at({}, self._clock()))
        if code in NOT_FOR_US:
            return AccessRefused(NAME, f"TikTok refuses us (code {code})")
        if code in PASSING:
            return Unreachable(NAME, f"TikTok has a fault of its own (code {code})")
        return UnexpectedShape(NAME, f"TikTok answers with code {code}")


collector = TikTok


def _moment(value: Any) -> datetime:  # noqa: ANN401 - whatever the wire holds
    """Return the moment of epoch seconds, which come as digits or as a number."""
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise ValueError("no epoch seconds") from None


Moment = Annotated[datetime, BeforeValidator(_moment)]
Number = Annotated[str, BeforeValidator(str), Field(pattern=r"^[0-9]{1,25}$")]


class _Envelope(BaseModel):
    """What every answer comes in."""

    code: int
    data: Any = None


class _Page(BaseModel):
    """One page of one list; a list that is named and null is empty."""

    videos: list[Any] | None = None
    comments: list[Any] | None = None
    has_more: bool = False
    cursor: int = 0

    def items(self, shelf: _Shelf) -> list[Any]:
        """Return the items of the list that was asked for.

        Raises:
            UnexpectedShape: it is not there.
        """
        if shelf.name not in self.model_fields_set:
            raise UnexpectedShape(NAME, f"an answer without {shelf.name}")
        return (self.comments if shelf.of_comments else self.videos) or []


class _Video(BaseModel):
    """A video that mentions us, as its author describes it."""

    item_id: Number
    create_time: Moment
    caption: Words = ""
    video_link: Words = ""
    creator_handle_name: str = ""

    def mention(self) -> Mention | Malformed:
        """Return it as a mention."""
        if not self.caption:
            return Malformed(reason="a video without words")
        return Mention(
            source=NAME,
            native_id=self.item_id,
            url=_link(self.video_link, self.item_id),
            text=self.caption,
            published=self.create_time,
            channel="videos",
            author=self.creator_handle_name,
        )


class _Comment(BaseModel):
    """A comment that mentions us; whose it is, TikTok says by a display name only, and we do not ask."""

    item_id: Number
    comment_id: Number
    comment_create_time: Moment
    comment_text: Words = ""
    caption: Words = ""
    video_link: Words = ""

    def mention(self) -> Mention | Malformed:
        """Return it as a mention."""
        if not self.comment_text:
            return Malformed(reason="a comment without words")
        return Mention(
            source=NAME,
            native_id=f"{self.item_id}/{self.comment_id}",
            url=_link(self.video_link, self.item_id),
            text=self.comment_text,
            published=self.comment_create_time,
            title=self.caption,
            channel="comments",
            in_reply_to=self.item_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelf:
    """One list: its name in the answer and in the address, what its items are, and the field they are sorted by."""

    name: str
    path: str
    model: type[_Video | _Comment]
    newest: str

    @property
    def of_comments(self) -> bool:
        """Whether it lists comments."""
        return self.model is _Comment

    @property
    def fields(self) -> list[str]:
        """What is asked for: what is read."""
        return list(self.model.model_fields)

    def read(self, wire: Any) -> Mention | Malformed:  # noqa: ANN401 - whatever came
        """Return an item as a mention, or what is wrong with it."""
        try:
            return self.model.model_validate(wire).mention()
        except ValidationError as error:
            return Malformed(reason=what_is_wrong(error))


SHELVES: Final = (
    _Shelf(name="videos", path="video", model=_Video, newest="CREATE_TIME"),
    _Shelf(name="comments", path="comment", model=_Comment, newest="COMMENT_CREATE_TIME"),
)


def _link(given: str, video: str) -> str:
    """Return where a person can open a video; TikTok finds it by number under any name."""
    return given if is_web(given) else f"https://www.tiktok.com/@_/video/{video}"
