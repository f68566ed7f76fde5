"""Names of persons go, the words that told of them stay, and so does what is no name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.given_names import GIVEN_NAMES
from monitor.masking import masked
from monitor.names import MASK, without_names
from monitor.policy import folder
from monitor.policy.left_alone import left_alone
from reports.quoting import unnamed

KEEP = left_alone(folder.load())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mr Penrose", "Mr [name]"),
        ("mr penrose's class", "mr [name]'s class"),
        ("Mr and Mrs Penrose said", "Mr and Mrs [name] said"),
        ("Mrs. Ottilie Penrose-Hall is here", "Mrs. [name] is here"),
        ("Mr J. P. Penrose", "Mr [name]"),
        ("Mr van der Penrose", "Mr [name]"),
        ("Mr O\u2019Penrose\u2019s room", "Mr [name]\u2019s room"),
        ("MR PENROSE IS LATE", "MR [name] IS LATE"),
        ("Miss Penrose and Sir Penrose", "Miss [name] and Sir [name]"),
        ("teacher Miss Penrose", "teacher Miss [name]"),
        ("dr penrose, Rev. Penrose, Prof Penrose", "dr [name], Rev. [name], Prof [name]"),
        ("my son Tobias is", "my son [name] is"),
        ("my son, Tobias, is", "my son, [name], is"),
        ("my daughter Ottilie Penrose, year 9", "my daughter [name], year 9"),
        ("a boy called Łukasz and a girl named Zoë", "a boy called [name] and a girl named [name]"),
        ("his name is Tobias Penrose.", "his name is [name]."),
        ("head teacher Ottilie Penrose resigned", "head teacher [name] resigned"),
        ("year 9 pupil Tobias Penrose", "year 9 pupil [name]"),
        ("words by Tobias Penrose", "words by [name]"),
        ("Miss Penrose King James's School", "Miss [name] King James's School"),
        ("Miss King, Mr James and Mrs Ripon", "Miss [name], Mr [name] and Mrs [name]"),
        ("my lad James at King James's", "my lad [name] at King James's"),
    ],
)
def test_a_name_is_replaced_and_the_word_before_it_stays(text: str, shown: str) -> None:
    assert without_names(text, KEEP) == shown
    assert masked(text, KEEP) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a school called King James's, and St James in town",
        "at Aspin, named Aspin Park, and called Knaresborough",
        "by King James's School, by Boroughbridge High, by Tuesday, by Harrogate Grammar",
        "Dr Barnardo's, Dr Martens, Mother Shipton's Cave",
        "Mr and Mrs alone",
        "Miss you all, MISS YOU SO MUCH, miss King James's",
        "Sir, Penrose is a place",
        "thanks Miss That was great. sorry sir Why do we",
        "my lad KJS, the BHS girl",
        "Boy Stabbed Outside School. Teacher Jailed",
        "the head LIED, my son STABBED",
        "Mr Paedo, Miss Nonce",
        "called Ofsted, named Childline",
        "Head of Year, Head Boy, Head Teacher",
    ],
)
def test_what_is_no_name_stays(text: str) -> None:
    assert without_names(text, KEEP) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Callum Hargreaves hit my son", "[name] hit my son"),
        ("was it Sophie? Ask Ella-May\u2019s mum", "was it [name]? Ask [name]\u2019s mum"),
        ("St Mary's is out, so is Mary", "St Mary's is out, so is [name]"),
        ("George Street is flooded, meet at George's", "George Street is flooded, meet at [name]'s"),
        ("Emily thanks the King James's staff", "[name] thanks the King James's staff"),
        ("Sam Stabbed Outside School", "[name] Stabbed Outside School"),
    ],
)
def test_a_common_given_name_is_known_where_it_stands_alone(text: str, shown: str) -> None:
    assert without_names(text, KEEP) == shown
    assert masked(text, KEEP) == shown


@pytest.mark.parametrize(
    "text",
    [
        "St Aidan's, St. David's Day, Saint George, King Charles and Queen Elizabeth",
        "Alice Hall, Henry Park, Martin's Lane, Edith Primary",
        "#Callum, callum, CALLUM and http://x.example/Callum",
        "LeBron James, Etta James and King James",
    ],
)
def test_saints_kings_streets_and_what_is_not_written_as_a_name_stay(text: str) -> None:
    assert without_names(text, KEEP) == text


@given(st.sampled_from(sorted(GIVEN_NAMES)), st.sampled_from(["{} was there", "ask {}, please", "it was {}", "({})"]))
def test_no_common_given_name_is_left(name: str, sentence: str) -> None:
    assert name not in masked(sentence.format(name.title()), KEEP).casefold().split()
    assert MASK in masked(sentence.format(name.title()), KEEP)


def test_a_handle_that_is_the_schools_tag_is_nobodys_and_tells_which_school_is_meant() -> None:
    assert masked("Look, @KJSKnaresborough, says @kjsknaresborough_pat", KEEP) == (
        "Look, @KJSKnaresborough, says @[account]"
    )


def test_a_quotation_keeps_the_title_and_drops_the_name() -> None:
    assert unnamed("I told Mrs Penrose that my son Tobias waits") == "I told Mrs [name] that my son [name] waits"


TOLD = st.sampled_from(
    ["Mr", "Mrs.", "Ms", "Miss", "Sir", "Dr", "Prof", "my son", "our daughter", "my lad", "her brother", "his mum",
     "a boy called", "someone named", "the head teacher", "year 9 pupil", "my son,", "her name is", "Mr and Mrs"]
)  # fmt: skip
INVENTED = st.sampled_from(["Tobias", "Ottilie", "Penrose", "Wrenfield", "Ashdown-Quill", "O'Quill", "Żaneta"])
WORDS = st.sampled_from(
    ["Mr", "miss", "son", "called", "by", "King James's", "Penrose", "J.", "de", "[name]", "Stabbed", "St", "'", "-",
     ",", "\n", "IS", "the", "Year 9", "head teacher", "@x", "12 High Street"]
)  # fmt: skip


@given(
    told=TOLD, name=st.lists(INVENTED, min_size=1, max_size=3).map(" ".join), after=st.sampled_from([".", " is", "'s"])
)
def test_no_name_is_left_after_a_title_or_a_kinship_word(told: str, name: str, after: str) -> None:
    said = f"At King James's School {told} {name}{after} said so"
    for shown in (masked(said, KEEP), masked(said), unnamed(said)):
        assert not set(name.replace("-", " ").split()) & set(shown.replace("-", " ").replace("'s", "").split())
        assert told in shown


@given(st.lists(WORDS | st.text(max_size=4), max_size=25).map(" ".join))
def test_what_has_no_names_any_more_stays_as_it_is(text: str) -> None:
    for keep in (KEEP, frozenset[str]()):
        once = masked(masked(text, keep), keep)
        assert masked(once, keep) == once


@pytest.mark.parametrize(
    "hostile",
    ["mr ", "mr", "son, ", "by A", "J.", "Mr J. ", "called ", "Mr A-", "King ", "mr    ", "Sam ", "St Sam", "Sa-"],
)
def test_a_long_hostile_text_comes_back(hostile: str) -> None:
    text = hostile * (60_000 // len(hostile))
    assert len(without_names(text, KEEP)) <= 3 * len(text)
