"""YouTube: videos found by the schools' names, and the comments under them and on our own channels.

Data API v3 through google-api-python-client: `search.list`, `videos.list`, `commentThreads.list` and
`comments.list` (developers.google.com/youtube/v3/docs). YouTube counts two budgets, and so do we: a search is
one of 100 calls a day (`Spent.calls`), everything else costs one of 10,000 units (`Spent.units`); a call that
fails costs as much, so each is counted before it is made. A search tells ids alone; words come from
`videos.list`, as at the re-check, so that they read the same each time.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, ValidationError

from collectors import SourceOptions
from collectors._google import Withheld, service
from collectors._packing import quoted
from collectors._purse import Purse
from collectors._vendor import BaseAddress
from collectors._youtube_things import SOURCE as NAME
from collectors._youtube_things import (
    VIDEO_ID,
    Comment,
    Found,
    Page,
    Thread,
    Video,
    mention_of_comment,
    mention_of_video,
    read,
    what_is_wrong,
)
from monitor.errors import UnexpectedShape
from monitor.records import Bookmark, Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from collectors import Collector, Tools
    from collectors._youtube_things import ById
    from monitor.records import Ask, Yielded

SECRETS: Final = ("YOUTUBE_API_KEY",)
SEARCH: Final = Spent(calls=1)
UNIT: Final = Spent(units=1)
BATCH: Final = 25
"""How many are asked for by id at once: 50 ids of comments would make an address that is too long."""
MOST_PAGES: Final = 50
FOLLOWED: Final = "videos"
"""The bookmark that holds the ids of found videos whose comments are still read."""


class Options(SourceOptions):
    """`[sources.youtube]`.

    Attributes:
        channels: ids of our own channels ("UC..."), whose comments are read.
        most_searches: how many names and hashtags are searched for at each reading, the most telling first;
            with the pages of each, what a day's readings may cost stays below YouTube's 100 searches.
        search_pages: how many pages of 50 results are read of each search.
        follow_days: for how long the comments under a found video are read.
        most_followed: under how many found videos comments are read, the newest first.
        region: which country's YouTube is searched, ISO 3166-1.
        api_url: the API's base address.
    """

    channels: tuple[Annotated[str, Field(pattern=r"^UC[A-Za-z0-9_-]{22}$")], ...] = ()
    most_searches: int = Field(default=10, ge=1, le=30)
    search_pages: int = Field(default=2, ge=1, le=10)
    follow_days: int = Field(default=30, ge=1, le=30)
    most_followed: int = Field(default=50, ge=0, le=200)
    region: str = Field(default="GB", pattern="^[A-Z]{2}$")
    api_url: BaseAddress = "https://youtube.googleapis.com"


def collector(options: Options, tools: Tools) -> Collector:
    """Make the reader.

    Raises:
        ConfigError: the API key is not set.
    """
    return YouTube(options, tools)


class YouTube:
    """Reads YouTube. Searches and comments come newest first and are read down to the start of the window."""

    name = NAME

    def __init__(self, options: Options, tools: Tools) -> None:
        self._options = options
        self._clock = tools.clock
        key = tools.secrets.need(SECRETS[0], "YouTube's API asks for a key")
        api = service(NAME, "v3", options.api_url, key, tools)
        self._search, self._videos = api.search(), api.videos()
        self._threads, self._comments = api.commentThreads(), api.comments()

    def collect(self, ask: Ask) -> Iterator[Yielded]:
        """Yield videos and comments published in the window, each once; see `collectors.Collector`.

        Raises:
            QuotaSpent: our own cap does not pay for the next call.
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, ask.allowance, self._clock)
        kept = [video for video in ask.bookmarks.get(FOLLOWED, "").split() if re.fullmatch(VIDEO_ID, video)]
        known: set[str] = set()
        for item in self._everything(ask, kept, purse):
            if isinstance(item, Mention):
                if item.native_id in known or item.published not in ask.window:
                    continue
                known.add(item.native_id)
            yield item

    def _everything(self, ask: Ask, kept: Sequence[str], purse: Purse) -> Iterator[Yielded]:
        """Yield what own channels hold, what is found, and what stands under what was found."""
        for channel in self._options.channels:
            yield from self._under({"allThreadsRelatedToChannelId": channel}, {}, ask, purse)
        found: list[str] = []
        for item in self._found(ask, purse):
            if isinstance(item, str):
                found.append(item)
            else:
                yield item
        new = set(found)
        videos: list[Video] = []
        for video in self._by_id(self._videos, (*dict.fromkeys((*found, *kept)),), Video, purse):
            if not isinstance(video, Video):
                yield video
                continue
            if video.snippet.channel in self._options.channels:
                continue
            if video.id in new:
                yield mention_of_video(video)
            videos.append(video)
        oldest = ask.window.end - timedelta(days=self._options.follow_days)
        followed = sorted(
            (v for v in videos if v.snippet.published >= oldest and names_us(v.words, (*ask.phrases, *ask.tags))),
            key=lambda video: video.snippet.published,
            reverse=True,
        )[: self._options.most_followed]
        for video in followed:
            yield from self._under({"videoId": video.id}, {video.id: video}, ask, purse)
        yield Bookmark(channel=FOLLOWED, value=" ".join(video.id for video in followed))

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each video or comment as it stands now, or `Gone`; what YouTube leaves out is deleted or private.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        comments = {native_id.partition("/")[2]: native_id for native_id in native_ids if "/" in native_id}
        own = {native_id for native_id in native_ids if "/" not in native_id}
        videos: dict[str, Video] = {}
        lost: set[str] = set()
        wanted = sorted(own | {native_id.partition("/")[0] for native_id in comments.values()})
        for item in self._by_id(self._videos, wanted, Video, purse, gone=True):
            match item:
                case Video():
                    videos[item.id] = item
                    if item.id in own:
                        yield mention_of_video(item)
                case Gone(native_id=video):
                    lost.add(video)
                    if video in own:
                        yield item
                case _:
                    yield item
        left = sorted(comment for comment, key in comments.items() if key.partition("/")[0] not in lost)
        yield from (Gone(source=NAME, native_id=comments[comment]) for comment in sorted(comments.keys() - left))
        for reply in self._by_id(self._comments, left, Comment, purse, gone=True, textFormat="plainText"):
            match reply:
                case Comment():
                    yield self._mention(reply, comments[reply.id].partition("/")[0], videos)
                case Gone(native_id=comment):
                    yield Gone(source=NAME, native_id=comments[comment])
                case _:
                    yield reply

    def _found(self, ask: Ask, purse: Purse) -> Iterator[str | Malformed | Spent]:
        """Yield the ids of videos that a search for each name finds."""
        names = (*quoted(ask.phrases), *(f"#{tag.lstrip('#')}" for tag in ask.tags))
        for name in names[: self._options.most_searches]:
            params: dict[str, str | int] = {
                "part": "id",
                "q": name,
                "type": "video",
                "order": "date",
                "publishedAfter": ask.window.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "regionCode": self._options.region,
                "maxResults": 50,
            }
            for page in self._pages(self._search, params, purse, SEARCH, most=self._options.search_pages):
                if isinstance(page, Page):
                    for item in read(page.items, Found):
                        yield item.id.video if isinstance(item, Found) else item
                else:
                    yield page

    def _under(self, place: dict[str, str], videos: dict[str, Video], ask: Ask, purse: Purse) -> Iterator[Yielded]:
        """Yield the comments of one place, newest thread first, until a whole page is older than the window.

        Args:
            place: the parameter that says where: under one video, or on a whole channel of our own.
            videos: by id, those whose titles are known; others are asked for and added.
            ask: with its window.
            purse: what may still be spent.
        """
        params: dict[str, str | int] = {
            "part": "snippet,replies",
            "order": "time",
            "textFormat": "plainText",
            "maxResults": 100,
            **place,
        }
        for page in self._pages(self._threads, params, purse, UNIT, may_be_withheld=bool(videos)):
            if not isinstance(page, Page):
                yield page
                continue
            threads = [*read(page.items, Thread)]
            yield from self._meet(threads, videos, purse)
            moments: list[datetime] = []
            for thread in threads:
                if isinstance(thread, Malformed):
                    yield thread
                    continue
                for comment in self._whole(thread, purse):
                    if not isinstance(comment, Comment):
                        yield comment
                        continue
                    moments.append(comment.published)
                    if comment.snippet.author_channel.value not in self._options.channels:
                        yield self._mention(comment, thread.snippet.video, videos)
            if moments and max(moments) < ask.window.start:
                return

    def _meet(
        self, threads: Sequence[Thread | Malformed], videos: dict[str, Video], purse: Purse
    ) -> Iterator[Gone | Malformed | Spent]:
        """Add the videos that threads stand under to those that are known."""
        under = {thread.snippet.video for thread in threads if isinstance(thread, Thread)}
        for video in self._by_id(self._videos, sorted(under - videos.keys()), Video, purse):
            if isinstance(video, Video):
                videos[video.id] = video
            else:
                yield video

    def _whole(self, thread: Thread, purse: Purse) -> Iterator[Comment | Malformed | Spent]:
        """Yield a thread's comments; only a few answers come along, the others are asked for."""
        yield thread.snippet.top
        if thread.snippet.answers <= len(thread.replies.comments):
            yield from read(thread.replies.comments, Comment)
            return
        params: dict[str, str | int] = {
            "part": "snippet",
            "parentId": thread.snippet.top.id,
            "textFormat": "plainText",
            "maxResults": 100,
        }
        for page in self._pages(self._comments, params, purse, UNIT, may_be_withheld=True):
            if isinstance(page, Page):
                yield from read(page.items, Comment)
            else:
                yield page

    def _mention(self, comment: Comment, video: str, videos: dict[str, Video]) -> Mention:
        """Return a comment as a mention, with the title it stands under, and the channel's name if that is our own."""
        stands = videos.get(video)
        ours = stands is not None and stands.snippet.channel in self._options.channels
        return mention_of_comment(
            comment,
            video,
            title=stands.snippet.title if stands else "",
            community=stands.snippet.channel_name if stands and ours else "",
        )

    def _by_id(
        self,
        resource: Any,  # noqa: ANN401 - made at run time from Google's description
        ids: Sequence[str],
        model: type[ById],
        purse: Purse,
        *,
        gone: bool = False,
        **params: str,
    ) -> Iterator[ById | Gone | Malformed | Spent]:
        """Yield videos or comments by id; what is left out of the answer is `Gone`, if that is wanted."""
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            purse.need(UNIT)
            yield purse.pay(UNIT)
            page = self._ask(resource, {"part": "snippet", "id": ",".join(batch), **params})
            for item in read(page.items, model):
                known = isinstance(item, Malformed) or item.id in batch
                yield item if known else Malformed(reason="an answer to something that was not asked for")
            answered = {str(wire.get("id")) for wire in page.items if isinstance(wire, dict)}
            if gone:
                yield from (Gone(source=NAME, native_id=one) for one in batch if one not in answered)

    def _pages(
        self,
        resource: Any,  # noqa: ANN401 - as above
        params: Mapping[str, str | int],
        purse: Purse,
        cost: Spent,
        *,
        most: int = MOST_PAGES,
        may_be_withheld: bool = False,
    ) -> Iterator[Page | Malformed | Spent]:
        """Yield each page and what it cost.

        Args:
            resource: the library's reader of one kind of thing.
            params: as YouTube documents them.
            purse: what may still be spent.
            cost: of one page.
            most: how many pages are read; whatever lies behind them is counted.
            may_be_withheld: whether comments that are switched off, or gone with their video, are a matter of course.
        """
        cursor, cursors = "", set[str]()
        for _ in range(most):
            purse.need(cost)
            yield purse.pay(cost)
            try:
                page = self._ask(resource, {**params, **({"pageToken": cursor} if cursor else {})})
            except Withheld:
                if may_be_withheld:
                    return
                raise
            yield page
            cursor = page.cursor
            if not cursor:
                return
            if cursor in cursors:
                raise UnexpectedShape(NAME, "the same cursor came twice")
            cursors.add(cursor)
        yield Malformed(reason=f"more than {most} pages: what lies behind them is not read")

    def _ask(self, resource: Any, params: dict[str, Any]) -> Page:  # noqa: ANN401 - as above
        """Ask for one page.

        Raises:
            SourceError: see `monitor.errors`.
        """
        try:
            return Page.model_validate(resource.list(**params).execute())
        except ValidationError as error:
            raise UnexpectedShape(NAME, f"expected items: {what_is_wrong(error)}") from None
        except (ValueError, RecursionError):
            raise UnexpectedShape(NAME, "the answer is not what YouTube documents") from None


def names_us(words: str, names: Sequence[str]) -> bool:
    """Whether a text holds all words of one of the names, whatever stands between them.

    A search finds much that only resembles what was asked for, and a comment under that is not for us.
    """
    there = _words(words)
    return any(wanted <= there for wanted in map(_words, names) if wanted)


def _words(text: str) -> frozenset[str]:
    """Return the words of a text, in small letters and without apostrophes."""
    return frozenset(re.findall(r"\w+", re.sub("['\u2019]", "", text.casefold())))
