"""The demonstration: the real jobs over a local server with invented posts. Nothing leaves this machine."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.jobs.workplace import open_workplace
from monitor.records import utc_now
from monitor.rehearsal.town import DemoTown
from monitor.settings import Secrets, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace


@contextmanager
def demo_workplace(folder: Path) -> Iterator[Workplace]:
    """Give a workplace that reads the rehearsal town and keeps everything in `folder`.

    Raises:
        ConfigError, StoreError: the folder cannot be used.
    """
    with DemoTown() as town:
        settings = demo_settings(folder, town)
        with open_workplace(settings, secrets=Secrets({})) as place:
            yield place


def demo_settings(folder: Path, town: DemoTown) -> Settings:
    """Return settings for the rehearsal town: every role has an invented address, mail goes to a folder."""
    today = utc_now().date()
    school = {role: f"{role.replace('_', '.')}@school.example" for role in ("headteacher", "dsl", "deputy_dsl")}
    roles = (
        "response_owner",
        "senior_leader",
        "lead_staff",
        "network_manager",
        "chair",
        "data_protection_officer",
        "business_director",
    )
    return Settings.model_validate(
        {
            "file": folder / "monitor.toml",
            "storage": {"folder": "."},
            "federation": {"contact": "monitor@school.example"},
            "privacy": {
                "dpia": {
                    "reference": "DEMONSTRATION (invented posts only)",
                    "owner": "nobody",
                    "signed": today,
                    "review_due": today + timedelta(days=1),
                }
            },
            "roles": {
                **{role: f"{role.replace('_', '.')}@school.example" for role in roles},
                "schools": {"BHS": school, "KJS": school},
            },
            "mail": {"sender": "monitor@school.example"},
            "reading": {"private_hosts": town.private_hosts},
            "sources": town.sources,
        }
    )
