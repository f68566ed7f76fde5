from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.matching import Gate, Post
from analysis.matching.phrases import squeeze
from analysis.text import fold
from monitor.policy.schools import Schools
from monitor.records import Relevance

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT.parent / "shared" / "examples" / "posts.jsonl"

YES, NO, UNCERTAIN = Relevance.YES, Relevance.NO, Relevance.UNCERTAIN
GOLD_SCHOOLS = {"NONE": (), "UNKNOWN": (), "FED": ("BHS", "KJS")}

SHORTEST = 2
"""Letters that a phrase keeps at least."""

ALMONDBURY = "King James's School, Almondbury"
BIBLE = "the King James Bible"


@pytest.fixture(scope="module")
def gate() -> Gate:
    return Gate(Schools.read(ROOT / "policy" / "schools.toml"))


def schools_of(gate: Gate, text: str, **around: str) -> tuple[str, ...]:
    """Return the schools of a post that has to be relevant."""
    decision = gate.decide(Post(text=text, **around))
    assert decision.relevant is YES, decision
    return decision.schools


def test_every_example_of_the_policy_comes_out_as_labelled(gate: Gate) -> None:
    if not EXAMPLES.exists():
        pytest.skip("there is no ../shared/examples/posts.jsonl")
    wrong = []
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        source, _, community = row["platform"].partition(":")
        decision = gate.decide(Post(text=row["text"], source=source, community=community))
        gold = (row["relevant"], GOLD_SCHOOLS.get(row["school"], (row["school"],)))
        if (decision.relevant, decision.schools) != gold:
            wrong.append((row["id"], gold, decision))

    assert wrong == []


@pytest.mark.parametrize(
    "name",
    [
        "King James's School in Knaresborough",
        "King James\u2019s, Knaresborough",
        "King James\u02bcs Knaresborough",
        "King James' School (Knaresborough)",
        "King Jamess School, Knaresborough",
        "King James School Knaresborough",
        "Kings James Knaresborough",
        "king jame's school knaresborough",
        "KING JAMES KNARESBOROUGH",
        "King-James-School, Knaresborough",
        "KJS Knaresborough",
        "KJS's canteen, Knaresborough",
        "kj's in knaresborough",
        "K J S in Knaresborough",
        "k.j.s. knaresborough",
        "K-J-S Knaresborough",
        "\U0001d40a\U0001d409\U0001d412 Knaresborough",
        "\uff2b\uff2a\uff33 \uff2bnaresborough",
        "\u24c0\u24d9\u24e2 knaresborough",
        "\u1d0b\u1d0a\ua731 knaresborough",
        "\u041a\u0408\u0405 Knaresborough",
        "K\u200bJ\u200bS Kna\u00adresborough",
        "\u202eKJS\u202c Knaresborough",
        "kjs_exposed, knaresborough",
        "#KJSKnaresborough",
        "#kjsknaresborough",
        "#KingJamesSchoolKnaresborough",
        "#savekingjamesschoolknaresborough",
        "@KJS_Knaresborough",
        "#KJS #Knaresborough",
        "Knaresborough secondary",
        "the only secondary in Knaresborough",
        "Knarsborough King James's School",
        "king james in knaresboro",
        "KJS, HG5 8EB",
        "the school at HG5 8EB",
        "https://www.king-james.co.uk/news",
        "office@king-james.co.uk",
        "URN 121687",
        "the school on King James Road, Knaresborough",
    ],
)
def test_king_james_is_found_however_it_is_written(gate: Gate, name: str) -> None:
    assert schools_of(gate, f"Anyone know what is going on at {name} today?") == ("KJS",)


@pytest.mark.parametrize(
    "name",
    [
        "Boroughbridge High School",
        "Boroughbridge High",
        "boroughbridge high sch",
        "boroughbridgehigh",
        "#BoroughbridgeHigh",
        "#boroughbridgehighschool",
        "@BoroughbridgeHigh",
        "Borough Bridge High",
        "Boroughbridge\nHigh School",
        "B'bridge High",
        "bboro high",
        "Boro\u2019bridge High",
        "Boroughbrige High",
        "Boroughbridge Hihg School",
        "Boroughbirdge High School",
        "Borughbridge High",
        "BHS Boroughbridge",
        "BBHS in Boroughbridge",
        "B H S, Boroughbridge",
        "\U0001d401\U0001d407\U0001d412 Boroughbridge",
        "the high school, Boroughbridge",
        "the secondary in Boroughbridge",
        "YO51 9JX, the school,",
        "https://boroughbridgehigh.com",
        "URN 121699",
    ],
)
def test_boroughbridge_high_is_found_however_it_is_written(gate: Gate, name: str) -> None:
    assert schools_of(gate, f"Anyone know what is going on at {name} today?") == ("BHS",)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("King James's School in Almondbury sent 40 kids home over shoes", ALMONDBURY),
        ("New job! Teacher of physics at King James's School, Huddersfield", ALMONDBURY),
        ("King James's School HD4 6SG open evening", ALMONDBURY),
        ("King James's School, see https://www.kingjames.org.uk/open-evening", ALMONDBURY),
        ("King James I kids were a credit to Bishop Auckland", "King James I Academy, Bishop Auckland"),
        ("KJAR detention for odd socks #royston", "King James Academy Royston"),
        ("King James's School Newport reunion, Isle of Wight", "another King James school"),
        ("Reading Psalm 23 in the King James tonight. Old school.", BIBLE),
        ("King James Bible study group for teachers", BIBLE),
        ("King James just dropped 41 on Boston, absolutely killed it", "LeBron James"),
        ("King James VI and I, a witch hunter: my essay for Year 12", "a king of that name"),
        ("Pub lunch with the teachers at the King James", "a Bible or a pub of that name"),
        ("KJS in KDE: Konqueror crashes on this form", "KJS, the JavaScript engine"),
        ("KJS Plumbing, Knaresborough: boilers from \u00a31,200", "a firm with those initials"),
        ("Remember BHS on the high street? I got my school shoes there", "British Home Stores"),
        ("BHS Stage 3 coaches at our riding day in Boroughbridge", "British Horse Society"),
        ("BHS Brighouse, the headteacher is leaving", "another BHS"),
        ("Crash on King James Road, Knaresborough. Traffic back to the A59", "a street of that name"),
        ("Boroughbridge school fete raised \u00a32k, well done our Year 6 leavers!", "a primary school"),
        ("The school at Boroughbridge? We chose Roecliffe Primary instead", "another school"),
    ],
)
def test_namesakes_are_known_and_named_in_the_count_of_what_was_dropped(gate: Gate, text: str, meant: str) -> None:
    decision = gate.decide(Post(text=text))

    assert (decision.relevant, decision.schools, decision.drop_reason) == (NO, (), meant)


@pytest.mark.parametrize(
    "text",
    [
        "Boroughbridge High Street is closed",
        "High winds: Boroughbridge high winds warning",
        "Dog grooming in Boroughbridge, high standards, school-run drop off available",
        "School coach stuck on Boroughbridge Road, York",
        "Boro high on confidence after the derby",
        "Burrowbridge High Street",
        "Bainbridge High School", "Bridlington High School",
        "Nidderdale High School bus is late",
        "Harrogate Grammar: bus pass up again",
        "High School Musical at Boroughbridge village hall",
        "Secondary glazing in Boroughbridge, free quotes",
        "Airedale terrier lost near Wharfedale",
        "The federation of small businesses meets in Boroughbridge",
        "Lovely day in Knaresborough",
    ],
)  # fmt: skip
def test_a_town_or_a_word_alone_is_no_school(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=text)).relevant is NO


@pytest.mark.parametrize(
    ("text", "around", "schools"),
    [
        ("anyone else's kid at KJS saying the toilets are locked?", {"community": "r/harrogate"}, ("KJS",)),
        ("King James's was shut again", {"community": "Stray Ferret"}, ("KJS",)),
        (
            "The text alert thing at the high school wants binning",
            {"community": "Boroughbridge Chat"},
            ("BHS",),
        ),
        ("bbhs is shut", {"community": "Boroughbridge"}, ("BHS",)),
        ("that drummer is 13??", {"title": "KJS Knaresborough battle of the bands"}, ("KJS",)),
        ("nice filming", {"community": "Knaresborough secondary open evening vlog"}, ("KJS",)),
        ("Well deserved", {"title": "Boroughbridge High School wins award"}, ("BHS",)),
        ("See you there", {"url": "https://www.king-james.co.uk/open-evening"}, ("KJS",)),
        ("KJS rang me again", {"channel": "Knaresborough Chat"}, ("KJS",)),
        ("the high school prom was lovely", {"title": "Prom night in Boroughbridge"}, ("BHS",)),
    ],
)
def test_what_surrounds_a_post_is_its_place(
    gate: Gate, text: str, around: dict[str, str], schools: tuple[str, ...]
) -> None:
    assert schools_of(gate, text, **around) == schools


def test_a_namesakes_newspaper_makes_a_shared_name_the_namesakes(gate: Gate) -> None:
    text = "King James's School was brilliant for my lad"

    decision = gate.decide(Post(text=text, community="Huddersfield Examiner"))

    assert (decision.relevant, decision.drop_reason) == (NO, ALMONDBURY)
    assert schools_of(gate, f"{text}, the one in Knaresborough", community="Huddersfield Examiner") == ("KJS",)


def test_a_namesakes_town_in_the_text_outweighs_our_own_community(gate: Gate) -> None:
    decision = gate.decide(Post(text="King James's School, Almondbury, shut", community="Knaresborough Chat"))

    assert decision.relevant is NO


@pytest.mark.parametrize(
    ("text", "relevant"),
    [
        ("Knaresborough lad here, now teaching at King James's School, Almondbury", NO),
        ("Almondbury lad here, now teaching at King James's School, Knaresborough", YES),
        ("KJS Knaresborough beat King James's Almondbury 3-1", YES),
    ],
)
def test_the_nearer_of_two_towns_tells_which_school_is_meant(gate: Gate, text: str, relevant: Relevance) -> None:
    assert gate.decide(Post(text=text)).relevant is relevant


@pytest.mark.parametrize(
    "text",
    [
        "KJS toilets locked again smh",
        "King James's School is shut tomorrow",
        "bhs yr8s made a list of their own classmates",
        "That school in Boroughbridge wants looking into. My kid comes home crying every day.",
        "Knaresborough school is a disgrace",
        "if ur at king james tmrw stay home, ppl r gonna get hurt",
        "someone at bhs said hes coming in strapped on monday",
        "kjs kid has a knife",
        "kids in Knaresborough say he has a gun",
    ],
)
def test_what_may_be_ours_is_kept_for_a_person_to_look(gate: Gate, text: str) -> None:
    decision = gate.decide(Post(text=text))

    assert (decision.relevant, decision.schools, decision.drop_reason) == (UNCERTAIN, (), "")
    assert decision.reasons


@pytest.mark.parametrize(
    "text",
    [
        "Is it true the King James water is off?",
        "the kjs musical made my nan cry",
        "all he wants is King James's time and a hat",
        "which of the King Jameses left this scarf",
        "a parcel for King James's, left on the castle steps",
        "curry night at King James's",
        "the King James's sixth former who does my hedges is off to Durham",
    ],
)
def test_in_its_own_town_a_name_stands_beside_words_that_elsewhere_mean_something_else(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=text, community="Knaresborough Chat")).schools == ("KJS",)


def test_two_signals_of_a_namesake_outweigh_the_town(gate: Gate) -> None:
    post = Post(text="King James and the throne: a talk on 1603, tickets 4 pounds", community="Knaresborough Chat")

    assert gate.decide(post).relevant is NO


@pytest.mark.parametrize("text", ["high season", "high winds", "high water"])
def test_a_town_before_high_something_is_no_school(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=f"Boroughbridge {text} again")).relevant is NO


def test_a_show_of_the_high_school_is_the_schools(gate: Gate) -> None:
    assert gate.decide(Post(text="chorus of villagers in the Boroughbridge High musical")).schools == ("BHS",)


def test_an_age_of_secondary_school_in_our_town_is_shown_to_a_person(gate: Gate) -> None:
    post = Post(text="er why can I see every photo on that app, all of Year 9", community="Boroughbridge Parents")

    assert gate.decide(post).relevant is UNCERTAIN


def test_school_life_in_our_town_without_a_name_is_dropped_with_its_own_reason(gate: Gate) -> None:
    post = Post(text="Late bus cancelled with an hour's notice", community="Boroughbridge Parents")

    assert gate.decide(post).drop_reason == "school words in our town, no school named"


def test_the_high_school_said_in_one_of_its_villages_is_shown_to_a_person(gate: Gate) -> None:
    post = Post(text="Slow tractors to the high school gates tomorrow", community="Kirby Hill & District")

    assert gate.decide(post).relevant is UNCERTAIN


def test_a_name_and_a_year_in_the_title_of_a_group_or_film_are_shown_to_a_person(gate: Gate) -> None:
    film = Post(text="1:33 he really flopped", community="KJS Year 7 Talent Show")

    assert gate.decide(film).relevant is UNCERTAIN


@pytest.mark.parametrize(
    "text",
    [
        "Year 9 semi-finals of the debate bracket at King James's",
        "boy in 11C at kjs says hes gonna stab his ex",
        "the detentions at king james have verses now, sing along",
    ],
)
def test_one_word_of_a_namesake_does_not_drop_what_speaks_of_pupils(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=text)).relevant is UNCERTAIN


@pytest.mark.parametrize(
    "text",
    [
        "lebron at his own school, king james and the detentions nobody served",
        "King James and the gunpowder plot: homework for history teachers everywhere, 1605 and all that",
    ],
)
def test_a_namesake_by_its_own_name_or_by_two_signals_is_dropped_for_good(gate: Gate, text: str) -> None:
    decision = gate.decide(Post(text=text))

    assert (decision.relevant, decision.doubtful) == (NO, False)


def test_a_drop_for_one_signal_alone_is_marked_as_doubtful(gate: Gate) -> None:
    decision = gate.decide(Post(text="ten points a hit, King James's lads, half three at the castle"))

    assert (decision.relevant, decision.doubtful) == (NO, True)


def test_no_phrase_of_the_policy_shrinks_to_a_letter_that_would_be_found_anywhere() -> None:
    """What is left of "C++" without its signs is the c of every form 8C."""
    schools = Schools.read(ROOT / "policy" / "schools.toml")
    words = schools.words
    phrases = [
        *(phrase for namesake in schools.namesakes for phrase in (*namesake.names, *namesake.signals)),
        *(phrase for some in (words.school, words.sure, words.older, words.primary, words.safety) for phrase in some),
    ]

    assert [phrase for phrase in phrases if len(squeeze(fold(phrase).text)) < SHORTEST] == []


def test_what_is_left_of_a_contracted_not_is_no_word_of_school(gate: Gate) -> None:
    """The end of "wasn't a" has the letters of TA, a teaching assistant."""
    with_it, without = (gate.decide(Post(text=f"it {was} a warm day in Boroughbridge")) for was in ("wasn't", "wasnt"))

    assert (with_it.relevant, with_it.drop_reason) == (NO, "no school named") == (without.relevant, without.drop_reason)


def test_common_initials_with_one_loose_word_are_not_guessed_at(gate: Gate) -> None:
    decision = gate.decide(Post(text="BHS head wants sacking"))

    assert (decision.relevant, decision.drop_reason) == (NO, "weak name without a local anchor")


@pytest.mark.parametrize(
    "text",
    [
        "Both schools in the federation, Boroughbridge and KJS: three weeks, no reply",
        "The Boroughbridge / King James's federation is being taken over",
        "Same newsletter twice, once from King James's and once from Boroughbridge High",
        "Boroughbridge High and KJS Knaresborough share one clarinet teacher",
        "The federated governing body met in Knaresborough, parents were not let in",
    ],
)
def test_the_federation_and_both_names_mean_both_schools(gate: Gate, text: str) -> None:
    assert schools_of(gate, text) == ("BHS", "KJS")


@pytest.mark.parametrize(
    ("post", "school"),
    [
        (Post(text="Choir from the high school on local radio tomorrow", community="YO51 Matters"), "BHS"),
        (Post(text="KJS parents evening moved to Thursday", community="HG5 Noticeboard"), "KJS"),
        (Post(text="The fair at KJ was lovely", community="Knaresborough Mums"), "KJS"),
        (Post(text="Lunchtime supervisor at the High in Boroughbridge"), "BHS"),
    ],
)
def test_a_town_is_known_by_its_postcode_and_a_school_by_what_its_town_calls_it(
    gate: Gate, post: Post, school: str
) -> None:
    assert gate.decide(post).schools == (school,)


def test_a_rival_team_in_the_same_post_does_not_hide_ours(gate: Gate) -> None:
    assert schools_of(gate, "Rossett U14s lost 3-0 to KJS last night") == ("KJS",)


@pytest.mark.parametrize(
    "text",
    [
        "KJS building on fire in Knaresborough",
        "KJS heating broken again, classrooms freezing. Knaresborough",
        "BHS AI deepfakes of year 9 girls, Boroughbridge",
        "BHS store cupboard, teacher locked a pupil in, Boroughbridge",
        "King James text alert: lockdown, Knaresborough pupils kept in",
        "King James only told parents at 3pm about the knife. Knaresborough",
        "King James hospital trip cancelled, Knaresborough",
        "At King James I felt so unsafe. Knaresborough pupils deserve better",
        "King James 1-0 Harrogate Grammar, Knaresborough",
        "King James 23 year 7s sent home, Knaresborough",
    ],
)
def test_everyday_words_behind_our_name_make_no_namesake_of_it_where_our_town_is_named(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=text)).relevant is YES


@pytest.mark.parametrize(
    "text",
    [
        "KJS Building Ltd, no job too small",
        "KJS Heating, Harrogate. Free quotes",
        "BHS Stage 2 riding exam passed",
        "King James I Academy in Bishop Auckland has a new head",
        "King James 23 is the greatest Laker",
        "Police Federation says officers in Knaresborough are short of staff",
        "Boroughbridge high risk of flooding tonight",
        "book at www.the-king-james.co.uk",
    ],
)
def test_the_same_words_elsewhere_are_the_namesakes(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=text)).relevant is NO


def test_a_far_away_town_does_not_hide_danger_in_our_own(gate: Gate) -> None:
    found = gate.decide(Post(text="BHS kid threatened with a knife by lads from Bradford, Boroughbridge"))
    theirs = gate.decide(Post(text="Lockdown at King James's in Almondbury. Ours in Knaresborough has a book fair."))

    assert found.relevant is UNCERTAIN
    assert {"knife", "Boroughbridge"} <= {reason.text for reason in found.reasons}
    assert theirs.relevant is NO


@pytest.mark.parametrize("text", ["i want to die. kjs", "BHS girl wants to die", "the BHS one hasnt come home"])
def test_a_weak_name_beside_plain_words_of_despair_or_loss_is_shown(gate: Gate, text: str) -> None:
    assert gate.decide(Post(text=text)).relevant is UNCERTAIN


@pytest.mark.parametrize("name", ["Jordan", "Matthew", "Stuart"])
def test_a_first_name_that_players_gospels_and_kings_bear_does_not_hide_danger(gate: Gate, name: str) -> None:
    assert gate.decide(Post(text=f"{name} at King James has a knife")).relevant is Relevance.UNCERTAIN


@pytest.mark.parametrize(
    "said", ["King James is better than Jordan", "Matthew 5 in the King James", "the Stuarts and King James"]
)
def test_said_as_of_the_player_the_gospel_or_the_king_it_is_the_namesakes(gate: Gate, said: str) -> None:
    assert gate.decide(Post(text=f"{said}, did a kid in class draw a knife")).relevant is Relevance.NO


def test_a_reason_around_the_text_quotes_what_stands_there(gate: Gate) -> None:
    decision = gate.decide(Post(text="Anyone know more?", title="King Jamess Knaresborough: knife found"))

    assert decision.relevant is YES
    assert all(reason.text in "King Jamess Knaresborough: knife found" for reason in decision.reasons)


def test_a_web_address_is_not_read_for_names_but_for_its_domain(gate: Gate) -> None:
    elsewhere = gate.decide(Post(text="look https://pics.example/kjs-knaresborough-boroughbridge-high"))

    assert elsewhere.relevant is NO


def test_a_reason_in_the_text_gives_the_words_as_they_were_written(gate: Gate) -> None:
    text = "so \U0001d40a\u200b\U0001d409\U0001d412 lot, knaresboro tonight"

    reasons = gate.decide(Post(text=text)).reasons

    assert [text[reason.start : reason.end] for reason in reasons] == [reason.text for reason in reasons]
    assert [reason.rule for reason in reasons] == ["KJS: weak name", "KJS: town"]
    assert {reason.about for reason in reasons} == {"relevance"}


def test_a_reason_around_the_text_says_where_it_stands(gate: Gate) -> None:
    reasons = gate.decide(Post(text="KJS shut", community="Knaresborough Chat")).reasons

    assert (reasons[-1].start, reasons[-1].end) == (0, 0)
    assert reasons[-1].note == "stands in the community"


def test_a_dropped_post_leaves_no_words_behind(gate: Gate) -> None:
    decision = gate.decide(Post(text="my own secret words, nothing else"))

    assert decision.reasons == ()
    assert decision.drop_reason == "no school named"


def test_a_street_and_a_towns_name_are_not_enough_without_a_word_of_school(gate: Gate) -> None:
    street = "King James Road, Knaresborough: {}"

    assert gate.decide(Post(text=street.format("house for sale"))).relevant is NO
    assert schools_of(gate, street.format("pupils nearly hit at the crossing")) == ("KJS",)


def test_a_weak_name_that_several_listed_schools_share_is_told_by_its_town() -> None:
    schools = Schools.read(ROOT / "docs" / "another-school.toml")
    twin = schools.schools[1].model_copy(update={"code": "TWO", "towns": ("Lannick",), "strong": ()})
    both = Gate(schools.model_copy(update={"schools": (*schools.schools, twin)}))

    assert schools_of(both, "St Oswin's in Lannick") == ("TWO",)
    assert schools_of(both, "St Oswin's in Marrowby") == ("STO",)
    assert both.decide(Post(text="St Oswin's toilets")).relevant is UNCERTAIN


@pytest.fixture(scope="module")
def trust() -> Gate:
    return Gate(Schools.read(ROOT / "docs" / "another-school.toml"))


@pytest.mark.parametrize(
    ("text", "community", "relevant", "schools"),
    [
        ("Thistlebrook Academy prom was ace", "", YES, ("TBA",)),
        ("#ThistlebrookAcademy", "", YES, ("TBA",)),
        ("St Oswins in Marraby, lovely", "", YES, ("STO",)),
        ("St Oswin\u2019s School toilets", "The Weekly Heron", YES, ("STO",)),
        ("the high school is shut", "Spotted Marrowby", YES, ("STO",)),
        ("St Oswin's teacher of the year", "", UNCERTAIN, ()),
        ("St Oswin's Hospital, Marrowby", "", NO, ()),
        ("St Oswin's A&E queue, Port Lannick", "", NO, ()),
        ("the trust forgot the pupils of Marrowby", "", YES, ("STO", "TBA")),
        ("Boroughbridge High", "", NO, ()),
    ],
)
def test_another_trust_is_watched_by_another_file(
    trust: Gate, text: str, community: str, relevant: Relevance, schools: tuple[str, ...]
) -> None:
    decision = trust.decide(Post(text=text, community=community))

    assert (decision.relevant, decision.schools) == (relevant, schools)
