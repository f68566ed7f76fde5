"""Charts as SVG that stands inside a page: the same bytes each time, readable without colour and aloud.

A chart is drawn at the width of a phone, so that its letters keep their size; a wide page puts several beside
one another. Letters stay letters. Each part carries a class (`chart-bar`, `chart-ink` ...), so that the page's
own style can turn it for a dark screen; without that style it prints in its own colours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

SVG: Final = "http://www.w3.org/2000/svg"
XLINK: Final = "http://www.w3.org/1999/xlink"
POINTS: Final = 72
WIDTH, HEIGHT = 350, 190
"""Of the drawing, in points; it is shown with one point as one CSS pixel."""
TOP: Final = 1.3
"""Room above the highest bar, for its label."""
LABELLED: Final = 4
"""Every so many bars one has its name below, counted from the last, so that the last one always has."""

FONTS: Final = "Arial, Helvetica, 'Liberation Sans', sans-serif"
"""What letters are shown in; their places do not depend on it."""
INK, BLUE, SOFT, BAND, GREY = "#0b0c0c", "#1d70b8", "#5694ca", "#dfe1e2", "#6f777b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar.

    Attributes:
        label: below it.
        count: its height from zero; None where nothing is known, which is not zero.
        blind: whether the count is only a lower bound, because not all was seen; it is hatched and has a "+".
        absent: whether nobody looked at all yet: its place stays empty.
    """

    label: str
    count: int | None
    blind: bool = False
    absent: bool = False

    @property
    def words(self) -> str:
        """The bar's value in words: "12", "12 or more", "not known"."""
        if self.count is None:
            return "not known"
        return f"{self.count:,} or more" if self.blind else f"{self.count:,}"

    @property
    def mark(self) -> str:
        """The bar's value as it stands above it: "12", "12+", "?"."""
        if self.count is None:
            return "?"
        return f"{self.count:,}+" if self.blind else f"{self.count:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars over time; the last one is what the report is about.

    Attributes:
        name: letters, digits and hyphens; once on a page.
        title: what is drawn. description: what it shows, in sentences, for those who do not see it.
        bars: oldest first.
        usual: the usual range, drawn as a band behind the bars; None where it is not known.
        most: the highest value of the scale, so that several charts can share one.
    """

    name: str
    title: str
    description: str
    bars: tuple[Bar, ...]
    usual: tuple[float, float] | None
    most: float


def svg(chart: Chart) -> str:
    """Return `chart` as one `<svg>` element, without XML declaration; the same chart gives the same text."""
    from matplotlib import rc_context  # noqa: PLC0415 - large, and needed for a report with charts alone
    from matplotlib.figure import Figure  # noqa: PLC0415

    # the font that comes with matplotlib: no letter stands elsewhere on a machine with other fonts
    style = rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": chart.name,
            "font.family": "DejaVu Sans",
            "font.size": 11,
            "hatch.linewidth": 1.1,
            "hatch.color": GREY,
        }
    )
    with style:
        figure = Figure(figsize=(WIDTH / POINTS, HEIGHT / POINTS))
        figure.patch.set_visible(False)
        axes = figure.add_axes((0.01, 0.13, 0.98, 0.86))
        _draw(axes, chart)
        out = BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _dressed(out.getvalue().decode(), chart)


def _draw(axes: Axes, chart: Chart) -> None:
    """Draw band, hatched weeks, bars and their labels."""
    number = len(chart.bars)
    high = max(chart.most, 1.0) * TOP
    axes.set_xlim(-0.6, number - 0.4)
    axes.set_ylim(0, high)
    axes.patch.set_visible(False)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set_gid("chart-rule")
    axes.spines["bottom"].set_color(INK)
    axes.tick_params(axis="x", length=0, pad=5)
    axes.set_xticks([])
    if chart.usual:
        low, top = chart.usual
        band = axes.axhspan(low, max(top, low + high / 100), facecolor=BAND, edgecolor=GREY, linewidth=0.6, zorder=0)
        band.set_gid("chart-band")
    for place, bar in enumerate(chart.bars):
        last = place == number - 1
        if bar.blind or (bar.count is None and not bar.absent):
            column = axes.axvspan(place - 0.5, place + 0.5, facecolor="none", edgecolor=GREY, linewidth=0, hatch="////")
            column.set_gid("chart-blind")
        if bar.count:
            (drawn,) = axes.bar([place], [bar.count], width=0.74, color=BLUE if last else SOFT, zorder=2)
            drawn.set_gid("chart-last" if last else "chart-bar")
        mark = "" if bar.absent else bar.mark
        boxed = mark not in {"", bar.words}
        _label(axes, place, (bar.count or 0) + high * 0.02, mark, "bottom", bold=last, boxed=boxed)
        if (number - 1 - place) % LABELLED == 0:
            align = "right" if last else "center"
            _label(axes, place + (0.45 if last else 0), -high * 0.03, bar.label, "top", bold=last, align=align)


def _label(
    axes: Axes, x: float, y: float, words: str, side: str, *, bold: bool, align: str = "center", boxed: bool = False
) -> None:
    """Write a label; on hatching it stands on a patch of paper."""
    text = axes.text(x, y, words, ha=align, va=side, color=INK, weight="bold" if bold else "normal", zorder=3)
    text.set_gid("chart-ink")
    text.set_clip_on(False)
    if boxed:
        text.set_bbox({"facecolor": "#ffffff", "edgecolor": "none", "pad": 1.0, "gid": "chart-paper"})


def _dressed(drawn: str, chart: Chart) -> str:
    """Return matplotlib's drawing as an image with a name: title and description first, names as classes."""
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", XLINK)
    root = ET.fromstring(drawn)  # noqa: S314 - drawn here
    for group in root.iter(f"{{{SVG}}}g"):
        name = group.attrib.pop("id", "")
        if name.startswith("chart-"):
            group.set("class", name)
    # the drawing's own style sheet would hold for the whole page
    for child in [
        child for child in root if child.tag.endswith("metadata") or child.find(f"{{{SVG}}}style") is not None
    ]:
        root.remove(child)
    root.attrib = {
        "class": "chart",
        "role": "img",
        "viewBox": root.attrib["viewBox"],
        "width": str(WIDTH),
        "height": str(HEIGHT),
        "aria-labelledby": f"{chart.name}-title",
        "aria-describedby": f"{chart.name}-description",
    }
    for place, (tag, words) in enumerate((("title", chart.title), ("description", chart.description))):
        element = ET.Element(f"{{{SVG}}}{'desc' if tag == 'description' else tag}", {"id": f"{chart.name}-{tag}"})
        element.text = words
        root.insert(place, element)
    text = ET.tostring(root, encoding="unicode").replace("'DejaVu Sans'", FONTS)
    return re.sub(r"\n\s*", "\n", text) + "\n"


def most_of(charts: Sequence[Sequence[Bar]], bands: Sequence[tuple[float, float] | None]) -> float:
    """Return the highest value that bars or bands reach: the common scale of several charts."""
    counts = [bar.count for bars in charts for bar in bars if bar.count is not None]
    return float(max([*counts, *(band[1] for band in bands if band), 1]))
