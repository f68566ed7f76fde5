"""The public privacy notice: what is searched, why, who reads it, how long it is kept, and what a person may ask.

Article 14 of the UK GDPR by publication (PR14); once in plain English, once for children, who may use their rights
as soon as they understand them (PR17), and once as the line for an account's profile. Everything that may change
comes from the live configuration, so that what is published and what is done can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reports import rendering, wording

if TYPE_CHECKING:
    from datetime import date

ICO: Final = "the Information Commissioner's Office (ICO): ico.org.uk/make-a-complaint, phone 0303 123 1113"
BIO_LENGTH: Final = 160
"""Characters that the shortest of the usual profiles has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One place that is searched.

    Attributes:
        name: as people know it.
        days: the most for which its terms let posts be kept; None if they set no limit.
        never_sees: what it never shows us.
        told: whether nothing is searched there: people tell us.
    """

    name: str
    days: int | None
    never_sees: tuple[str, ...]
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeMaterial:
    """Everything that the notice says, from the configuration and the rules.

    Attributes:
        federation: the controller. schools: names in full.
        officer: address of the Data Protection Officer, or where their post is read.
        searched: the sources that are on.
        phrases, tags: what is searched for.
        topics: what posts are sorted into, in words.
        readers: the roles that may read a post. restricted: topics that only the named roles may read.
        days: severity in words -> days for which a post is kept.
        reference, owner, signed, review_due: of the impact assessment; None and "" if there is none.
    """

    federation: str
    schools: tuple[str, ...]
    officer: str
    searched: tuple[Searched, ...]
    phrases: tuple[str, ...]
    tags: tuple[str, ...]
    topics: tuple[str, ...]
    readers: tuple[str, ...]
    restricted: tuple[str, ...]
    days: dict[str, int]
    reference: str = ""
    owner: str = ""
    signed: date | None = None
    review_due: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part: a heading, sentences, and a list under them."""

    heading: str
    text: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """The notice in words, ready to print."""

    title: str
    federation: str
    lead: str
    sections: tuple[Section, ...]


def for_everyone(material: NoticeMaterial) -> NoticeView:
    """Return the notice in plain English."""
    return NoticeView(
        title="How we read public posts about our schools",
        federation=material.federation,
        lead="We look at what people say about our schools in public. This page tells you what we do and why. "
        "It tells you what you can ask of us. Nobody watches day and night. If somebody is in danger, call 999.",
        sections=(
            Section(
                heading="Who we are",
                text=(
                    (
                        f"We are the {material.federation}: {wording.listed(list(material.schools))}. "
                        "We decide what is read and why, so we answer for it. The law calls us the controller."
                    ),
                    f"You can reach our Data Protection Officer at {material.officer}.",
                ),
            ),
            Section(
                heading="What we look for",
                text=(
                    (
                        "We search for the names of our schools. We never search for a person. "
                        "A computer drops posts that are not about our schools. Nothing is kept of those."
                    ),
                    "These are the words that we search for:",
                ),
                points=(*material.phrases, *(f"#{tag}" for tag in material.tags)),
            ),
            _where(material),
            Section(
                heading="What we never do",
                points=(
                    "We do not follow, befriend or look up anybody.",
                    "We do not read private groups, private messages or anything behind a log-in.",
                    "We do not keep a file on anybody, or list what one person writes.",
                    "We do not try to find out who is behind a name.",
                    "We do not take pictures, films or sound.",
                    "We do not guess your age, faith, health, politics or family.",
                    "We do not send posts to any other firm. The work is done on our own machine.",
                ),
            ),
            Section(
                heading="Why we do it",
                text=(
                    (
                        "We read public posts to keep pupils and staff safe, to answer questions "
                        "and to put things right. "
                        "It is part of our public task as schools (UK GDPR, Article 6(1)(e)). "
                        "That task is set by the Education Act 2002, sections 21, 29 and 175, "
                        "the Education and Inspections Act 2006, sections 88 and 89, "
                        "the Counter-Terrorism and Security Act 2015, section 26, "
                        "and the Equality Act 2010, section 149."
                    ),
                    (
                        "Some posts tell of health, faith or a crime. We use them only to keep children safe "
                        "(UK GDPR, Article 9(2)(g); Data Protection Act 2018, Schedule 1, paragraph 18)."
                    ),
                    "You may say what you think of us. Fair comment is welcome. Anger alone never makes a post urgent.",
                ),
            ),
            Section(
                heading="What happens to a post",
                text=(
                    (
                        "Names of accounts are turned into a code at once. The key to that code changes each 30 days. "
                        "The code only tells us how many accounts tell the same story. "
                        "Phone numbers, e-mail addresses and home addresses are blanked out."
                    ),
                    (
                        "A computer suggests a topic, a tone and how urgent a post is. A person always decides. "
                        "The computer never replies, reports or blocks. These are the topics:"
                    ),
                ),
                points=material.topics,
            ),
            Section(
                heading="Who reads it",
                text=(
                    f"Only these people do: {wording.listed(list(material.readers))}.",
                    (
                        "Posts on these topics go to the staff who must act, and to nobody else: "
                        f"{wording.listed(list(material.restricted))}. "
                        "Nobody is sent a post that is about themselves. We write down who saw what."
                    ),
                    "If a child may be in danger, we tell the police or children's services, as the law asks us to.",
                ),
            ),
            Section(
                heading="How long we keep it",
                text=(
                    (
                        "If you delete your post, we delete our copy when we next check. "
                        "Then these are the longest times for which we keep a post:"
                    ),
                ),
                points=(
                    *(f"{name}: {wording.counted(days, 'day')}" for name, days in material.days.items()),
                    *(
                        f"from {one.name}: no more than {wording.counted(one.days, 'day')}"
                        for one in material.searched
                        if one.days is not None
                    ),
                    "a record of who did what, without any words of a post: 12 months",
                ),
            ),
            Section(
                heading="If we must keep a post for longer",
                text=(
                    (
                        "Our safeguarding lead, our Data Protection Officer or the police may ask us to keep a post. "
                        "They must give a reason and a last day. Then it goes."
                    ),
                ),
            ),
            Section(
                heading="What you can ask",
                text=(
                    (
                        f"Write to {material.officer}. Tell us the address of the post, or your own account name. "
                        "We turn the name into a code at once and do not keep it. "
                        "We answer within one month. It is free."
                    ),
                    "Children have the same rights. There is no age limit. What counts is that you understand.",
                ),
                points=(
                    "See what we keep about your post.",
                    "Have it put right, or deleted.",
                    "Have us stop using it while we look into it.",
                    "Say no: then we drop all you post about us, unread.",
                ),
            ),
            Section(
                heading="If you are not happy",
                text=(
                    (
                        f"Tell us first, at {material.officer}. We confirm within 30 days that we have your complaint. "
                        f"You can also go to {ICO}."
                    ),
                ),
            ),
            _checked(material),
        ),
    )


def for_children(material: NoticeMaterial) -> NoticeView:
    """Return the notice for children: short words, short sentences."""
    places = [one.name.split(" (")[0] for one in material.searched if not one.told]
    told = " Or somebody tells us what they saw." if any(one.told for one in material.searched) else ""
    longest = max(material.days.values())
    return NoticeView(
        title="Do we read your posts?",
        federation=material.federation,
        lead="Sometimes. Here is how it works. If you are in danger, call 999. "
        "If you are sad or scared, call Childline on 0800 1111. Both calls are free.",
        sections=(
            Section(
                heading="What do you read?",
                text=(
                    (
                        "We look for posts that name our schools. We only see what all the world can see. "
                        "We do not look for you. We do not look for any one person."
                    ),
                    (f"We look here: {wording.listed(places)}." if places else "We do not look anywhere yet.") + told,
                ),
            ),
            Section(
                heading="What do you not do?",
                points=(
                    "We do not read your chats or your private groups.",
                    "We do not follow you.",
                    "We do not take your photos or videos.",
                    "We do not try to find out who you are.",
                    "We do not tell you off for saying what you think of school.",
                ),
            ),
            Section(
                heading="Why do you do it?",
                text=(
                    "We want you to be safe. We want to fix what is wrong at school. The law says that we must care.",
                ),
            ),
            Section(
                heading="Who sees my post?",
                text=(
                    (
                        "A few adults at school. It is their job. A computer helps to sort the posts. "
                        "It can be wrong, so a person always decides."
                    ),
                    "Posts about harm to a child go to the adult who keeps children safe, and not to other staff.",
                ),
            ),
            Section(
                heading="How long do you keep it?",
                text=(
                    (
                        f"Not for long. The longest is {longest} days. "
                        "If you delete your post, we delete our copy too. "
                        "If the police need a post, we may keep it for a bit more."
                    ),
                ),
            ),
            Section(
                heading="What can I ask?",
                text=(
                    (
                        f"You can write to {material.officer}. You can ask a parent or a teacher to help you. "
                        "You do not have to be a certain age. It costs nothing. You can say:"
                    ),
                ),
                points=(
                    "Show me what you have.",
                    "Delete it.",
                    "Stop reading what I post.",
                    "You got it wrong.",
                ),
            ),
            Section(
                heading="What if I am not happy?",
                text=(
                    (
                        "Tell us. We must listen to you. You can also tell the ICO. "
                        "It looks after rights like these for all of us. Its web page is ico.org.uk."
                    ),
                ),
            ),
        ),
    )


def bio(material: NoticeMaterial) -> str:
    """Return the line for an account's profile (policy 2.3: not monitored day and night), at most 160 characters."""
    said = "We read public posts about our schools: see our privacy notice. Not monitored 24/7. In danger? Call 999."
    with_contact = f"{said} {material.officer}"
    return with_contact if len(with_contact) <= BIO_LENGTH else said


def markdown(view: NoticeView) -> str:
    """Return the notice as Markdown."""
    return rendering.text("notice.md.txt.j2", view)


def html(view: NoticeView) -> str:
    """Return the notice as one complete web page, with no script and nothing that is fetched."""
    return rendering.page("notice.html.j2", view)


def _where(material: NoticeMaterial) -> Section:
    """Return where we look, and what we cannot see there."""
    if not material.searched:
        return Section(heading="Where we look", text=("We do not look anywhere yet.",))
    text = ["We look in these places, at what all the world can see. We look nowhere else."]
    if any(one.told for one in material.searched):
        text.append("Staff, parents and pupils may also tell us, in their own words, what they saw somewhere else.")
    return Section(
        heading="Where we look",
        text=tuple(text),
        points=tuple(
            f"{one.name}" + (f"; never {wording.listed(list(one.never_sees))}" if one.never_sees else "")
            for one in material.searched
            if not one.told
        ),
    )


def _checked(material: NoticeMaterial) -> Section:
    """Return who looked at the risks, and when they look again."""
    if material.signed is None or material.review_due is None:
        return Section(
            heading="Who checks us",
            text=("Nothing is read yet. We first have to look at the risks, and our Data Protection Officer too.",),
        )
    return Section(
        heading="Who checks us",
        text=(
            (
                f"We looked at the risks before we began (impact assessment {material.reference}, {material.owner}, "
                f"signed on {material.signed:%d %B %Y}). "
                f"We look again by {material.review_due:%d %B %Y}. If we do not, all reading stops on that day."
            ),
            "Our governors look at the need, the words and the numbers each term.",
        ),
    )
