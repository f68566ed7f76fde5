"""YouTube: videos found by the schools' names, and the comments under them and on our own channels.

Data API v3 through google-api-python-client: `search.list`, `videos.list`, `commentThreads.list` and
`comments.list` (developers.google.com/youtube/v3/docs). YouTube counts two budgets, and so do we: a search is
one of 100 calls a day (`Spent.calls`), everything else costs one of 10,000 units (`Spent.units`). A search
tells ids alone; words come from `videos.list`, as at the re-check, so that they read the same each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, ValidationError

from collectors import SourceOptions
from collectors._google import Withheld, service
from collectors._packing import quoted
from collectors._purse import Purse
from collectors._vendor import BaseAddress
from collectors._youtube_things import (
    COMMENT_ID,
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
from collectors._youtube_things import SOURCE as NAME
from monitor.errors import UnexpectedShape
from monitor.records import Bookmark, Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel

    from collectors import Collector, Tools
    from monitor.records import Ask, Yielded

SECRETS: Final = ("YOUTUBE_API_KEY",)
SEARCH: Final = Spent(calls=1)
UNIT: Final = Spent(units=1)
BATCH: Final = 50
"""How many videos or comments may be asked for by id at once."""
COMMENTS: Final = 100
"""How many threads a page holds."""
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
            yield from self._under(_Place(own=True, params={"allThreadsRelatedToChannelId": channel}), ask, purse)
        found: list[str] = []
        for item in self._found(ask, purse):
            if isinstance(item, str):
                found.append(item)
            else:
                yield item
        asked = (*dict.fromkeys((*found, *kept)),)
        videos: list[Video] = []
        for video in self._by_id(self._videos, asked, Video, purse):
            if not isinstance(video, Video):
                yield video
                continue
            if video.snippet.channel in self._options.channels:
                continue
            if video.id not in kept:
                yield mention_of_video(video)
            videos.append(video)
        oldest = ask.window.end - timedelta(days=self._options.follow_days)
        followed = sorted(
            (v for v in videos if v.snippet.published >= oldest and names_us(v.words, (*ask.phrases, *ask.tags))),
            key=lambda video: video.snippet.published,
            reverse=True,
        )[: self._options.most_followed]
        for video in followed:
            place = _Place(own=False, params={"videoId": video.id}, titles={video.id: video.snippet.title})
            yield from self._under(place, ask, purse)
        yield Bookmark(channel=FOLLOWED, value=" ".join(video.id for video in followed))

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each video or comment as it stands now, or `Gone`; what YouTube leaves out is deleted or private.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, None, self._clock)
        comments = {native_id.partition("/")[2]: native_id for native_id in native_ids if "/" in native_id}
        own = {native_id for native_id in native_ids if "/" not in native_id}
        videos: dict[str, Video] = {}
        wanted = sorted(own | {native_id.partition("/")[0] for native_id in comments.values()})
        for item in self._by_id(self._videos, wanted, Video, purse, gone=True):
            match item:
                case Video():
                    videos[item.id] = item
                    if item.id in own:
                        yield mention_of_video(item)
                case Gone(native_id=native_id) if native_id not in own:
                    pass  # only its comments were ours; they are asked for below
                case _:
                    yield item
        for reply in self._by_id(self._comments, sorted(comments), Comment, purse, gone=True, textFormat="plainText"):
            match reply:
                case Comment():
                    video = comments[reply.id].partition("/")[0]
                    stands = videos.get(video)
                    yield (
                        mention_of_comment(reply, video, stands.snippet.title, self._community(stands))
                        if stands
                        else Gone(source=NAME, native_id=comments[reply.id])
                    )
                case Gone(native_id=native_id):
                    yield Gone(source=NAME, native_id=comments[native_id])
                case _:
                    yield reply

    def _found(self, ask: Ask, purse: Purse) -> Iterator[str | Malformed | Spent]:
        """Yield the ids of videos that a search for each name finds."""
        names = (*quoted(ask.phrases), *(f"#{tag.lstrip('#')}" for tag in ask.tags))
        for name in names[: self._options.most_searches]:
            params = {
                "part": "id",
                "q": name,
                "type": "video",
                "order": "date",
                "publishedAfter": ask.window.start.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "regionCode": self._options.region,
                "maxResults": BATCH,
            }
            for page in self._pages(self._search, params, purse, SEARCH, most=self._options.search_pages):
                if isinstance(page, Page):
                    for item in read(page.items, Found):
                        yield item.id.video if isinstance(item, Found) else item
                else:
                    yield page

    def _under(self, place: _Place, ask: Ask, purse: Purse) -> Iterator[Mention | Malformed | Spent]:
        """Yield the comments of one place, newest thread first, until a whole page is older than the window."""
        params = {
            "part": "snippet,replies",
            "order": "time",
            "textFormat": "plainText",
            "maxResults": COMMENTS,
            **place.params,
        }
        titles = dict(place.titles)
        for page in self._pages(self._threads, params, purse, UNIT, withheld=not place.own):
            if not isinstance(page, Page):
                yield page
                continue
            threads = [*read(page.items, Thread)]
            unknown = {t.snippet.video for t in threads if isinstance(t, Thread)} - {None, *titles}
            communities: dict[str, str] = {}
            for video in self._by_id(self._videos, sorted(filter(None, unknown)), Video, purse):
                if isinstance(video, Video):
                    titles[video.id], communities[video.id] = video.snippet.title, self._community(video)
                else:
                    yield video
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
                    where = thread.snippet.video
                    if where is None:
                        yield Malformed(reason="a comment that stands under no video")
                    elif comment.snippet.author_channel.value not in self._options.channels:
                        yield mention_of_comment(comment, where, titles.get(where, ""), communities.get(where, ""))
            if moments and max(moments) < ask.window.start:
                return

    def _whole(self, thread: Thread, purse: Purse) -> Iterator[Comment | Malformed | Spent]:
        """Yield a thread's comments; only a few answers come along, the others are asked for."""
        yield thread.snippet.top
        if thread.snippet.answers <= len(thread.replies.comments):
            yield from read(thread.replies.comments, Comment)
            return
        params = {"part": "snippet", "parentId": thread.snippet.top.id, "textFormat": "plainText", "maxResults": 100}
        for page in self._pages(self._comments, params, purse, UNIT, withheld=True):
            if isinstance(page, Page):
                yield from read(page.items, Comment)
            else:
                yield page

    def _community(self, video: Video) -> str:
        """Return the name of the channel on which a video stands, if that is our own."""
        return video.snippet.channel_name if video.snippet.channel in self._options.channels else ""
