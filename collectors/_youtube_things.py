"""YouTube's wire format: videos, comment threads and comments, read without trust.

Field names: developers.google.com/youtube/v3/docs. Only text and times are read, no picture and no count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError

from collectors._words import Words
from monitor.records import Malformed, Mention

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

SOURCE: Final = "youtube"
VIDEO_ID: Final = r"[A-Za-z0-9_-]{11}"
COMMENT_ID: Final = r"[A-Za-z0-9_-]{12,80}(\.[A-Za-z0-9_-]{1,80})?"

VideoId = Annotated[str, Field(pattern=f"^{VIDEO_ID}$")]
CommentId = Annotated[str, Field(pattern=f"^{COMMENT_ID}$")]


def _not_empty(text: str) -> str:
    """Refuse a post without words."""
    if not text:
        problem = "no words"
        raise ValueError(problem)
    return text


_Said = Annotated[Words, AfterValidator(_not_empty)]  # a length in Field would refuse half characters
Thing = TypeVar("Thing", bound=BaseModel)


class Page(BaseModel):
    """One answer: its items, unread, and the cursor to the next page, "" on the last."""

    items: list[Any]
    cursor: str = Field(default="", alias="nextPageToken")


class _FoundId(BaseModel):
    """What was found, by id."""

    video: VideoId = Field(alias="videoId")


class Found(BaseModel):
    """One result of a search; its words are asked for by id, where they come whole and without HTML escapes."""

    id: _FoundId


class _VideoWords(BaseModel):
    """What is told of a video."""

    published: AwareDatetime = Field(alias="publishedAt")
    title: _Said
    description: Words = ""
    channel: str = Field(default="", alias="channelId")
    channel_name: Words = Field(default="", alias="channelTitle")
    tags: list[Words] = []
    language: str = Field(default="", alias="defaultAudioLanguage")


class Video(BaseModel):
    """One video."""

    id: VideoId
    snippet: _VideoWords

    @property
    def words(self) -> str:
        """All that its maker wrote."""
        return "\n".join((self.snippet.title, self.snippet.description, *self.snippet.tags))


class _Author(BaseModel):
    """Whose a comment is."""

    value: str = ""


class _CommentWords(BaseModel):
    """What is told of a comment."""

    text: _Said = Field(alias="textDisplay")
    published: AwareDatetime = Field(alias="publishedAt")
    updated: AwareDatetime | None = Field(default=None, alias="updatedAt")
    author: Words = Field(default="", alias="authorDisplayName")
    author_channel: _Author = Field(default=_Author(), alias="authorChannelId")
    parent: CommentId | None = Field(default=None, alias="parentId")


class Comment(BaseModel):
    """One comment or answer to a comment."""

    id: CommentId
    snippet: _CommentWords

    @property
    def published(self) -> datetime:
        """When it was written."""
        return self.snippet.published


class _ThreadTop(BaseModel):
    """A thread's first comment and where it stands."""

    video: VideoId = Field(alias="videoId")
    top: Comment = Field(alias="topLevelComment")
    answers: int = Field(default=0, alias="totalReplyCount")


class _Answers(BaseModel):
    """The few answers that come along with a thread."""

    comments: list[Any] = []


class Thread(BaseModel):
    """A comment with the newest of its answers."""

    snippet: _ThreadTop
    replies: _Answers = _Answers()


ById = TypeVar("ById", Video, Comment)
"""What can be asked for by id."""


def read(wires: list[Any], model: type[Thing]) -> Iterator[Thing | Malformed]:
    """Yield each item as a `model`, or what is wrong with it: place and kind, never its content."""
    for wire in wires:
        try:
            yield model.model_validate(wire)
        except ValidationError as error:
            yield Malformed(reason=what_is_wrong(error))


def mention_of_video(video: Video) -> Mention:
    """Return a video as a mention; who made it is known by the name of the channel."""
    words = video.snippet
    return Mention(
        source=SOURCE,
        native_id=video.id,
        url=f"https://www.youtube.com/watch?v={video.id}",
        text=words.description or words.title,
        published=words.published,
        title=words.title,
        channel="search",  # the words searched for name the schools: as a channel they would be evidence
        author=words.channel_name,
        language=words.language if re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", words.language) else "",
    )


def mention_of_comment(comment: Comment, video: str, *, title: str, community: str) -> Mention:
    """Return a comment as a mention; its key is "VIDEO/COMMENT", because asked for by id it names no video.

    Args:
        comment: the comment.
        video: id of the video it stands under.
        title: that video's title.
        community: name of the channel, where it is our own; anybody else's would name a person.
    """
    words = comment.snippet
    return Mention(
        source=SOURCE,
        native_id=f"{video}/{comment.id}",
        url=f"https://www.youtube.com/watch?v={video}&lc={comment.id}",
        text=words.text,
        published=words.published,
        title=title,
        community=community,
        channel="comments",
        author=words.author,
        in_reply_to=f"{video}/{words.parent}" if words.parent else video,
        edited=words.updated if words.updated and words.updated > words.published else None,
    )


def what_is_wrong(error: ValidationError) -> str:
    """Return place and kind of the first thing that is wrong, never its content."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}"
