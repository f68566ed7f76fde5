"""Meta's Graph API, which Facebook, Instagram and Threads speak: its pages and its error codes.

The token goes into a header, never into an address. `paging.next`, which holds the token again, is read as
"there is more" and for nothing else: pages are asked for by cursor
(developers.facebook.com/docs/graph-api/results, /guides/error-handling).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from collectors._wire import what_is_wrong
from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape, Unreachable
from monitor.http import retry_at, status_error
from monitor.records import Malformed, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from collectors._purse import Purse
    from monitor.http import Answer, Client
    from monitor.records import Clock

CALL: Final = Spent(calls=1)
MOST_PAGES: Final = 50
EXPLAINED: Final = (200, 400, 401, 403, 404, 429, 500, 503)
"""Statuses whose body says more than the number."""
SLOW_DOWN: Final = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
"""Limits of the app, the user, the Page, one call, and of business use cases."""
NOT_FOR_US: Final = frozenset({3, 10, 102, 190, *range(200, 300), 368})
"""Missing capability or permission, a token that is over, a block: somebody must look."""
TOKEN_OVER: Final = 190
PASSING: Final = frozenset({1, 2})
NOT_THERE: Final = frozenset({(24, None), (100, 33), (803, None)})
"""(code, subcode): no such hashtag; an object that is deleted or not visible to us; an unknown name."""
AN_HOUR: Final = timedelta(hours=1)
"""Meta's limits roll over an hour."""

NodeId = Annotated[str, Field(pattern=r"^[0-9]{1,30}(_[0-9]{1,30}){0,2}$")]
AccountId = Annotated[str, Field(pattern=r"^[0-9]{1,30}$")]


class Missing(UnexpectedShape):
    """What was asked for is not there, or is no longer visible to us."""


class Wire(Protocol):
    """A pydantic model."""

    @classmethod
    def model_validate(cls, obj: Any) -> Self:  # noqa: ANN401 - whatever the wire holds
        """Return the wire's item as this model; raise `pydantic.ValidationError` if it is none."""


class Dated(Wire, Protocol):
    """A post or comment that says when it was written."""

    @property
    def id(self) -> str:
        """Meta's number."""

    @property
    def published(self) -> datetime:
        """When it was written."""


Item = TypeVar("Item", bound=Wire)
Thing = TypeVar("Thing", bound=Dated)


class _Cursors(BaseModel):
    """Where a page begins and ends."""

    after: str = ""


class _Paging(BaseModel):
    """The way to the next page."""

    cursors: _Cursors = _Cursors()
    more: Annotated[bool, BeforeValidator(bool)] = Field(default=False, alias="next")


class Page(BaseModel):
    """One answer to a question for many: its items, unread."""

    data: list[Any]
    paging: _Paging = _Paging()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """One of Meta's APIs, read with one token.

    Attributes:
        source: the collector's name.
        base: base address, version included.
        http: the polite client.
        clock: tells the time.
        token: access token.
        open_ended: Threads' way: pages have a cursor but no `next`, an empty one is the last and costs nothing.
    """

    source: str
    base: str
    http: Client
    clock: Clock
    token: SecretStr = field(repr=False)
    open_ended: bool = False

    def signed(self, token: SecretStr) -> Graph:
        """Return the same API, read with another token."""
        return replace(self, token=token)

    def ask(self, path: str, **params: str | int) -> Any:  # noqa: ANN401 - any JSON value
        """Ask for one object or page.

        Raises:
            Missing: it is not there.
            SourceError: see `monitor.errors`.
        """
        answer = self.http.get(
            f"{self.base}/{path}",
            source=self.source,
            params=params,
            headers={"Authorization": f"Bearer {self.token.get_secret_value()}"},
            allow=EXPLAINED,
        )
        if answer.status != HTTPStatus.OK:
            raise _error(self.source, answer, self.clock())
        return answer.json(self.source)

    def again(self, number: str, model: type[Thing], fields: str) -> Thing | Malformed | None:
        """Return one post or comment as it stands now, None if it is gone.

        A refusal of this one thing does not say whether it stands: it is counted, like what cannot be read.

        Raises:
            SourceError: see `monitor.errors`.
        """
        try:
            thing = model.model_validate(self.ask(number, fields=fields))
        except Missing:
            return None
        except AccessRefused:
            return Malformed(reason="asked for again, and we are not told whether it stands")
        except ValidationError as error:
            return Malformed(reason=what_is_wrong(error))
        return thing if thing.id == number else Malformed(reason="an answer to something that was not asked for")

    def one(self, path: str, model: type[Item], expected: str, **params: str | int) -> Item:
        """Ask for one thing that has to be there, `expected` by name. Raises as `ask` does."""
        try:
            return model.model_validate(self.ask(path, **params))
        except ValidationError as error:
            raise UnexpectedShape(self.source, f"expected {expected}: {what_is_wrong(error)}") from None

    def page(self, path: str, **params: str | int) -> Page:
        """Ask for one page. Raises as `ask` does."""
        return self.one(path, Page, "a page", **params)

    def read(
        self,
        path: str,
        model: type[Thing],
        params: Mapping[str, str | int],
        purse: Purse,
        *,
        back_to: datetime,
        begun: Page | None = None,
    ) -> Iterator[Thing | Malformed | Spent]:
        """Yield what stands on every page, newest first, until a whole page is older than `back_to`.

        Args:
            path: the edge, "123/feed".
            model: what its items are.
            params: fields and limits.
            purse: what may still be spent.
            back_to: zone-aware.
            begun: a first page that came along with something else.

        Raises:
            QuotaSpent: our own cap does not pay for the next page.
            SourceError: see `monitor.errors`.
        """
        cursor, cursors = "", set[str]()
        for _ in range(MOST_PAGES):
            page = begun
            if page is None:
                purse.need(CALL)
                page = self.page(path, **params, **({"after": cursor} if cursor else {}))
                yield purse.pay(CALL if page.data or not self.open_ended else Spent())
            begun = None
            items = [*items_of(page, model)]
            yield from items
            moments = [item.published for item in items if not isinstance(item, Malformed)]
            cursor = self._next(page)
            if not cursor or (moments and max(moments) < back_to):
                return
            if cursor in cursors:
                raise UnexpectedShape(self.source, "the same cursor came twice")
            cursors.add(cursor)
        raise UnexpectedShape(self.source, f"one list does not end after {MOST_PAGES} pages")

    def _next(self, page: Page) -> str:
        """Return the cursor to the next page, "" on the last."""
        cursor = page.paging.cursors.after
        if self.open_ended:
            return cursor if page.data else ""
        if page.paging.more and not cursor:
            raise UnexpectedShape(self.source, "a next page without a cursor")
        return cursor if page.paging.more else ""


def items_of(page: Page, model: type[Item]) -> Iterator[Item | Malformed]:
    """Yield each item of a page; what cannot be read is counted, and the rest goes on."""
    for wire in page.data:
        try:
            yield model.model_validate(wire)
        except ValidationError as error:
            yield Malformed(reason=what_is_wrong(error))


class _Fault(BaseModel):
    """What Meta says of a refusal; its message may quote the request and is not read."""

    code: int
    subcode: int | None = Field(default=None, alias="error_subcode")


class _Envelope(BaseModel):
    """What it comes in."""

    error: _Fault


def _error(source: str, answer: Answer, now: datetime) -> SourceError:
    """Return what an answer other than 200 means."""
    host = urlsplit(answer.url).hostname or ""
    try:
        fault = _Envelope.model_validate_json(answer.body).error
    except ValidationError:
        if answer.status == HTTPStatus.NOT_FOUND:
            return Missing(source, f"{host} answers 404")
        return status_error(source, answer.status, answer.headers, host, now)
    if fault.code in SLOW_DOWN or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(source, f"{host} asks us to wait", retry_at=_rested(answer.headers, now))
    token = ": the token is over" if fault.code == TOKEN_OVER else ""
    return _kind(fault, answer.status)(source, f"{host} says no with code {fault.code}{token}")


def _kind(fault: _Fault, status: int) -> type[SourceError]:
    """Return which error a refusal is."""
    if fault.code in NOT_FOR_US:
        return AccessRefused
    if fault.code in PASSING:
        return Unreachable
    there = {(fault.code, None), (fault.code, fault.subcode)}.isdisjoint(NOT_THERE) and status != HTTPStatus.NOT_FOUND
    return UnexpectedShape if there else Missing


def _rested(headers: Mapping[str, str], now: datetime) -> datetime:
    """Return when a limit ends: the minutes in `X-Business-Use-Case-Usage`, else Retry-After, else an hour."""
    usage = headers.get("x-business-use-case-usage", "")
    minutes = max(map(int, re.findall(r'"estimated_time_to_regain_access"\s*:\s*([0-9]{1,5})', usage)), default=0)
    return retry_at({"retry-after": str(60 * minutes)} if minutes else headers, now, default=AN_HOUR)
