"""Reddit's wire format: listings of posts (t3) and comments (t1), read without trust.

Field names: www.reddit.com/dev/api and github.com/reddit-archive/reddit/wiki/JSON.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, ValidationError

from collectors._words import Words
from monitor.records import Gone, Malformed, Mention

DELETED: Final = frozenset({"[deleted]", "[removed]", "[deleted by user]", "[ removed by reddit ]"})
"""What stands where words were (compared in small letters)."""
LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999."""

Fullname = Annotated[str, Field(pattern=r"^t[1-6]_[0-9a-z]{1,13}$")]
Epoch = Annotated[float, Field(ge=0, le=LAST_SECOND)]


class Thing(BaseModel):
    """A post or a comment, as far as it concerns us."""

    name: Annotated[str, Field(pattern=r"^t[13]_[0-9a-z]{1,13}$")]
    created_utc: Epoch
    subreddit: str = ""
    title: Words = ""
    selftext: Words = ""
    body: Words = ""
    link_title: Words = ""
    link_id: Fullname | None = None
    parent_id: Fullname | None = None
    crosspost_parent: Fullname | None = None
    author: str | None = None
    edited: Annotated[bool, Field(strict=True)] | Epoch | None = None
    removed_by_category: str | None = None

    @property
    def published(self) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(self.created_utc, tz=UTC)


class _Child(BaseModel):
    """One place of a listing."""

    kind: Literal["t1", "t3"]
    data: Thing


class Listing(BaseModel):
    """One page: its places, unread, and the cursor to the next."""

    children: list[Any]
    after: str | None = None

    @classmethod
    def of(cls, answer: object) -> Listing:
        """Return the listing in an answer.

        Raises:
            pydantic.ValidationError: it is not a listing.
        """
        return _Envelope.model_validate(answer).data


class _Envelope(BaseModel):
    """What a listing comes in."""

    kind: Literal["Listing"]
    data: Listing


def read(child: object) -> Thing | Malformed:
    """Return one place of a listing, or what is wrong with it: place and kind, never its content."""
    try:
        return _Child.model_validate(child).data
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return Malformed(reason=f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}")


def mention_or_gone(thing: Thing, source: str, *, channel: str, title: str = "") -> Mention | Gone:
    """Return a thing as a mention, or `Gone` if it was deleted or removed.

    The address is the short one by id: the long one repeats the title, and on people's own pages their name.

    Args:
        thing: post or comment.
        source: the collector's name.
        channel: the listing in which it stood.
        title: of the post that a comment stands under, where the comment itself does not tell.
    """
    comment = thing.name.startswith("t1_")
    text = thing.body if comment else thing.selftext or thing.title  # a link has no words but its title
    marks = {text.strip().lower()} if comment else {text.strip().lower(), thing.title.strip().lower()}
    if thing.removed_by_category is not None or marks & DELETED:
        return Gone(source=source, native_id=thing.name)
    own = thing.name.partition("_")[2]
    post = (thing.link_id or "").partition("_")[2]
    path = f"{post}/_/{own}" if comment and post else own
    edited = thing.edited if isinstance(thing.edited, float) else None
    return Mention(
        source=source,
        native_id=thing.name,
        url=f"https://www.reddit.com/comments/{path}/" if post or not comment else "",
        text=text,
        published=thing.published,
        title=(thing.link_title or title) if comment else thing.title,
        community=f"r/{thing.subreddit}" if thing.subreddit and not thing.subreddit.startswith("u_") else "",
        channel=channel,
        author="" if thing.author in {None, "[deleted]"} else str(thing.author),
        in_reply_to=thing.parent_id if comment else None,
        repost_of=thing.crosspost_parent,
        edited=None if edited is None else datetime.fromtimestamp(edited, tz=UTC),
    )
