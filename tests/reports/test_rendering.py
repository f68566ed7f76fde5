"""What every report's rendering promises: escaping, no silent gaps, inlined style, the same bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random

import jinja2
import pytest
from jinja2 import Environment, StrictUndefined, select_autoescape

from reports import rendering
from tests.reports.material import at, judged, stored

TEMPLATES = sorted(path.name for path in rendering.TEMPLATES.iterdir())
SCRIPT = "<script>alert(1)</script>"


@dataclass(frozen=True)
class Line:
    """A view of one text."""

    words: str


def test_templates_named_html_j2_are_escaped_and_text_is_not() -> None:
    assert rendering.is_escaped("daily.html.j2")
    assert rendering.is_escaped("macros.html.j2")
    assert rendering.is_escaped(None)
    assert not rendering.is_escaped("daily.txt.j2")


def test_jinjas_own_choice_would_not_have_escaped_them() -> None:
    """The trap that `is_escaped` is there for; if this fails, Jinja has mended it."""
    own = Environment(autoescape=select_autoescape(), undefined=StrictUndefined)

    assert own.autoescape("daily.html.j2") is False  # type: ignore[operator]


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.endswith(".html.j2")])
def test_a_hostile_text_is_escaped_in_every_html_template(name: str) -> None:
    environment = rendering.environment().overlay()
    environment.loader = jinja2.DictLoader({name: "{{ view.words }} {{ view.words | filled }}"})

    shown = environment.get_template(name).render(view=Line(words=SCRIPT))

    assert "<" not in shown
    assert shown.count("&lt;script&gt;") == 2


@pytest.mark.parametrize("name", [name for name in TEMPLATES if name.endswith(".j2")])
def test_no_template_switches_escaping_off(name: str) -> None:
    source = (rendering.TEMPLATES / name).read_text(encoding="utf-8")

    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup", source)


@pytest.mark.parametrize("source", ["{{ view.nothing }}", "{% if view.nothing %}x{% endif %}", "{{ nothing }}"])
def test_a_missing_name_is_an_error_and_not_a_blank(source: str) -> None:
    template = rendering.environment().from_string(source)

    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        template.render(view=Line(words="a view of something else"))


def test_control_characters_and_overrides_never_print() -> None:
    environment = rendering.environment()

    shown = environment.from_string("{{ view.words }}").render(view=Line(words="a\x00b\u202ec\ud800\x1b[31md"))

    assert shown == "abc\ufffd[31md"


def test_a_post_is_data_and_never_a_template() -> None:
    shown = rendering.environment().from_string("{{ view.words }}").render(view=Line(words="{{7*7}}{% raw %}"))

    assert shown == "{{7*7}}{% raw %}"


def test_paragraphs_are_wrapped_but_addresses_and_references_are_not_broken() -> None:
    filled = rendering.environment().filters["filled"]
    address = "https://example.org/" + "a-b/" * 40

    said = filled(f"{'word ' * 20}{address} KJS-0042", "- ", "  ")

    assert address in said
    assert all(len(line) <= 72 for line in said.split("\n") if "https" not in line)
    assert said.startswith("- word")
    assert said.split("\n")[1].startswith("  ")


def test_reference_numbers_stay_on_one_line_and_what_is_around_them_is_escaped() -> None:
    shown = (
        rendering.environment()
        .from_string("{{ view.words | together }}")
        .render(view=Line(words=f"and 2 more: KJS-0041, FED-0042 {SCRIPT}\x00"))
    )

    assert shown.startswith('and 2 more: <span class="together">KJS-0041</span>, <span class="together">FED-0042')
    assert shown.endswith("&lt;script&gt;alert(1)&lt;/script&gt;")


def test_the_style_fetches_nothing_and_uses_what_outlook_can_read() -> None:
    style = (rendering.TEMPLATES / "style.css").read_text(encoding="utf-8")

    assert not re.search(r"url\(|@import|var\(|flex|grid-|rgba?\(|hsl", style)


def test_a_manifest_is_the_same_whatever_the_order_and_differs_when_a_record_does() -> None:
    mentions = [stored(number, f"post {number}", judged("PRAISE"), seen=at(22, 9)) for number in range(20)]
    shuffled = mentions.copy()
    Random(1).shuffle(shuffled)  # noqa: S311 - an order, not a secret

    assert rendering.fingerprint(shuffled) == rendering.fingerprint(mentions)
    assert rendering.fingerprint(mentions[1:]) != rendering.fingerprint(mentions)
    assert len(rendering.manifest(mentions).splitlines()) == 20
    assert re.fullmatch(r"[0-9a-f]{64}  bluesky/0", rendering.manifest(mentions[:1]).strip())


def test_templates_lie_where_the_package_looks() -> None:
    assert Path(rendering.TEMPLATES, "base.html.j2").is_file()
