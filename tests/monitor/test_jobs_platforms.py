"""`doctor` lists every platform of the policy with its true state, and what a person must do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import collectors
from monitor.cli import group
from monitor.jobs.checkup import check
from monitor.jobs.platforms import Readiness
from monitor.jobs.sources import Lack, standings
from monitor.records import Outcome
from monitor.rehearsal import meta, threads, tiktok
from monitor.rehearsal.facebook import Facebook
from monitor.rehearsal.instagram import ACCOUNT, Instagram
from monitor.rehearsal.linkedin import LinkedIn
from monitor.rehearsal.server import Reply, Server, json_reply, status
from tests.monitor.conftest import ran

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from monitor.jobs.platforms import Platform
    from monitor.jobs.workplace import Workplace
    from tests.monitor.conftest import Hands

LATELY = timedelta(days=2)
NAMED = {  # Social Media Policy, "Definition": platforms, games and video sharing
    "Facebook": "facebook",
    "Twitter": "x",
    "TikTok": "tiktok",
    "Instagram": "instagram",
    "LinkedIn": "linkedin",
    "Minecraft": "reported",
    "YouTube": "youtube",
}
APPROVED = {"enabled": True, "approval": "invented app, 1 October 2026"}


def platform(place: Workplace, source: str, *, ask: bool = False) -> Platform:
    return next(one for one in check(place, LATELY, ask=ask).platforms if one.source == source)


@pytest.mark.parametrize(("name", "source"), NAMED.items())
def test_each_platform_that_the_policy_names_is_listed_under_that_name(
    place: Workplace, name: str, source: str
) -> None:
    listed = [one for one in check(place, LATELY).platforms if name in one.name]

    assert [one.source for one in listed] == [source]
    assert listed[0].state not in {Readiness.OK, Readiness.NEVER}, "nothing is configured"
    assert listed[0].why
    assert listed[0].todo


def test_every_collector_is_listed_once(place: Workplace) -> None:
    assert sorted(one.source for one in check(place, LATELY).platforms) == sorted(collectors.names())


@pytest.mark.parametrize("source", ["x", "reddit", "threads", "tiktok", "linkedin"])
def test_what_ships_off_says_why_and_what_has_to_be_got_first(opened: Callable[..., Workplace], source: str) -> None:
    place = opened(sources={})
    row = place.policy.sources[source]
    found = platform(place, source)

    assert found.state is Lack.OFF_BY_DEFAULT
    assert found.why == row.why
    assert row.needs_approval in found.todo
    assert f"[sources.{source}]" in found.todo


@pytest.mark.parametrize("source", ["x", "reddit", "threads", "tiktok", "linkedin"])
def test_what_was_switched_on_without_its_approval_says_which(opened: Callable[..., Workplace], source: str) -> None:
    place = opened(sources={source: {"enabled": True}})
    found = platform(place, source)

    assert found.state is Lack.APPROVAL
    assert place.policy.sources[source].needs_approval in found.why
    assert "as approval" in found.todo


@pytest.mark.parametrize("source", [name for name in collectors.names() if collectors.module(name).SECRETS])
def test_what_has_no_credentials_names_every_variable(opened: Callable[..., Workplace], source: str) -> None:
    """Also in the file form, because that is how a service gets them."""
    place = opened(sources={source: APPROVED})
    found = platform(place, source)

    assert found.state is Lack.CREDENTIALS
    for secret in collectors.module(source).SECRETS:
        assert f"MONITOR_{secret}" in found.why
        assert f"MONITOR_{secret}" in found.todo
    assert "_FILE" in found.todo


@pytest.mark.parametrize("source", ["facebook", "instagram", "tiktok", "linkedin"])
def test_what_has_no_account_to_read_says_that_it_is_not_complete(
    opened: Callable[..., Workplace], source: str
) -> None:
    secrets = {f"MONITOR_{name}": "planted" for name in collectors.module(source).SECRETS}
    place = opened(sources={source: APPROVED}, secrets=secrets)
    found = platform(place, source)

    assert found.state is Lack.OPTIONS
    assert found.why.startswith("no ")
    assert "planted" not in repr(found)


@pytest.mark.parametrize(
    "source", ["feeds", "pages", "facebook", "youtube", "bluesky", "mastodon", "gdelt", "reported"]
)
def test_what_is_on_by_default_and_was_never_configured_says_where_to_write_it(
    opened: Callable[..., Workplace], source: str
) -> None:
    found = platform(opened(sources={}), source)

    assert found.state is Lack.CONFIGURATION
    assert f"[sources.{source}]" in found.todo


def test_what_was_switched_off_is_left_alone(place: Workplace) -> None:
    assert platform(place, "feeds").state is Lack.SWITCHED_OFF


def own_accounts(url: str) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Return options and secrets of the platforms that show our own accounts to us alone."""
    graph = {"graph_url": f"{url}{meta.VERSION}"}
    return {
        "facebook": ({**graph, "pages": ["101"]}, {"MONITOR_FACEBOOK_TOKEN": Facebook().token}),
        "instagram": ({**graph, "accounts": [ACCOUNT]}, {"MONITOR_INSTAGRAM_TOKEN": Instagram().token}),
        "threads": ({**APPROVED, **graph}, {"MONITOR_THREADS_TOKEN": threads.Threads().token}),
        "tiktok": (
            {**APPROVED, "api_url": f"{url}{tiktok.VERSION}", "business_id": tiktok.TikTok().business_id},
            {"MONITOR_TIKTOK_ACCESS_TOKEN": tiktok.TikTok().token},
        ),
        "linkedin": (
            {**APPROVED, "api_url": url, "organizations": {"12345": "Our School"}},
            {"MONITOR_LINKEDIN_ACCESS_TOKEN": LinkedIn().token},
        ),
    }


FAKES: dict[str, Callable[[], Any]] = {
    "facebook": Facebook,
    "instagram": Instagram,
    "threads": threads.Threads,
    "tiktok": tiktok.TikTok,
    "linkedin": LinkedIn,
}


def refuses_token(source: str) -> Callable[..., Reply]:
    """Return the fault by which a platform says that our token is over."""
    if source == "tiktok":
        return lambda _request, _reply: json_reply({"code": 40105, "message": "Access token is expired", "data": {}})
    return status(401) if source == "linkedin" else meta.expired_token()


@pytest.mark.parametrize("source", FAKES)
def test_a_platform_that_is_asked_is_ok_refused_or_waiting_as_it_says(
    opened: Callable[..., Workplace], hands: Hands, source: str
) -> None:
    """The same configuration: a token that is good, one that is over, a wish to wait, a fault of the platform's."""
    with Server(FAKES[source]().routes) as server:
        options, secrets = own_accounts(server.url)[source]
        place = opened(sources={source: options}, secrets=secrets, reading={"private_hosts": [server.host]})
        ran(place, source)
        hands.forward(minutes=1)
        good = platform(place, source, ask=True)
        server.play(refuses_token(source))
        over = platform(place, source, ask=True)
        server.mend()
        server.play(status(429, {"Retry-After": "60"}))
        waits = platform(place, source, ask=True)
        server.mend()
        server.play(status(502))
        broken = platform(place, source, ask=True)

    assert (good.state, good.why, good.todo) == (Readiness.OK, "", "")
    assert over.state is Readiness.REFUSED
    assert next(iter(secrets)) in over.todo
    assert waits.state is Readiness.WAITING
    assert waits.todo.startswith("wait")
    assert broken.state is Readiness.FAILING
    assert not any(secret in repr((good, over, waits, broken)) for secret in secrets.values())


def test_without_asking_the_last_run_speaks(opened: Callable[..., Workplace], hands: Hands) -> None:
    options, secrets = own_accounts("http://127.0.0.1:9")["facebook"]
    place = opened(sources={"facebook": options}, secrets=secrets)
    assert platform(place, "facebook").state is Readiness.NEVER

    ran(place, "facebook")
    hands.forward(minutes=1)
    assert platform(place, "facebook").state is Readiness.OK

    hands.forward(minutes=30)
    ran(place, "facebook", Outcome.FAILED, error_kind="access_refused", error="says no with code 190")
    hands.forward(minutes=1)
    found = platform(place, "facebook")
    assert (found.state, "190" in found.why, "MONITOR_FACEBOOK_TOKEN" in found.todo) == (Readiness.REFUSED, True, True)

    ran(place, "facebook")
    hands.forward(days=2)
    assert platform(place, "facebook").state is Readiness.BEHIND


def test_a_platform_that_lets_us_in_again_is_no_longer_called_refused(
    opened: Callable[..., Workplace], hands: Hands
) -> None:
    """The person has renewed the token and asks the doctor whether that was it."""
    with Server(Facebook().routes) as server:
        options, secrets = own_accounts(server.url)["facebook"]
        place = opened(sources={"facebook": options}, secrets=secrets, reading={"private_hosts": [server.host]})
        ran(place, "facebook")
        ran(place, "facebook", Outcome.FAILED, error_kind="access_refused", error="says no with code 190")
        hands.forward(minutes=1)
        before, after = platform(place, "facebook"), platform(place, "facebook", ask=True)

    assert before.state is Readiness.REFUSED
    assert (after.state, "next turn" in after.todo) == (Readiness.BEHIND, True)


def test_a_recorded_approval_that_may_be_revoked_is_named(opened: Callable[..., Workplace], hands: Hands) -> None:
    options, secrets = own_accounts("http://127.0.0.1:9")["threads"]
    place = opened(sources={"threads": options}, secrets=secrets)
    ran(place, "threads", Outcome.FAILED, error_kind="access_refused", error="says no with code 10")
    hands.forward(minutes=1)

    found = platform(place, "threads")
    assert found.state is Readiness.REFUSED
    assert "whether the approval still stands (invented app, 1 October 2026)" in found.todo


def test_each_state_has_something_to_do_or_is_well(opened: Callable[..., Workplace]) -> None:
    place = opened(sources={})
    for one, standing in zip(check(place, LATELY).platforms, standings(place), strict=True):
        assert one.state is standing.lack
        assert one.todo


def test_the_command_prints_every_platform_with_its_state_for_people_and_for_programs(tmp_path: Path) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text('[sources.tiktok]\nenabled = true\n[sources.facebook]\npages = ["1"]\n', "utf-8")
    run = CliRunner(env={"COLUMNS": "400", "MONITOR_FACEBOOK_TOKEN": ""}).invoke
    people = run(group, ["doctor", "--offline", "--config", str(file)]).output
    programs = json.loads(run(group, ["doctor", "--offline", "--json", "--config", str(file)]).output)
    states = {one["source"]: one["state"] for one in programs["platforms"]}

    assert all(name in people for name in NAMED)
    assert "approval missing" in people
    assert (states["tiktok"], states["facebook"], states["x"], states["youtube"]) == (
        "approval missing",
        "credentials missing",
        "off by default",
        "not configured",
    )
