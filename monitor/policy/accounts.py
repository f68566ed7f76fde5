"""The schools' official accounts: kept in monitor.toml where policy/schools.toml, which everybody shares, has none."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from monitor.policy.folder import Policy
    from monitor.policy.schools import Schools


def with_accounts(policy: Policy, accounts: Mapping[str, tuple[str, ...]], *, file: Path) -> Policy:
    """Return the rules with further official accounts, and a version of their own.

    Args:
        policy: the rules of a folder.
        accounts: school code -> handles, with or without "@".
        file: where the accounts stand, for errors.

    Raises:
        ConfigError: no school has such a code, or a handle is what people write of others: a post that holds a
            handle is ours, so that would make all of theirs ours.
    """
    if not any(accounts.values()):
        return policy
    known = policy.schools.codes
    for code in accounts:
        if code not in known:
            raise ConfigError(
                f"unknown school {code!r}", file=file, key=f"accounts.{code}", cure=f"known schools: {', '.join(known)}"
            )
    own = {code: tuple(handle.removeprefix("@") for handle in handles) for code, handles in accounts.items()}
    shared = {_plain(name) for name in _shared_names(policy.schools)}
    for code, handles in own.items():
        for handle in handles:
            if _plain(handle) in shared:
                raise ConfigError(
                    f"{handle!r} is written of others too, so it would make their posts ours",
                    file=file,
                    key=f"accounts.{code}",
                    cure="leave it out",
                )
    schools = tuple(
        school.model_copy(update={"handles": tuple(dict.fromkeys((*school.handles, *own.get(school.code, ()))))})
        for school in policy.schools.schools
    )
    version = hashlib.sha256(f"{policy.version}{json.dumps(own, sort_keys=True)}".encode()).hexdigest()[:12]
    return replace(policy, schools=policy.schools.model_copy(update={"schools": schools}), version=version)


def _plain(name: str) -> str:
    """Return a name as the gate compares it: spelling, signs and spaces make no difference."""
    return "".join(char for char in name.casefold() if char.isalnum())


def _shared_names(schools: Schools) -> Iterator[str]:
    """Yield what is not our schools' alone: names, towns, words of school life."""
    for school in schools.schools:
        yield from school.written_out((*school.weak, *school.common, *school.generic, *school.places))
        yield from school.towns
    for namesake in schools.namesakes:
        yield from (*namesake.names, *namesake.signals)
    yield from (*schools.words.school, *schools.words.sure, *schools.words.vague, *schools.federation.names)
