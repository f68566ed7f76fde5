"""Everything a job works with, opened once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from monitor.channels import Courier
from monitor.errors import ConfigError, StoreError
from monitor.handles import Handles
from monitor.http import Client, user_agent
from monitor.jobs.storekeeping import open_sound
from monitor.mail import Postman
from monitor.policy import folder as rules
from monitor.policy.accounts import with_accounts
from monitor.policy.left_alone import left_alone
from monitor.policy.scope import keep_to_the_topic
from monitor.records import utc_now
from monitor.settings import Secrets
from monitor.store.audit import CLOCK

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from analysis.pipeline import Judges
    from monitor.policy.folder import Policy
    from monitor.records import Clock
    from monitor.settings import Settings
    from monitor.store.engine import Store


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Settings, rules, store, secrets and clock of one monitor.

    Use it as a context manager: it closes the store and the HTTP client.
    """

    settings: Settings
    policy: Policy
    store: Store
    handles: Handles
    secrets: Secrets
    clock: Clock
    who: str = CLOCK
    """Who acts, for the audit: an account of this machine, or the clock."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "http" in self.__dict__:
            self.http.close()
        self.store.close()

    @cached_property
    def http(self) -> Client:
        """The polite client, made when it is first needed."""
        return Client(self.settings.reading, self.settings.federation, self.clock)

    @cached_property
    def judges(self) -> Judges:
        """What posts are judged with, built when the first is."""
        from analysis import pipeline  # noqa: PLC0415 - the encoder is heavy, and most commands judge nothing
        from analysis.encoder import Encoder  # noqa: PLC0415

        return pipeline.judges_of(self.policy, Encoder.load())

    @cached_property
    def left_alone(self) -> frozenset[str]:
        """What masking leaves in posts."""
        return left_alone(self.policy)

    @property
    def postman(self) -> Postman:
        """Sends what waits in the outbox."""
        return Postman(
            self.store, self.settings.mail, self.secrets, self.outbox_folder, self.clock, roles=self.settings.roles
        )

    @property
    def courier(self) -> Courier:
        """Takes what waits in the outbox to the channels of those who are alerted."""
        return Courier(self.store, self.secrets, self.clock)

    @property
    def outbox_folder(self) -> Path:
        """Where messages are laid while there is no mail relay."""
        return self.settings.folder / "outbox"

    @property
    def reports_folder(self) -> Path:
        """Where reports are written."""
        return self.settings.folder / "reports"

    @property
    def user_agent(self) -> str:
        """Who we are."""
        return user_agent(self.settings.federation)


def open_workplace(
    settings: Settings,
    *,
    secrets: Secrets | None = None,
    clock: Clock = utc_now,
    who: str = CLOCK,
    thorough: bool = False,
) -> Workplace:
    """Open the store and load the rules.

    The store is read from end to end; one that is damaged or gone is restored (see `monitor.jobs.storekeeping`).
    With `thorough` its indexes are compared with their tables as well.

    Raises:
        ConfigError: the policy folder is wrong, or monitor.toml names a source or school that is not known.
        StoreError: the store or the data folder cannot be used.
    """
    policy = with_accounts(rules.load(settings.policy or rules.FOLDER), settings.accounts, file=settings.file)
    _known(settings, policy)
    try:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(f"the data folder {settings.folder} cannot be made: {error.strerror}") from error
    if not os.access(settings.folder, os.W_OK):
        raise StoreError(
            f"the data folder {settings.folder} cannot be written: make it the property of the user who runs the "
            "monitor, and look whether its file system is mounted read-only; nothing was lost"
        )
    return Workplace(
        settings=settings,
        policy=policy,
        store=open_sound(settings, clock=clock, thorough=thorough),
        handles=Handles(settings.folder / "handles.json"),
        secrets=secrets or Secrets(),
        clock=clock,
        who=who,
    )


def write_private(path: Path, content: str | bytes) -> Path:
    """Write a file that only its owner can read, in one step; return its path."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
        fresh.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _known(settings: Settings, policy: Policy) -> None:
    """Refuse names in monitor.toml that no rule knows."""
    for source in settings.sources:
        if source not in policy.sources:
            raise ConfigError(
                f"unknown source {source!r}",
                file=settings.file,
                key=f"sources.{source}",
                cure=f"known sources: {', '.join(policy.sources.names)}",
            )
    keep_to_the_topic(settings.sources, policy.schools, file=settings.file)
    named = dict.fromkeys(settings.channels.schools, "channels") | dict.fromkeys(settings.roles.schools, "roles")
    for code, table in named.items():
        if code not in policy.schools.codes:
            raise ConfigError(
                f"unknown school {code!r}",
                file=settings.file,
                key=f"{table}.schools.{code}",
                cure=f"known schools: {', '.join(policy.schools.codes)}",
            )
