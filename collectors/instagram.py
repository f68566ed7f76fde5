"""Instagram: posts that tag the schools' own accounts, and comments on what these accounts post.

Graph API `/ACCOUNT/tags`, `/ACCOUNT/media` with its comments, and, for the re-check, `/ID`
(developers.facebook.com/docs/instagram-platform). Hashtags are searched only where an App Review of
"Instagram Public Content Access" is recorded; they show the last 24 hours. Pictures and videos are never
fetched: neither their addresses nor their authors' names are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from collectors._graph import CALL, MOST_PAGES, AccountId, Missing, NodeId, Page, items_of
from collectors._meta import KEPT, MetaReader, OwnOptions, still_listed
from collectors._purse import Purse
from collectors._words import Words
from monitor.addresses import is_web
from monitor.records import Gone, Malformed, Mention, Spent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from monitor.records import Ask, Yielded

NAME: Final = "instagram"
SECRETS: Final = ("INSTAGRAM_TOKEN",)
POST: Final = "id,caption,permalink,timestamp"
COMMENT: Final = "id,text,timestamp,user"
"""`user` stands only on what the asking account itself wrote."""
THREAD: Final = f"{COMMENT},replies.limit(50){{{COMMENT}}}"
MOST_HASHTAGS: Final = 30
"""How many different hashtags an account may search for in seven days."""


class Options(OwnOptions):
    """`[sources.instagram]`.

    Attributes:
        accounts: ids of our own professional accounts.
        hashtag_review: the recorded App Review of "Instagram Public Content Access" (app id and date);
            without it no hashtag is searched.
    """

    accounts: tuple[AccountId, ...] = ()
    hashtag_review: str = ""

    def missing(self) -> str:
        """Return what must still be configured."""
        return "" if self.accounts else "no account is named: give the ids of our own accounts in accounts"


class Instagram(MetaReader[Options]):
    """Reads our own accounts, and hashtags after a review."""

    name = NAME
    secret = SECRETS[0]
    why = "Instagram shows our own accounts to their managers alone"
    parts = "accounts and hashtags"

    def recheck(
        self, native_ids: Sequence[str], allowance: Spent | None = None
    ) -> Iterator[Mention | Gone | Malformed | Spent]:
        """Yield each post or comment as it stands now, or `Gone`.

        Somebody else's post that tags us is shown in the list of tags, so that is read first; what neither
        stands there nor is shown by id can no longer be checked, and what cannot be checked is not kept. An
        account that cannot be read at all is an error, and makes nothing gone.

        Raises:
            SourceError: see `monitor.errors`.
        """
        purse = Purse(NAME, allowance, self._clock)
        waiting = set(native_ids)
        for number in self._options.accounts:
            purse.need(CALL)
            account = self._opened(number)
            yield purse.pay(CALL)
            yield from still_listed(self._tags(account, purse, self._clock() - KEPT), waiting)
        for native_id in sorted(waiting):
            purse.need(CALL)
            yield self._again(native_id)
            yield purse.pay(CALL)

    def _again(self, native_id: str) -> Mention | Gone | Malformed:
        """Ask for one post or comment."""
        media, _, comment = native_id.partition("/")
        found = self._graph.again(comment, _Comment, COMMENT) if comment else self._graph.again(media, _Post, POST)
        match found:
            case _Comment():
                return found.mention(media)
            case _Post():
                return found.mention("", channel="hashtag")
            case None:
                return Gone(source=NAME, native_id=native_id)
            case _:
                return found

    def _shelves(self, ask: Ask, purse: Purse) -> dict[str, Iterator[Yielded]]:
        """Return each account by number, and each hashtag by name."""
        shelves = {number: self._account(number, ask, purse) for number in self._options.accounts}
        if self._options.hashtag_review and self._options.accounts:
            tags = dict.fromkeys(tag.lstrip("#") for tag in ask.tags[:MOST_HASHTAGS])
            shelves |= {f"#{tag}": self._hashtag(tag, purse) for tag in tags}
        return shelves

    def _account(self, number: str, ask: Ask, purse: Purse) -> Iterator[Yielded]:
        """Yield everything of one account."""
        purse.need(CALL)
        account = self._opened(number)
        yield purse.pay(CALL)
        yield from self._tags(account, purse, ask.window.start)
        back_to = self._options.followed_from(ask.window)
        params: dict[str, str | int] = {
            "fields": f"id,permalink,timestamp,comments.limit(50){{{THREAD}}}",
            "limit": 25,
        }
        for media in self._graph.read(f"{number}/media", _Post, params, purse, back_to=back_to):
            if isinstance(media, _Post):
                yield from self._comments(account, media, ask, purse)
            else:
                yield media

    def _tags(self, account: _Account, purse: Purse, back_to: datetime) -> Iterator[Mention | Malformed | Spent]:
        """Yield posts that tag an account."""
        for post in self._graph.read(
            f"{account.id}/tags", _Post, {"fields": POST, "limit": 50}, purse, back_to=back_to
        ):
            yield post.mention(account.title, channel="tagged") if isinstance(post, _Post) else post

    def _comments(
        self, account: _Account, media: _Post, ask: Ask, purse: Purse
    ) -> Iterator[Mention | Malformed | Spent]:
        """Yield the comments on one of our posts, and the answers to them: what came along, and further pages."""
        if media.comments is None:
            return
        try:
            for comment in self._thread(f"{media.id}/comments", THREAD, media.comments, ask, purse):
                if not isinstance(comment, _Comment):
                    yield comment
                    continue
                yield from comment.words(media, account.title)
                if comment.replies is None:
                    continue
                for reply in self._thread(f"{comment.id}/replies", COMMENT, comment.replies, ask, purse):
                    if isinstance(reply, _Comment):
                        yield from reply.words(media, account.title, parent=comment.id)
                    else:
                        yield reply
        except Missing:
            return  # the post or comment went while we read

    def _thread(
        self, path: str, fields: str, begun: Page, ask: Ask, purse: Purse
    ) -> Iterator[_Comment | Malformed | Spent]:
        """Yield a list of comments of which the first page came along."""
        params: dict[str, str | int] = {"fields": fields, "limit": 50}
        return self._graph.read(path, _Comment, params, purse, back_to=ask.window.start, begun=begun)

    def _hashtag(self, tag: str, purse: Purse) -> Iterator[Yielded]:
        """Yield what stands under a hashtag, in no order.

        Every page comes with the same cursor, which all the same leads on
        (.../instagram-graph-api/reference/ig-hashtag/recent-media): the end is a page without news.
        """
        user = self._options.accounts[0]
        purse.need(CALL)
        try:
            found = self._graph.page("ig_hashtag_search", user_id=user, q=tag)
        except Missing:
            yield purse.pay(CALL)
            return  # nobody has used it yet
        yield purse.pay(CALL)
        for hashtag in items_of(found, _Hashtag):
            if isinstance(hashtag, _Hashtag):
                yield from self._recent(hashtag, user, purse)
            else:
                yield hashtag

    def _recent(self, hashtag: _Hashtag, user: str, purse: Purse) -> Iterator[Yielded]:
        """Yield what was posted under a hashtag in the last 24 hours."""
        seen: set[str] = set()
        cursor = ""
        for _ in range(MOST_PAGES):
            purse.need(CALL)
            after = {"after": cursor} if cursor else {}
            page = self._graph.page(f"{hashtag.id}/recent_media", user_id=user, fields=POST, limit=50, **after)
            yield purse.pay(CALL)
            before = len(seen)
            for post in items_of(page, _Post):
                if isinstance(post, _Post):
                    seen.add(post.id)
                    yield post.mention("", channel="hashtag")
                else:
                    yield post
            cursor = page.paging.cursors.after
            if not cursor or len(seen) == before:
                return
        yield Malformed(reason=f"a hashtag with more than {MOST_PAGES} pages: what lies behind them is not read")

    def _opened(self, number: str) -> _Account:
        """Return an account of ours.

        Raises:
            Missing: there is no such account, or it is not ours.
            SourceError: see `monitor.errors`.
        """
        return self._graph.one(number, _Account, "an account", fields="id,username,name")


collector = Instagram


class _Account(BaseModel):
    """One of our own accounts."""

    id: AccountId
    username: Words = ""
    name: Words = ""

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or self.username


class _Hashtag(BaseModel):
    """A hashtag's number."""

    id: AccountId


class _Post(BaseModel):
    """A post, ours or somebody's; its picture is not looked at."""

    id: NodeId
    published: AwareDatetime = Field(alias="timestamp")
    caption: Words = ""
    permalink: Words = ""
    comments: Page | None = None

    def mention(self, community: str, *, channel: str) -> Mention | Malformed:
        """Return it as a mention; a picture without words is counted."""
        if not self.caption:
            return Malformed(reason="a post without words")
        return Mention(
            source=NAME,
            native_id=self.id,
            url=self.permalink if is_web(self.permalink) else "",
            text=self.caption,
            published=self.published,
            community=community,
            channel=channel,
        )


class _Comment(BaseModel):
    """A comment, or an answer to one."""

    id: NodeId
    published: AwareDatetime = Field(alias="timestamp")
    text: Words = ""
    user: Any = None
    replies: Page | None = None

    def words(self, media: _Post, community: str, *, parent: str = "") -> Iterator[Mention | Malformed]:
        """Yield it as a mention, unless the account itself wrote it."""
        if self.user is None:
            yield self.mention(media.id, url=media.permalink, community=community, parent=parent)

    def mention(self, media: str, *, url: str = "", community: str = "", parent: str = "") -> Mention | Malformed:
        """Return it as a mention; its key is "POST/COMMENT", because by id a comment is asked for differently."""
        if not self.text:
            return Malformed(reason="a comment without words")
        return Mention(
            source=NAME,
            native_id=f"{media}/{self.id}",
            url=url if is_web(url) else "",
            text=self.text,
            published=self.published,
            community=community,
            channel="comments",
            in_reply_to=f"{media}/{parent}" if parent else media,
        )
