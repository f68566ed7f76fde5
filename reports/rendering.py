"""Views into HTML and text: one Jinja environment, one style, one inliner.

Templates are named `NAME.html.j2` and `NAME.txt.j2` and are handed one variable, `view`, whose texts are
ready to print. HTML is escaped by the name of the template (Jinja's own `select_autoescape` looks at the last
ending alone and would not escape `.html.j2`); text is not, because a text part shows what it is given.
Nothing that is missing prints as nothing: an unknown name is an error.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from monitor.records import Rendered
from reports.quoting import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.records import StoredMention

TEMPLATES: Final = Path(__file__).parents[1] / "templates"

LARGEST_EMAIL: Final = 80_000
"""Bytes of HTML: Gmail cuts a message off at about 102 kB, and what is cut off is not read."""

COLUMNS: Final = 72
"""Width of a text part."""

_REFERENCE: Final = re.compile(r"\b[A-Z][A-Z0-9]{1,15}-\d{4,}\b")
"""A case's reference number: "KJS-0042"."""


def is_escaped(name: str | None) -> bool:
    """Whether a template of that name is escaped as HTML: all are, but for text and style."""
    return name is None or not name.endswith((".txt.j2", ".css"))


def _printable(value: object) -> object:
    """Return what a template prints: texts lose control characters, whatever a view forgot."""
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _filled(text: str, first: str = "", rest: str | None = None) -> str:
    """Return `text` wrapped for a text part, `first` before its first line and `rest` before the others.

    Addresses and reference numbers are never broken.
    """
    return textwrap.fill(
        text,
        COLUMNS,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _together(text: str) -> Markup:
    """Return `text` escaped for HTML, its reference numbers kept from breaking at their hyphen."""
    escaped = str(escape(harmless(text)))
    return Markup(_REFERENCE.sub(r'<span class="together">\g<0></span>', escaped))  # noqa: S704 - escaped above


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of all reports.

    Its filters: `filled` wraps a paragraph of a text part; `together` keeps reference numbers in HTML on one line.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=is_escaped,  # noqa: S701 - all is escaped but text and style; proven by a test
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["filled"] = _filled
    made.filters["together"] = _together
    return made


@lru_cache(maxsize=1)
def _inliner() -> css_inline.CSSInliner:
    """Return the inliner with the shared style; it fetches nothing."""
    return css_inline.CSSInliner(
        extra_css=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        load_remote_stylesheets=False,
        keep_style_tags=True,
    )


def page(template: str, view: Any) -> str:  # noqa: ANN401 - each template knows its own view
    """Return `template` ("weekly.html.j2") filled with `view`, as it stands.

    Raises:
        jinja2.UndefinedError: the template names something that the view does not have.
    """
    return environment().get_template(template).render(view=view)


def email(template: str, view: Any) -> str:  # noqa: ANN401 - each template knows its own view
    """Return `template` ("daily.html.j2") filled with `view`, the style written into each element.

    Raises:
        jinja2.UndefinedError: the template names something that the view does not have.
    """
    return _inliner().inline(page(template, view))


def text(template: str, view: Any) -> str:  # noqa: ANN401 - each template knows its own view
    """Return `template` ("daily.txt.j2") filled with `view`, with no more than two blank lines in a row.

    Raises:
        jinja2.UndefinedError: the template names something that the view does not have.
    """
    lines = (line.rstrip() for line in page(template, view).split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n") + "\n"


class _Letter(Protocol):
    """A view that is sent as an e-mail."""

    @property
    def name(self) -> str:
        """Which message it is."""

    @property
    def subject(self) -> str:
        """Its subject."""


def letter(html: str, words: str, view: _Letter) -> Rendered:
    """Return `view` as an e-mail: the templates `html` and `words` filled with it."""
    return Rendered(name=view.name, subject=view.subject, html=email(html, view), text=text(words, view))


def manifest(mentions: Iterable[StoredMention]) -> str:
    """Return one sorted line for each record: SHA-256 of the captured bytes, two blanks, "source/number"."""
    return "".join(sorted(f"{stored.sha256}  {stored.mention.source}/{stored.id}\n" for stored in mentions))


def fingerprint(mentions: Iterable[StoredMention]) -> str:
    """Return the hex SHA-256 of the manifest: the same records give the same 64 digits, in any order."""
    return hashlib.sha256(manifest(mentions).encode("utf-8", "surrogatepass")).hexdigest()
