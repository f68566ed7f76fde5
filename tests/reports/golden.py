"""Every report as it must look, byte for byte, made from small invented data.

`python -m tests.reports.golden` writes the files anew; the difference is then looked at like any other change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports import alert, daily, incident, weekly
from tests.reports import material, test_alert, test_incident, weekly_material

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.records import Rendered

FOLDER: Final = Path(__file__).parents[1] / "data" / "golden"


def mail(rendered: Rendered) -> dict[str, str]:
    """Return ending -> content of a report with two bodies; the subject stands above the text."""
    return {"html": rendered.html, "txt": f"{rendered.subject}\n\n{rendered.text}"}


REPORTS: Final[dict[str, Callable[[], dict[str, str]]]] = {
    "daily-mixed": lambda: mail(daily.render(daily.build(material.mixed_day()))),
    "daily-next": lambda: mail(daily.render(daily.build(material.next_day()))),
    "daily-quiet": lambda: mail(daily.render(daily.build(material.quiet_day()))),
    "daily-gap": lambda: mail(daily.render(daily.build(material.gap_day()))),
    "weekly": lambda: mail(weekly.render(weekly.build(weekly_material.eventful_week()))),
    "weekly-letter": lambda: mail(weekly.letter(weekly.build(weekly_material.eventful_week()))),
    "weekly-first": lambda: mail(weekly.render(weekly.build(weekly_material.first_week()))),
    "incident": lambda: {"html": incident.render(incident.build(test_incident.storm()))},
    "incident-letter": lambda: mail(incident.letter(incident.build(test_incident.storm()))),
    "alert-reader": lambda: mail(alert.render(test_alert.alert("THREAT_VIOLENCE", "headteacher"))),
    "alert-other": lambda: mail(alert.render(test_alert.alert("SELF_HARM", "headteacher"))),
}
"""Name of the files -> the report, by ending."""


def files(name: str) -> dict[Path, str]:
    """Return the files of one report and what stands in them."""
    return {FOLDER / f"{name}.{ending}": content for ending, content in REPORTS[name]().items()}


def main() -> None:
    """Write every file anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name in REPORTS:
        for file, content in files(name).items():
            file.write_text(content, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
