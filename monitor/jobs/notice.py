"""The public privacy notice, gathered from the live configuration and the rules in force (PR14)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from monitor.errors import ConfigError
from monitor.jobs.audit import audited, note
from monitor.jobs.sources import standings
from monitor.records import Severity
from monitor.store.audit import Deed
from reports import notice
from reports.notice import NoticeMaterial, Searched

if TYPE_CHECKING:
    from monitor.jobs.workplace import Workplace

HOURS: Final = 24


class Reader(StrEnum):
    """For whom the notice is written."""

    EVERYONE = "everyone"
    CHILDREN = "children"
    BIO = "bio"


class Form(StrEnum):
    """In which form it is written."""

    MARKDOWN = "markdown"
    HTML = "html"


def written(place: Workplace, reader: Reader, form: Form) -> str:
    """Return the notice as the live configuration has it, and record that it was written.

    The line for a profile is plain text in either form.

    Raises:
        ConfigError: nobody is named whom people can write to.
    """
    material = gather(place)
    with audited(place) as connection:
        note(place, connection, Deed.NOTICE, f"for {reader}")
    if reader is Reader.BIO:
        return f"{notice.bio(material)}\n"
    view = notice.for_children(material) if reader is Reader.CHILDREN else notice.for_everyone(material)
    return notice.html(view) if form is Form.HTML else notice.markdown(view)


def gather(place: Workplace) -> NoticeMaterial:
    """Return everything that the notice says.

    Raises:
        ConfigError: nobody is named whom people can write to.
    """
    settings, escalation, schools = place.settings, place.policy.escalation, place.policy.schools
    officer = settings.roles.data_protection_officer or settings.federation.contact
    if not officer:
        raise ConfigError(
            "a privacy notice must say whom people can write to",
            file=settings.file,
            key="roles.data_protection_officer",
            cure="enter the Data Protection Officer's address",
        )
    dpia = settings.privacy.dpia
    rows = [row for row in escalation.categories.values() if row.severity is not None]
    # The response owner gets the digest, whoever owns a category.
    readers = dict.fromkeys(["response_owner", *(role for row in rows for role in row.readers)])
    return NoticeMaterial(
        federation=settings.federation.name,
        schools=tuple(school.name for school in schools.schools),
        officer=officer,
        searched=tuple(
            Searched(
                name=standing.policy.name,
                days=-(-standing.policy.keep_hours // HOURS) if standing.policy.keep_hours else None,
                never_sees=standing.policy.never_sees,
                told=standing.policy.kind == "manual",
            )
            for standing in standings(place)
            if standing.on
        ),
        phrases=schools.phrases,
        tags=schools.tags,
        topics=tuple(row.name for row in rows),
        readers=tuple(escalation.roles[role].name for role in readers),
        restricted=tuple(row.name for row in rows if row.restricted),
        days={
            f"{escalation.severities[severity].name} ({severity})": getattr(settings.retention, severity.value)
            for severity in Severity
        },
        reference=dpia.reference if dpia else "",
        owner=dpia.owner if dpia else "",
        signed=dpia.signed if dpia else None,
        review_due=dpia.review_due if dpia else None,
    )
