"""Google's API library on our own polite client: bounded, no discovery over the network, the key out of sight.

The library takes any object that asks like httplib2. This one asks through `monitor.http`, puts the key into
the header `X-Goog-Api-Key` (cloud.google.com/apis/docs/system-parameters) instead of the address, and raises a
`SourceError` for whatever is not 200: the library's own errors and its log, which quote addresses and
answers, are never reached.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httplib2  # type: ignore[import-untyped]
from googleapiclient.discovery import build
from pydantic import BaseModel, ValidationError

from monitor.errors import AccessRefused, RateLimited, SourceError, UnexpectedShape
from monitor.http import retry_at, status_error

if TYPE_CHECKING:
    from pydantic import SecretStr

    from collectors import Tools
    from monitor.http import Answer
    from monitor.records import Clock

BY_THE_DAY: Final = frozenset({"quotaExceeded", "dailyLimitExceeded"})
BY_THE_MINUTE: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
PACIFIC: Final = ZoneInfo("America/Los_Angeles")
"""Google's days of quota begin at midnight in this zone (developers.google.com/youtube/v3/getting-started)."""
EXPLAINED: Final = (200, 400, 401, 403, 404, 429)
"""Statuses whose body says more than the number."""

# the library's debug lines quote queries and answers
for _name in ("googleapiclient.http", "googleapiclient.discovery", "googleapiclient.model"):
    logging.getLogger(_name).setLevel(logging.ERROR)


class Withheld(UnexpectedShape):
    """One thing cannot be read, for a reason that Google names: comments are off, the video is gone."""

    def __init__(self, source: str, reason: str) -> None:
        self.reason = reason
        super().__init__(source, f"Google says {reason}")


def service(source: str, version: str, base: str, key: SecretStr, tools: Tools) -> Any:  # noqa: ANN401 - made at run time
    """Return the library's reader of an API, from the description that is packaged with the library.

    Args:
        source: the collector's name and Google's name of the API.
        version: of the API.
        base: base address.
        key: API key.
        tools: with the client that everything goes through.
    """
    return build(
        source,
        version,
        http=_Transport(source, key, tools),
        client_options={"api_endpoint": f"{base}/"},
        static_discovery=True,
        cache_discovery=False,
    )


class _Transport:
    """Asks like `httplib2.Http`."""

    def __init__(self, source: str, key: SecretStr, tools: Tools) -> None:
        self._source = source
        self._key = key
        self._http = tools.http
        self._clock: Clock = tools.clock

    def request(self, uri: str, method: str, **_kwargs: object) -> tuple[httplib2.Response, bytes]:
        """Return a good answer as the library wants it.

        Raises:
            Withheld: one thing cannot be read.
            SourceError: see `monitor.errors`.
        """
        if method != "GET":
            raise UnexpectedShape(self._source, "the library wants to send something")
        answer = self._http.get(
            uri,
            source=self._source,
            headers={"X-Goog-Api-Key": self._key.get_secret_value(), "Accept": "application/json"},
            allow=EXPLAINED,
        )
        if answer.status != HTTPStatus.OK:
            raise _error(self._source, answer, self._clock())
        return httplib2.Response({"status": "200"}), answer.body

    def close(self) -> None:
        """Do nothing: the client belongs to the run."""


class _Detail(BaseModel):
    """One reason."""

    reason: str = ""


class _Error(BaseModel):
    """What Google says of a refusal."""

    message: str = ""
    errors: list[_Detail] = []


class _Envelope(BaseModel):
    """What it comes in."""

    error: _Error


def _error(source: str, answer: Answer, now: datetime) -> SourceError:
    """Return what an answer other than 200 means; the message may quote the request and is not passed on."""
    host = urlsplit(answer.url).hostname or ""
    try:
        error = _Envelope.model_validate_json(answer.body).error
    except ValidationError:
        return status_error(source, answer.status, answer.headers, host, now)
    reason = error.errors[0].reason if error.errors else ""
    if reason in BY_THE_DAY or "per day" in error.message:
        return RateLimited(source, "Google's quota of the day is spent", retry_at=_next_day(now))
    if reason in BY_THE_MINUTE or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(source, f"{host} asks us to wait", retry_at=retry_at(answer.headers, now))
    if reason == "commentsDisabled" or (answer.status == HTTPStatus.NOT_FOUND and reason.endswith("NotFound")):
        return Withheld(source, reason)
    if answer.status == HTTPStatus.BAD_REQUEST and ("API key" in error.message or reason == "keyInvalid"):
        return AccessRefused(source, "Google does not accept the API key")
    return _named(status_error(source, answer.status, answer.headers, host, now), reason)


def _named(error: SourceError, reason: str) -> SourceError:
    """Return the error with Google's own word for it, if that is one plain word."""
    return type(error)(error.source, f"{error.problem}: {reason}") if reason.isalpha() else error


def _next_day(now: datetime) -> datetime:
    """Return when the next day of quota begins."""
    today = now.astimezone(PACIFIC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)  # wall-clock arithmetic: midnight stays midnight when the clocks change
