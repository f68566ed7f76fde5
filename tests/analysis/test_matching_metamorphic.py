"""What may be done to a post without changing what it is about, and what changes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.matching import Decision, Gate, Post
from monitor.policy.schools import Schools
from monitor.records import Relevance

if TYPE_CHECKING:
    from collections.abc import Callable

GATE = Gate(Schools.read(Path(__file__).parents[2] / "policy" / "schools.toml"))

POSTS = (
    "Massive thanks to the staff at Boroughbridge High School for getting my lad through his GCSEs",
    "the beef burgers in the boroughbridge high canteen r bare good today ngl",
    "Half the boys' toilets at King James's in Knaresborough locked AGAIN",
    "KJS kid just got jumped at Knaresborough bus station",
    "if ur at king james tmrw stay home. knaresborough gonna be on the news",
    "lol our form tutor is such a melt #boroughbridgehigh",
    "Both schools in the federation, Boroughbridge and KJS: no reply to any email",
    "KJS toilets locked again smh",
    "That school in Boroughbridge wants looking into. My kid comes home crying.",
    "King James's School in Almondbury sent 40 kids home over shoes. Disgrace.",
    "King James just dropped 41 on Boston, absolutely killed it",
    "Reading Psalm 23 in the King James tonight. Old school.",
    "BHS Stage 3 coaches at our riding day in Boroughbridge, so proud",
    "BHS head wants sacking",
    "Crash on King James Road, Knaresborough. Avoid, traffic back to the A59",
    "Boroughbridge school fete raised money, well done our Year 6 leavers!",
)
EMOJI = (
    "\U0001f602",
    "\U0001f525",
    "\U0001f40e",
    "\U0001f1ec\U0001f1e7",
    "\u2764\ufe0f",
    "\U0001f469\u200d\U0001f467",
)
ADDRESSES = (
    "https://t.co/kJsBhS1",
    "http://example.org/a_b#KJSKnaresborough",
    "www.example.org/king-james/almondbury",
)

posts = st.sampled_from(POSTS)


def about(text: str) -> tuple[Relevance, tuple[str, ...]]:
    decision: Decision = GATE.decide(Post(text=text))
    return decision.relevant, decision.schools


def between_words(sign: str) -> Callable[[str], str]:
    return lambda text: sign.join(text.split(" "))


@given(posts, st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_case_does_not_matter(text: str, changed: Callable[[str], str]) -> None:
    assert about(changed(text)) == about(text)


@given(posts, st.sampled_from(["", "\u2019", "\u2018", "`", "\u00b4", "\u02bc", "\uff07"]))
def test_apostrophes_do_not_matter(text: str, apostrophe: str) -> None:
    assert about(text.replace("'", apostrophe)) == about(text)


@given(posts, st.sampled_from(["  ", "\t", "\n", "\u00a0", " \u200b", "\u2003", "\r\n"]))
def test_spacing_does_not_matter(text: str, space: str) -> None:
    assert about(between_words(space)(text)) == about(text)


@settings(max_examples=200)
@given(posts, st.sampled_from(EMOJI), st.integers(0, 20))
def test_emoji_do_not_matter(text: str, emoji: str, where: int) -> None:
    words = text.split(" ")
    words.insert(where % (len(words) + 1), emoji)

    assert about(" ".join(words)) == about(text)


@given(posts, st.sampled_from(ADDRESSES), st.booleans())
def test_web_addresses_do_not_matter(text: str, address: str, first: bool) -> None:  # noqa: FBT001 - drawn
    assert about(f"{address} {text}" if first else f"{text} {address}") == about(text)


@given(posts, st.sampled_from(["\u200b", "\u00ad", "\u2060", "\ufeff", "\u0336"]), st.integers(1, 4))
def test_what_cannot_be_seen_does_not_matter(text: str, sign: str, every: int) -> None:
    hidden = "".join(char + sign * (place % every == 0) for place, char in enumerate(text))

    assert about(hidden) == about(text)


@given(posts, st.sampled_from([0x1D400, 0x1D5D4, 0x1D670]))
def test_styled_letters_do_not_matter(text: str, bold: int) -> None:
    capitals = {ord("A") + place: bold + place for place in range(26)}
    small = {ord("a") + place: bold + 26 + place for place in range(26)}

    assert about(text.translate(capitals | small)) == about(text)


@given(posts, st.sampled_from(["bloody hell ", "honestly, ", "ngl ", "RT "]))
def test_a_few_words_before_it_do_not_matter(text: str, words: str) -> None:
    assert about(words + text) == about(text)


SWAPPED = (
    "King James's School in {town} sent 40 kids home over shoes",
    "King James' {town} walkout tomorrow, pass it on",
    "Proud to teach at King James's School, {town}",
    "#KingJamesSchool #{town} open evening",
    "{town}: King James's School closed for snow",
)


@given(st.sampled_from(SWAPPED))
def test_the_town_alone_tells_the_two_schools_of_one_name_apart(text: str) -> None:
    assert about(text.format(town="Knaresborough")) == (Relevance.YES, ("KJS",))
    assert about(text.format(town="Almondbury")) == (Relevance.NO, ())


@given(st.sampled_from(["KJS {town} toilets locked", "King James's {town} toilets locked"]))
def test_without_its_town_a_shared_name_is_doubtful(text: str) -> None:
    assert about(text.format(town="Knaresborough"))[0] is Relevance.YES
    assert about(text.format(town=""))[0] is Relevance.UNCERTAIN
