"""A chart is the same text each time, says aloud what it shows, and never draws a gap as zero."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.charts import SVG, Bar, Chart, most_of, svg

BARS = (
    Bar(label="9 Nov", count=7),
    Bar(label="16 Nov", count=0, blind=True),
    Bar(label="23 Nov", count=None),
    Bar(label="30 Nov", count=12),
)
CHART = Chart(
    name="trend-kjs",
    title="King James's: 12 & rising",
    description="Week from 9 Nov: 7.",
    bars=BARS,
    usual=(5, 8),
    most=12,
)


def drawn(chart: Chart) -> ET.Element:
    return ET.fromstring(svg(chart))  # noqa: S314 - drawn here


def written(root: ET.Element) -> list[str]:
    """Return the letters that stand in a drawing."""
    return [str(element.text) for element in root.iter(f"{{{SVG}}}text")]


def classes(root: ET.Element) -> list[str]:
    return [str(element.get("class")) for element in root.iter(f"{{{SVG}}}g") if element.get("class")]


def test_the_same_chart_gives_the_same_text() -> None:
    assert svg(CHART) == svg(replace(CHART))


def test_a_chart_is_an_image_with_a_title_and_a_description_at_its_beginning() -> None:
    root = drawn(CHART)
    title, description = list(root)[:2]
    assert root.get("role") == "img"
    assert (title.tag, title.text) == (f"{{{SVG}}}title", CHART.title)
    assert (description.tag, description.text) == (f"{{{SVG}}}desc", CHART.description)
    assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), description.get("id"))


def test_two_charts_on_one_page_share_no_id() -> None:
    one, other = (
        {element.get("id") for element in drawn(replace(CHART, name=name)).iter() if element.get("id")}
        for name in ("trend-kjs", "trend-bhs")
    )
    assert one
    assert not one & other


def test_letters_stay_letters_and_the_last_bar_has_its_name() -> None:
    assert written(drawn(CHART))[-2:] == ["12", "30 Nov"]


def test_a_gap_is_hatched_and_marked_and_has_no_bar() -> None:
    root = drawn(CHART)
    assert {"0+", "?"} <= set(written(root))
    assert classes(root).count("chart-blind") == 2
    assert classes(root).count("chart-bar") + classes(root).count("chart-last") == 2


def test_a_week_wholly_seen_is_not_hatched() -> None:
    calm = drawn(replace(CHART, bars=(BARS[0], BARS[3])))
    assert "chart-blind" not in classes(calm)
    assert not list(calm.iter(f"{{{SVG}}}pattern"))


def test_there_is_no_band_where_nothing_is_usual() -> None:
    assert "chart-band" in classes(drawn(CHART))
    assert "chart-band" not in classes(drawn(replace(CHART, usual=None)))


@pytest.mark.parametrize("word", ["<script", "<style", "http-equiv", "Matplotlib", "dc:date"])
def test_a_drawing_brings_no_script_no_style_sheet_and_no_date(word: str) -> None:
    assert word not in svg(CHART)


@pytest.mark.parametrize(
    ("bar", "mark", "words"),
    [
        (BARS[0], "7", "7"),
        (BARS[1], "0+", "0 or more"),
        (BARS[2], "?", "not known"),
        (Bar(label="", count=1234, blind=True), "1,234+", "1,234 or more"),
    ],
)
def test_a_value_says_whether_it_is_whole(bar: Bar, mark: str, words: str) -> None:
    assert (bar.mark, bar.words) == (mark, words)


def test_charts_share_a_scale_that_holds_bars_and_bands() -> None:
    assert most_of([BARS, BARS[:1]], [None, (3, 20)]) == 20
    assert most_of([BARS[2:3]], [None]) == 1


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.none() | st.integers(0, 10**6), min_size=1, max_size=12),
    usual=st.none() | st.tuples(st.integers(0, 50), st.integers(50, 10**6)),
)
def test_any_weeks_can_be_drawn(counts: list[int | None], usual: tuple[int, int] | None) -> None:
    bars = tuple(Bar(label=f"{place} Nov", count=count) for place, count in enumerate(counts, start=1))
    root = drawn(replace(CHART, bars=bars, usual=usual, most=most_of([bars], [usual])))
    marks = written(root)
    assert all(bar.mark in marks for bar in bars)
