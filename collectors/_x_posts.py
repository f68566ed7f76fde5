"""X's wire format: pages of posts in either generation of names, read without trust.

Field names: docs.x.com/x-api/posts (tweets, as recorded and as tweepy asks) and X's OpenAPI description 2.167
(posts).
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AliasChoices, AwareDatetime, BaseModel, BeforeValidator, Field, ValidationError

from collectors._words import Words
from monitor.records import Gone, Malformed, Mention

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = "x"
SNOWFLAKE_START: Final = 1_288_834_974_657
"""Milliseconds since 1970 at which X's numbering begins; an id's clock stands above its lowest 22 bits."""
HERE: Final = frozenset({"GB", "XX", "XY"})
"""Country codes under which X withholds a post from us: this country's, and the two that mean every country."""


def born(post_id: str) -> datetime:
    """Return when a post was written, which X's numbers tell to the millisecond."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + SNOWFLAKE_START) / 1000, tz=UTC)


def mention_of(post: Post) -> Mention | Gone:
    """Return a post as a mention; every version of an edited post has the first version's id as its key.

    `Gone` if X withholds it in this country: then nobody here may be shown it.
    """
    first = post.first_id
    if post.withheld and post.withheld.here:
        return Gone(source=SOURCE, native_id=first)
    edited = first != post.id
    words = post.note.text if post.note else post.text
    parents = [other.id for other in post.referenced if other.type == "replied_to"]
    originals = [other.id for other in post.referenced if other.type in {"retweeted", "reposted"}]
    return Mention(
        source=SOURCE,
        native_id=first,
        url=f"https://x.com/i/web/status/{first}",
        text=html.unescape(words),
        published=min(born(first), post.created_at) if edited else post.created_at,
        channel="search",  # the query names the schools: as a channel it would look like evidence
        author=post.author_id,
        language="" if post.lang[:1] == "q" or post.lang in {"und", "zxx", "art"} else post.lang,
        in_reply_to=parents[0] if parents else None,
        repost_of=originals[0] if originals else None,
        edited=post.created_at if edited else None,
    )


def _none_is_empty(value: Any) -> Any:  # noqa: ANN401 - whatever the wire holds
    """Read null as an empty list."""
    return [] if value is None else value


PostId = Annotated[str, Field(pattern=r"^[0-9]{1,19}$")]


class _Reference(BaseModel):
    """Another post that a post answers, quotes or repeats."""

    type: str = ""
    id: PostId


class _Note(BaseModel):
    """The whole text of a long post, of which `text` holds the beginning."""

    text: Words


class _Withheld(BaseModel):
    """Where X shows a post to nobody: for a claim of copyright, or by the law of some countries."""

    copyright: bool = False
    countries: Annotated[list[str], BeforeValidator(_none_is_empty)] = Field(default=[], alias="country_codes")

    @property
    def here(self) -> bool:
        """Whether that is so in this country."""
        return self.copyright or not HERE.isdisjoint(self.countries)


class Post(BaseModel):
    """One post, in either generation of names."""

    id: PostId
    text: Words
    created_at: AwareDatetime
    author_id: str = ""
    lang: str = ""
    history: Annotated[list[PostId], BeforeValidator(_none_is_empty)] = Field(
        default=[], validation_alias=AliasChoices("edit_history_tweet_ids", "edit_history_post_ids")
    )
    referenced: Annotated[list[_Reference], BeforeValidator(_none_is_empty)] = Field(
        default=[], validation_alias=AliasChoices("referenced_tweets", "referenced_posts")
    )
    withheld: _Withheld | None = None
    note: _Note | None = Field(default=None, validation_alias=AliasChoices("note_tweet", "note_post"))

    @property
    def first_id(self) -> str:
        """The id that stays the same through every edit."""
        return min((self.id, *self.history), key=int)

    @property
    def latest_id(self) -> str:
        """The newest version's id."""
        return max((self.id, *self.history), key=int)


class Problem(BaseModel):
    """A partial error inside a good answer."""

    type: str = ""
    resource_type: str = ""
    resource_id: str = ""
    value: str = ""

    def read(self) -> Gone | Malformed:
        """Return what it means for us: a deleted or protected post is gone, the rest is counted."""
        post_id = self.resource_id or self.value
        kind = self.type.rpartition("/")[2]
        if (
            kind in {"resource-not-found", "not-authorized-for-resource"}
            and self.resource_type in {"tweet", "post"}
            and re.fullmatch("[0-9]{1,19}", post_id)
        ):
            return Gone(source=SOURCE, native_id=post_id)
        return Malformed(reason=f"X reports an error: {kind[:60] or 'unnamed'}")


class _Meta(BaseModel):
    """A page's count and its cursor, "" on the last page."""

    result_count: int = 0
    next_token: str = ""


class _Includes(BaseModel):
    """What came along with the posts."""

    posts: list[Any] = Field(default=[], validation_alias=AliasChoices("tweets", "posts"))


class Page(BaseModel):
    """One answer; without a result X leaves `data` out."""

    data: list[Any] | None = None
    errors: list[Any] | None = None
    includes: _Includes = _Includes()
    meta: _Meta | None = None

    def items(self) -> Iterator[Post | Gone | Malformed]:
        """Yield each post and each partial error; what cannot be read is counted, and the rest goes on."""
        for wire in self.data or ():
            try:
                yield Post.model_validate(wire)
            except ValidationError as error:
                yield Malformed(reason=what_is_wrong(error))
        for wire in self.errors or ():
            try:
                yield Problem.model_validate(wire).read()
            except ValidationError as error:
                yield Malformed(reason=what_is_wrong(error))


def what_is_wrong(error: ValidationError) -> str:
    """Return place and kind of the first thing that is wrong, never its content."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'item'}: {first['type']}"
