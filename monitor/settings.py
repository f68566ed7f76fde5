"""What is watched, who is told, and when: monitor.toml, read and checked. Secrets come from the environment.

Unknown keys, wrong types and contradictions are errors that name file, key and cure. Secrets are never in
the file: each is read from `MONITOR_<NAME>` or from the file named by `MONITOR_<NAME>_FILE`.
"""

from __future__ import annotations

import os
import re
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, model_validator

from monitor.errors import ConfigError
from monitor.tables import Table, line_of, read_toml, validated

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FILE = Path("monitor.toml")
FILE_VARIABLE = "MONITOR_CONFIG"
"""Environment variable that names another configuration file."""

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""What HTML calls a valid e-mail address (WHATWG HTML, 4.10.5.1.5)."""


def _address(value: str) -> str:
    """Accept one e-mail address without line breaks or display name; an empty one means "nobody yet"."""
    if value and not _PLAIN_ADDRESS.fullmatch(value):
        problem = "not one plain e-mail address"
        raise ValueError(problem)
    return value


Address = Annotated[str, AfterValidator(_address)]


class Federation(Table):
    """Who runs the monitor.

    Attributes:
        name: in full, for reports. short_name: for subjects, "[Federation]".
        time_zone: IANA name; the zone of every clock time in this file and in reports.
        contact: e-mail address told to every site that is read.
    """

    name: str = "Boroughbridge High School and King James's School Federation"
    short_name: str = Field(default="Federation", max_length=30, pattern=r"^[\w &'-]+$")
    time_zone: str = "Europe/London"
    contact: Address = ""

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        """Refuse a zone that this machine does not know."""
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            problem = f"unknown time_zone {self.time_zone!r}; write one like Europe/London"
            raise ValueError(problem) from error
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of clock times."""
        return ZoneInfo(self.time_zone)


class Storage(Table):
    """Where things are kept.

    Attributes:
        folder: database, outbox and reports; relative to monitor.toml.
        database: an SQLAlchemy URL for PostgreSQL, without a password (PostgreSQL's own client finds it in
            the file that PGPASSFILE names); "" for SQLite in `folder`.
        backup_days: how long a nightly backup of SQLite is kept. No longer than the words of an everyday post:
            what is erased leaves the backups in the following night, and one that is damaged goes with its age.
    """

    folder: Path = Path("monitor-data")
    database: str = ""
    backup_days: int = Field(default=7, ge=1, le=30)

    @model_validator(mode="after")
    def _without_password(self) -> Self:
        """Refuse a password in this file; the error does not repeat it."""
        if urlsplit(self.database).password:
            problem = "database holds a password; take it out and put it in the file that PGPASSFILE names"
            raise ValueError(problem)
        return self


class Dpia(Table):
    """The signed Data Protection Impact Assessment; live collection refuses to start without it (PR10)."""

    reference: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    signed: date
    review_due: date

    @model_validator(mode="after")
    def _review_after_signature(self) -> Self:
        """Refuse a review that was due before the signature."""
        if self.review_due <= self.signed:
            problem = "review_due must be later than signed"
            raise ValueError(problem)
        return self


class Privacy(Table):
    """The lawful frame (UK GDPR Art 6(1)(e): a public body's public task; nothing else is accepted)."""

    lawful_basis: Literal["public_task"] = "public_task"
    dpia: Dpia | None = None


class SchoolRoles(Table):
    """Addresses of the roles that each school has of its own."""

    headteacher: Address = ""
    dsl: Address = ""
    deputy_dsl: Address = ""
    exams_officer: Address = ""
    senco: Address = ""


class Roles(Table):
    """Which address stands behind which role. Nothing goes to a role without one."""

    response_owner: Address = ""
    senior_leader: Address = ""
    lead_staff: Address = ""
    network_manager: Address = ""
    chair: Address = ""
    data_protection_officer: Address = ""
    business_director: Address = ""
    schools: dict[str, SchoolRoles] = Field(default_factory=dict)

    def address(self, role: str, school: str | None = None) -> str:
        """Return the address of `role` (at `school`, for roles each school has), "" if nobody is named."""
        if role in SchoolRoles.model_fields:
            holder = self.schools.get(school or "")
            return str(getattr(holder, role)) if holder else ""
        return str(getattr(self, role, ""))

    def held_by(self, address: str) -> tuple[str, ...]:
        """Return the roles behind an address: "response_owner", "dsl at KJS"."""
        own = [name for name in Roles.model_fields if getattr(self, name) == address]
        at_schools = [
            f"{name} at {code}"
            for code, holder in self.schools.items()
            for name in SchoolRoles.model_fields
            if getattr(holder, name) == address
        ]
        return (*own, *at_schools)


_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class Channels(Table):
    """By which further channels a role is alerted: the NAMES of the secrets that hold the channels' Apprise addresses.

    An Apprise address carries a token, so it never stands in this file.

    Attributes:
        roles: role -> names, for the roles of the Federation.
        schools: code -> role -> names, for the roles that each school has of its own.
    """

    roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    schools: dict[str, dict[str, tuple[str, ...]]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _names_alone(cls, content: Any) -> Any:  # noqa: ANN401 - as it was written
        """Refuse anything that is not the name of a secret. No error repeats it: it may be an address."""
        if not isinstance(content, dict):
            return {"roles": None}
        schools = content.get("schools", {})
        if not isinstance(schools, dict):
            raise ValueError("write [channels.schools.CODE]")  # noqa: TRY004 - pydantic's way
        tables = [(content.get("roles", {}), set(Roles.model_fields) - {"schools"})]
        tables += [(table, set(SchoolRoles.model_fields)) for table in schools.values()]
        for table, known in tables:
            if not isinstance(table, dict) or not table.keys() <= known:
                raise ValueError(f"channels belong to roles; known here: {', '.join(sorted(known))}")
            for names in table.values():
                if not isinstance(names, list | tuple) or not all(map(_is_secret_name, names)):
                    raise ValueError(
                        'a role has a list of names of secrets, like ["CHANNEL_DSL_KJS"]; '
                        "the address itself belongs in MONITOR_CHANNEL_DSL_KJS"
                    )
        return content

    def secrets(self, role: str, school: str) -> tuple[str, ...]:
        """Return the names of the secrets that hold the channels of `role` (at `school`, for roles each school has)."""
        if role in SchoolRoles.model_fields:
            return self.schools.get(school, {}).get(role, ())
        return self.roles.get(role, ())

    @property
    def every(self) -> tuple[str, ...]:
        """The names of all secrets, each once."""
        tables = (self.roles, *self.schools.values())
        return tuple(dict.fromkeys(name for table in tables for names in table.values() for name in names))


def _is_secret_name(name: object) -> bool:
    """Whether `name` could be the name of a secret."""
    return isinstance(name, str) and _SECRET_NAME.fullmatch(name) is not None


class Mail(Table):
    """The Federation's own SMTP relay; without a host, messages are laid into a folder.

    The password is the secret SMTP_PASSWORD.
    """

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    sender: Address = ""
    reply_to: Address = ""
    timeout_seconds: float = Field(default=30, gt=0, le=300)
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Refuse a relay without a sender, and a password in the clear to another machine."""
        if self.host and not self.sender:
            problem = "[mail] has a host but no sender; add the mailbox that replies go to"
            raise ValueError(problem)
        if self.security == "none" and self.username:
            problem = 'security = "none" would send the password in the clear; use "starttls" or "tls"'
            raise ValueError(problem)
        return self


class Schedule(Table):
    """When things happen, in the Federation's time zone.

    Nothing may stand between 01:00 and 02:00: that hour comes twice or never when the clocks change.
    """

    digest_time: time = time(7, 30)
    digest_days: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri")
    weekly_day: Day = "mon"
    weekly_time: time = time(7, 45)
    retention_time: time = time(3, 15)
    backup_time: time = time(3, 45)
    collect_every_minutes: int = Field(default=15, ge=1, le=1440)

    @model_validator(mode="after")
    def _outside_the_changing_hour(self) -> Self:
        """Refuse times in the hour of the clock change, with seconds, or with a zone of their own."""
        for name in ("digest_time", "weekly_time", "retention_time", "backup_time"):
            at: time = getattr(self, name)
            if at.hour == 1:
                problem = f"{name} lies between 01:00 and 02:00, which the clock change repeats or skips"
                raise ValueError(problem)
            if at.tzinfo is not None:
                problem = f"{name} has a zone of its own; [federation] time_zone decides"
                raise ValueError(problem)
            if at.second or at.microsecond:
                problem = f"{name} is given to the second; write whole minutes, like 07:30:00"
                raise ValueError(problem)
        if not self.digest_days:
            problem = "digest_days is empty: name at least one day"
            raise ValueError(problem)
        return self


class Closure(Table):
    """Days on which the schools are closed, both included: a holiday or an INSET day."""

    name: str
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Refuse a closure that ends before it begins."""
        if self.last < self.first:
            problem = f"closure {self.name!r} ends before it begins"
            raise ValueError(problem)
        return self


class Calendar(Table):
    """When somebody is there: the clock of staffed hours on which due times run.

    Attributes:
        opens, closes: staffed hours on a school day.
        bank_holidays: whether England's bank holidays count as closed.
        closures: holidays and INSET days.
    """

    opens: time = time(8, 0)
    closes: time = time(17, 0)
    bank_holidays: bool = True
    closures: tuple[Closure, ...] = ()

    @model_validator(mode="after")
    def _open_some_time(self) -> Self:
        """Refuse a day that closes before it opens."""
        if self.closes <= self.opens:
            problem = "closes must be later than opens"
            raise ValueError(problem)
        return self


class Retention(Table):
    """Days a mention's words are kept, by severity; a source's own shorter limit wins (PR07)."""

    P0: int = Field(default=90, ge=1, le=90)
    P1: int = Field(default=90, ge=1, le=90)
    P2: int = Field(default=90, ge=1, le=90)
    P3: int = Field(default=60, ge=1, le=60)
    P4: int = Field(default=30, ge=1, le=30)


class Reading(Table):
    """How pages and feeds are fetched.

    Attributes:
        connect_seconds, read_seconds, total_seconds: patience.
        max_megabytes: the most a body may be, after decompression.
        private_hosts: "host" or "host:port" on private addresses that may be read all the same.
        backfill_days: how far back the first run looks; never more than 30 (PR21).
        p4_posts_a_day: of how many everyday posts (P4) a source and day the words are kept; the others are counted, and
            a post that needs anybody is never one of them. Never more than 1,000 (PR21).
    """

    connect_seconds: float = Field(default=10, gt=0, le=60)
    read_seconds: float = Field(default=20, gt=0, le=120)
    total_seconds: float = Field(default=120, gt=0, le=900)
    max_megabytes: float = Field(default=10, gt=0, le=100)
    private_hosts: tuple[str, ...] = ()
    backfill_days: int = Field(default=7, ge=1, le=30)
    p4_posts_a_day: int = Field(default=200, ge=0, le=1000)


Handle = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_](?:[A-Za-z0-9._-]{1,62}[A-Za-z0-9_])$")]
"""An account's name, with or without "@"."""


class Settings(Table):
    """The whole of monitor.toml.

    Attributes:
        accounts: school code -> handles of its official accounts, beside those of the policy folder's schools.toml.
        sources: `[sources.NAME]` tables as written; each collector checks its own (see `monitor.jobs`).
        file: where it was read from; relative paths start at its folder.
        text: the file's text, so that errors can name a line.
    """

    federation: Federation = Field(default_factory=Federation)
    storage: Storage = Field(default_factory=Storage)
    privacy: Privacy = Field(default_factory=Privacy)
    roles: Roles = Field(default_factory=Roles)
    channels: Channels = Field(default_factory=Channels)
    mail: Mail = Field(default_factory=Mail)
    schedule: Schedule = Field(default_factory=Schedule)
    calendar: Calendar = Field(default_factory=Calendar)
    retention: Retention = Field(default_factory=Retention)
    reading: Reading = Field(default_factory=Reading)
    policy_folder: Path | None = None
    accounts: dict[str, tuple[Handle, ...]] = Field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = Field(default_factory=dict)
    file: Path = Field(default=DEFAULT_FILE, exclude=True)
    text: str = Field(default="", exclude=True, repr=False)

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return (self.file.parent / self.storage.folder).resolve()

    @property
    def policy(self) -> Path | None:
        """The policy folder that replaces the packaged one, absolute, if any."""
        return (self.file.parent / self.policy_folder).resolve() if self.policy_folder else None

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the store."""
        return self.storage.database or f"sqlite:///{self.folder / 'monitor.sqlite'}"


def load(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in `path`, in `$MONITOR_CONFIG`, or in ./monitor.toml.

    Raises:
        ConfigError: the file is missing or wrong; names file, line, key and cure.
    """
    environment = os.environ if environment is None else environment
    file = path or Path(environment.get(FILE_VARIABLE) or DEFAULT_FILE)
    content, text = read_toml(file)
    for reserved in ("file", "text"):
        if reserved in content:
            problem = f"unknown key {reserved!r}"
            line = line_of(text, (reserved,))
            raise ConfigError(problem, file=file, key=reserved, line=line, cure="remove it")
    return validated(Settings, {**content, "file": file, "text": text}, file=file, text=text)


class Secrets:
    """Secrets from the environment: `MONITOR_<NAME>`, or the file that `MONITOR_<NAME>_FILE` names.

    Values are `SecretStr`: they print as stars in logs, tracebacks and `doctor`.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, name: str) -> SecretStr | None:
        """Return the secret, or None if it is not set.

        Raises:
            ConfigError: both forms are set, or the named file cannot be read.
        """
        variable = f"MONITOR_{name}"
        value, file = self._environment.get(variable), self._environment.get(f"{variable}_FILE")
        if value and file:
            problem = f"{variable} and {variable}_FILE are both set"
            raise ConfigError(problem, key=variable, cure="keep one of the two")
        if file:
            try:
                value = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problem = f"the file that {variable}_FILE names cannot be read ({type(error).__name__})"
                raise ConfigError(problem, key=f"{variable}_FILE", cure="name a readable file") from error
        return SecretStr(value) if value else None

    def need(self, name: str, why: str) -> SecretStr:
        """Return the secret.

        Raises:
            ConfigError: it is not set; says for what it is needed.
        """
        value = self.get(name)
        if value is None:
            problem = f"the secret {name} is not set: {why}"
            raise ConfigError(
                problem, key=f"MONITOR_{name}", cure=f"set MONITOR_{name}, or MONITOR_{name}_FILE to a file"
            )
        return value
