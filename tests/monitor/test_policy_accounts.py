"""Official accounts from monitor.toml: what names one is ours, and nothing else becomes ours by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from analysis.matching import Gate, Post
from monitor.errors import ConfigError
from monitor.jobs.collect import collect
from monitor.policy import folder
from monitor.policy.accounts import with_accounts
from monitor.records import Relevance
from monitor.rehearsal import tiktok
from monitor.rehearsal.server import Server
from monitor.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.jobs.workplace import Workplace
    from monitor.policy.folder import Policy
    from tests.monitor.conftest import Hands

FILE = Path("monitor.toml")
ACCOUNT = "example_official_account"


def rules(**accounts: tuple[str, ...]) -> Policy:
    return with_accounts(folder.load(), accounts, file=FILE)


def decided(policy: Policy, text: str) -> tuple[Relevance, tuple[str, ...]]:
    decision = Gate(policy.schools).decide(Post(text=text))
    return decision.relevant, decision.schools


def test_a_post_that_names_an_official_account_is_about_its_school() -> None:
    policy = rules(KJS=(f"@{ACCOUNT}",))

    assert decided(folder.load(), f"@{ACCOUNT} look at this")[0] is Relevance.NO
    assert decided(policy, f"@{ACCOUNT} look at this") == (Relevance.YES, ("KJS",))
    assert decided(policy, "look at this")[0] is Relevance.NO


def test_other_accounts_make_another_version_of_the_rules() -> None:
    versions = {folder.load().version, rules(KJS=(ACCOUNT,)).version, rules(BHS=(ACCOUNT,)).version}

    assert len(versions) == 3
    assert rules(KJS=()) == folder.load()
    assert rules(KJS=(ACCOUNT,)) == rules(KJS=(f"@{ACCOUNT}",))


@pytest.mark.parametrize("handle", ["KJS", "k_j_s", "King.James", "@knaresborough", "school"])
def test_an_account_whose_name_others_bear_too_is_refused(handle: str) -> None:
    with pytest.raises(ConfigError, match="would make their posts ours") as caught:
        rules(KJS=(handle,))
    assert caught.value.key == "accounts.KJS"


def test_an_account_of_a_school_that_is_not_known_is_refused(opened: Callable[..., Workplace]) -> None:
    with pytest.raises(ConfigError, match="unknown school 'XYZ'"):
        opened(accounts={"XYZ": [ACCOUNT]})


@pytest.mark.parametrize("wrong", ["", "@", "two words", "a/b", "https://x.example/a", "a" * 70])
def test_what_is_no_handle_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"accounts": {"KJS": [wrong]}})


def test_a_video_that_names_nothing_but_our_account_is_kept_and_the_account_is_not_masked(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """TikTok tells of mentions of our account: of what else should such a video be?"""
    video = tiktok.Post(
        video="7001", text=f"@{ACCOUNT} come along @somebody.else", created=hands() - timedelta(hours=1)
    )
    town = tiktok.TikTok([video, replace(video, video="7002", text="nothing of ours")], clock=hands)
    with Server(town.routes) as server:
        table: dict[str, Any] = {
            "enabled": True,
            "approval": "invented app, 1 October 2026",
            "business_id": town.business_id,
            "api_url": f"{server.url}{tiktok.VERSION}",
        }
        place = opened(
            sources={"tiktok": table},
            secrets={"MONITOR_TIKTOK_ACCESS_TOKEN": town.token},
            accounts={"KJS": [ACCOUNT]},
            reading={"private_hosts": [server.host]},
        )
        (run,) = collect(place)
    with place.store.read() as connection:
        texts = [row.text for row in connection.exec_driver_sql("SELECT text FROM mentions")]

    assert (run.seen, run.new) == (2, 1)
    assert len(texts) == 1
    assert f"@{ACCOUNT}" in texts[0]
    assert "somebody.else" not in texts[0]
