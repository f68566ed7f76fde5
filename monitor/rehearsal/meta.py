"""What the fakes of Facebook, Instagram and Threads share: the Graph API's pages, errors and faults.

Error shape and codes: developers.facebook.com/docs/graph-api/guides/error-handling.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from monitor.rehearsal.server import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo

    from monitor.rehearsal.server import Fault

VERSION: Final = "/v26.0"
READING: Final = f"{VERSION}/*"
"""Every request."""


def token_of(request: Request) -> str:
    """Return the token in the header, "" if there is none."""
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def page_of(request: Request, items: Sequence[Any], *, size: int, with_next: bool = True) -> dict[str, Any]:
    """Return one page: its cursors, and as Meta does, a `next` address that repeats the token.

    Args:
        request: whose `after` says where the page begins.
        items: all there are, in order.
        size: the most on a page, however many are asked for.
        with_next: Threads leaves `next` out.
    """
    begin = int(request.query.get("after", "CURSOR0").removeprefix("CURSOR"))
    end = begin + min(size, int(request.query.get("limit", "25")))
    content: dict[str, Any] = {"data": list(items[begin:end])}
    if items[begin:end]:
        cursors = {"before": f"CURSOR{begin}", "after": f"CURSOR{end}"}
        query = urlencode({**request.query, "access_token": token_of(request), "after": f"CURSOR{end}"})
        following = {"next": f"{request.base}{request.path}?{query}"} if with_next and items[end:] else {}
        content["paging"] = {"cursors": cursors, **following}
    return content


def moment(when: datetime, zone: tzinfo = UTC) -> str:
    """Return a time as Meta writes it: an offset without a colon."""
    return when.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def error(status: int, code: int, message: str = "(invented)", *, subcode: int | None = None) -> Reply:
    """Return an error in Meta's envelope."""
    content: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Ainvented"}
    if subcode is not None:
        content["error_subcode"] = subcode
    return json_reply({"error": content}, status=status)


def missing() -> Reply:
    """Return what Meta says of an object that is deleted, or that the token may not see."""
    message = "Unsupported get request. Object does not exist or cannot be loaded due to missing permissions."
    return error(400, 100, message, subcode=33)


def refuses(status: int, code: int, message: str = "(invented)", *, subcode: int | None = None) -> Fault:
    """Answer with an error."""
    return lambda _request, _reply: error(status, code, message, subcode=subcode)


def expired_token(token: str = "") -> Fault:
    """Answer as to a token that is over, which the message repeats."""
    return refuses(401, 190, f"Error validating access token {token}: Session has expired.", subcode=463)


def rate_limited(code: int = 4, *, status: int = 400, minutes: int = 0) -> Fault:
    """Answer that a limit is reached; where `minutes` are given, the header says how long it lasts."""
    usage = {"100": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": minutes}]}
    headers = {"X-Business-Use-Case-Usage": json.dumps(usage), "X-App-Usage": '{"call_count":100}'}

    def spoilt(_request: Request, _reply: Reply) -> Reply:
        reply = error(status, code, "Application request limit reached")
        return replace(reply, headers={**reply.headers, **headers})

    return spoilt


def empty_page(cursor: str = "CURSOR0") -> Fault:
    """Answer with no items, a cursor and more to come."""
    paging = {"cursors": {"after": cursor}, "next": "https://graph.facebook.com/next?access_token=in-the-address"}
    return changed(lambda content: {**content, "data": [], "paging": paging})


def same_cursor() -> Fault:
    """Give the same cursor, and more to come, with every page."""
    paging = {"cursors": {"after": "CURSOR0"}, "next": "https://graph.facebook.com/next?access_token=in-the-address"}
    return changed(lambda content: {**content, "paging": paging})


def malformed_item() -> Fault:
    """Put an item without id and time, and something that is no item, beside the good ones."""
    return changed(lambda content: {**content, "data": [{"message": "no id"}, "no item", *content["data"]]})


def changed(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Fault:
    """Return a fault that rewrites the JSON of a good page."""

    def spoilt(_request: Request, reply: Reply) -> Reply:
        content = json.loads(reply.whole()) if reply.status == HTTPStatus.OK else {}
        return replace(reply, body=json.dumps(change(content)).encode()) if "data" in content else reply

    return spoilt
