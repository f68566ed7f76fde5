"""Read a TOML file into a validated pydantic model, with errors that name file, line, key and cure."""

from __future__ import annotations

import difflib
import re
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails


class Table(BaseModel):
    """Base of every configured table: frozen, and unknown keys are errors.

    What was typed is kept out of pydantic's own messages: a secret in the wrong place must not reach a log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


Model = TypeVar("Model", bound=BaseModel)
Key = tuple[str | int, ...]


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """Return a TOML file's content and its text.

    Raises:
        ConfigError: the file is missing, not UTF-8, or not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        problem = "there is no such file"
        raise ConfigError(problem, file=path, cure="write one with: federation-monitor init") from error
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read: {error}"
        raise ConfigError(problem, file=path, cure="save it as UTF-8 text, readable by this user") from error
    try:
        return tomllib.loads(text), text
    except (ValueError, RecursionError) as error:  # tomllib's own error is a ValueError; so are its int's
        place = re.search(r"line (\d+)", str(error))
        raise ConfigError(
            f"not valid TOML: {error}",
            file=path,
            line=int(place.group(1)) if place else len(text.splitlines()) or 1,
            cure="mend the line named here; text goes in double quotes, lists in [ ]",
        ) from error


def validated(model: type[Model], content: Mapping[str, Any], *, file: Path, text: str = "", under: Key = ()) -> Model:
    """Return `content` as a `model`.

    Args:
        model: the pydantic model.
        content: the parsed table.
        file: named in the error.
        text: the file's text, to find the line of a wrong key.
        under: the dotted place of `content` inside the file.

    Raises:
        ConfigError: the first thing that is wrong, with every further one counted.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        first = details[0]
        place = tuple(part for part in first["loc"] if part != "[key]")  # pydantic's mark of a wrong key
        key: Key = (*under, *place)
        more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
        problem, cure = _explained(first, place, model)
        raise ConfigError(f"{problem}{more}", file=file, key=dotted(key), line=line_of(text, key), cure=cure) from error


def dotted(key: Sequence[str | int]) -> str:
    """Return a key as a person writes it: `sources.feeds.feeds[2].url`."""
    out = ""
    for part in key:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def line_of(text: str, key: Sequence[str | int]) -> int | None:
    """Return the line (from 1) on which `key` stands in a TOML text, or of the nearest table above it."""
    wanted = [str(part) for part in key if isinstance(part, str)]
    indexes = [part for part in key if isinstance(part, int)]
    header: list[str] = []
    seen: dict[str, int] = {}
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        table = re.match(r"\s*(\[\[?)([^\]]+)\]", line)
        if table:
            header = [part.strip().strip("\"'") for part in table.group(2).split(".")]
            if table.group(1) == "[[":
                name = ".".join(header)
                seen[name] = seen.get(name, -1) + 1
                if wanted[: len(header)] == header and indexes and seen[name] != indexes[0]:
                    header = ["\0"]
            here = header
        else:
            assigned = re.match(r"\s*([\w.\"'-]+)\s*=", line)
            if not assigned:
                continue
            here = [*header, *(part.strip("\"'") for part in assigned.group(1).split("."))]
        depth = len(here)
        if wanted[:depth] == here and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _explained(detail: ErrorDetails, place: Key, model: type[BaseModel]) -> tuple[str, str]:
    """Return problem and cure of one pydantic error, in words for a network manager."""
    kind = detail["type"]
    last = str(place[-1]) if place else ""
    if kind == "extra_forbidden":
        names = _field_names(model, place[:-1])
        close = difflib.get_close_matches(last, names, n=1)
        cure = f"did you mean {close[0]!r}? " if close else ""
        return f"unknown key {last!r}", f"{cure}known keys here: {', '.join(sorted(names)) or 'none'}"
    if kind == "missing":
        return f"{last!r} is missing", f"add a line: {last} = ..."
    message = detail["msg"].removeprefix("Value error, ")
    found = detail["input"]
    shown = "" if isinstance(found, dict | Table) else f" (found {repr(found)[:60]})"
    return f"{message}{shown}", f"correct the value of {last!r}" if last else "mend what is said here"


def _field_names(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the field names of the model at `loc` inside `model`."""
    current: Any = model
    for part in loc:
        if isinstance(part, str):
            current = _inner(current, part)
    fields = getattr(current, "model_fields", {})
    return [name for name, field in fields.items() if not field.exclude]


def _inner(current: Any, name: str) -> Any:  # noqa: ANN401 - an annotation
    """Return the model that stands at `name` in a model, a list or a dict of models."""
    fields = getattr(current, "model_fields", {})
    field = fields.get("root") or fields.get(name)
    inner = field.annotation if field else current
    while not hasattr(inner, "model_fields"):
        models = [a for a in get_args(inner) if hasattr(a, "model_fields") or get_args(a)]
        if not models:
            break
        inner = models[-1]
    return inner
