"""What says too little of a school to be kept is dropped, unless it reads as danger: then a person looks."""

from __future__ import annotations

import pytest

from analysis import pipeline
from analysis.encoder import Encoder
from analysis.matching import Post
from monitor.policy import folder
from monitor.records import Judgement, Relevance, Severity

GROUP = "Boroughbridge Parents"


@pytest.fixture(scope="module")
def judges() -> pipeline.Judges:
    """The judges that ship."""
    return pipeline.judges_of(folder.load(), Encoder.load())


def judged(judges: pipeline.Judges, text: str, community: str) -> Judgement:
    """Judge one post."""
    found: Judgement = pipeline.judge(pipeline.frame_of([Post(text=text, community=community)], [True]), judges).iloc[0]
    return found


@pytest.mark.parametrize(
    ("text", "community", "why"),
    [
        ("three ambulances up King James Road, kids being led out holding hands, one on a stretcher", "", "street"),
        ("they all ran out of the science block choking and a teacher has fainted on the grass", GROUP, "in our town"),
        ("list going round of King James's kids, ten points a hit, bring blades, half three at the castle", "", "king"),
    ],
)
def test_danger_near_us_is_shown_though_no_school_is_named(
    judges: pipeline.Judges, text: str, community: str, why: str
) -> None:
    found = judged(judges, text, community)

    assert found.relevant is Relevance.UNCERTAIN
    assert found.severity in {Severity.P0, Severity.P1}
    (reason,) = [reason for reason in found.reasons if reason.rule == "danger"]
    assert why in reason.note


@pytest.mark.parametrize(
    ("text", "community"),
    [("two-bed terrace for sale, King James Road, no chain", ""), ("spare maths tutor hour going on Tuesdays", GROUP)],
)
def test_the_same_places_without_danger_stay_dropped(judges: pipeline.Judges, text: str, community: str) -> None:
    assert judged(judges, text, community).relevant is Relevance.NO


OPENING = (
    "Lovely to see so many families at the summer fair of King James's School in Knaresborough. The cakes were "
    "wonderful, the band played all afternoon, the tombola raised hundreds for the library and the sun came out at "
    "last. "
)


@pytest.mark.parametrize("times", [1, 3, 6])
@pytest.mark.parametrize(
    ("end", "severity"),
    [
        ("Someone has a knife at the gates right now.", Severity.P0),
        ("My daughter wants to kill herself tonight.", Severity.P0),
        ("See you all at the next one.", Severity.P4),
        ("The knife scene in the play was brilliant.", Severity.P4),
    ],
)
def test_a_post_is_read_to_its_end_however_long_it_is(
    judges: pipeline.Judges, times: int, end: str, severity: Severity
) -> None:
    """Praise around it hides no danger: the encoder reads the sentence of a sure rule alone, too."""
    assert judged(judges, OPENING * times + end, "").severity is severity


def test_every_post_keeps_its_own_tone_whichever_layers_heard_it(judges: pipeline.Judges) -> None:
    """Ours and other people's posts are read by different layers, and those without a score by neither of the tones."""
    posts = [
        ("Disgusting service from the office at King James's School Knaresborough, ignored again", True),
        ("What a wonderful holiday, thank you all, best week ever!", True),
        ("Awful, the worst film I have ever seen", False),
        ("Awful, the worst film I have ever seen", True),
        ("Brilliant concert at Boroughbridge High School, so proud of every one of them", True),
    ]
    frame = pipeline.frame_of([Post(text=text) for text, _ in posts], [scored for _, scored in posts])
    found = list(pipeline.judge(frame, judges))

    assert [judgement.relevant.value for judgement in found] == ["yes", "no", "no", "no", "yes"]
    assert [judgement.sentiment for judgement in found] == ["negative", "positive", None, "negative", "positive"]
