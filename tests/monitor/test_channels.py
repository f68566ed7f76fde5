"""A channel has the outbox's guarantee, never holds an e-mail up, and its token stands nowhere."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import traceback
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from monitor.channels import AT_ONCE, Courier, channel_message
from monitor.cli import group
from monitor.errors import ConfigError, DeliveryError
from monitor.jobs.checkup import State, check
from monitor.mail import BACKOFF, CLAIM
from monitor.rehearsal.server import Reply, Server
from monitor.settings import Channels, load
from monitor.store import audit, outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from monitor.jobs.workplace import Workplace
    from monitor.rehearsal.server import Request
    from tests.monitor.conftest import Hands

TOKEN = "t0ken-of-a-channel"
NAME = "CHANNEL_DSL"


class Phone:
    """A push service on this machine, which keeps what it is given and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.status = 200
        self.hold: threading.Event | None = None
        self.server = Server({"/*": self.take})

    def take(self, request: Request) -> Reply:
        if self.hold is not None:
            self.hold.wait(30)
        if self.status == 200:
            self.heard.append(request.json())
        return Reply(status=self.status)

    def secrets(self, *names: str) -> dict[str, str]:
        """What the environment holds: the address of this phone, with its token."""
        return {f"MONITOR_{name}": f"json://127.0.0.1:{self.server.port}/{TOKEN}" for name in names or (NAME,)}


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    with made.server:
        yield made
        if made.hold is not None:
            made.hold.set()


@pytest.fixture
def wired(opened: Callable[..., Workplace], phone: Phone) -> Workplace:
    """A workplace whose DSL at King James's has a channel."""
    return opened(secrets=phone.secrets(), channels={"schools": {"KJS": {"dsl": [NAME]}}})


def put(place: Workplace, number: int = 1, channel: str = NAME) -> None:
    message = channel_message(
        f"alert-KJS-000{number}", kind="alert", channel=channel, title="P0: KJS-0001", body="Look.", now=place.clock()
    )
    with place.store.write() as connection:
        assert outbox.queue(connection, message)


def waiting(place: Workplace) -> tuple[outbox.OutMessage, ...]:
    with place.store.read() as connection:
        return outbox.undelivered(connection, carrier=outbox.CHANNEL)


def test_a_message_is_taken_once_and_its_words_are_kept_no_longer(wired: Workplace, phone: Phone) -> None:
    put(wired)

    assert wired.courier.deliver().sent == 1
    assert wired.courier.deliver().sent == 0
    assert [(heard["title"], heard["message"]) for heard in phone.heard] == [("P0: KJS-0001", "Look.")]
    with wired.store.read() as connection:
        assert outbox.due(connection, wired.clock() + timedelta(days=9), carrier=outbox.CHANNEL) == ()
        assert "alert alert-KJS-0001 over CHANNEL_DSL" in [line.about for line in audit.entries(connection)]


def test_what_a_channel_refuses_is_tried_again_later_and_arrives_once(
    wired: Workplace, phone: Phone, hands: Hands
) -> None:
    put(wired)
    phone.status = 503
    assert wired.courier.deliver().delayed == 1
    (failed,) = waiting(wired)
    assert failed.error == f"{NAME} did not take it: it answered 503"
    assert failed.next_try == hands.now + timedelta(minutes=BACKOFF[0])

    phone.status = 200
    assert wired.courier.deliver().sent == 0
    hands.forward(minutes=BACKOFF[0])
    assert wired.courier.deliver().sent == 1
    assert len(phone.heard) == 1
    assert waiting(wired) == ()


def test_a_message_whose_process_died_half_way_comes_back(wired: Workplace, phone: Phone, hands: Hands) -> None:
    put(wired)
    with wired.store.write() as connection:
        (message,) = outbox.due(connection, hands.now, carrier=outbox.CHANNEL)
        assert outbox.claim(connection, message, now=hands.now, until=hands.now + CLAIM)

    assert wired.courier.deliver().sent == 0
    hands.forward(minutes=CLAIM.seconds // 60)
    assert wired.courier.deliver().sent == 1
    assert len(phone.heard) == 1


def test_a_channel_that_hangs_holds_up_neither_the_mail_nor_another_channel(
    opened: Callable[..., Workplace], phone: Phone
) -> None:
    """The hanging one is given up after the round's patience, and recorded as failed."""
    phone.hold = threading.Event()
    well = Phone()
    with well.server:
        place = opened(secrets={**phone.secrets("CHANNEL_SLOW"), **well.secrets("CHANNEL_WELL")})
        put(place, 1, "CHANNEL_SLOW")
        put(place, 2, "CHANNEL_WELL")
        courier = Courier(place.store, place.secrets, place.clock, patience=timedelta(seconds=1))
        delivered = courier.deliver()

    assert (delivered.sent, delivered.delayed) == (1, 1)
    assert [(one.recipient, one.error) for one in waiting(place)] == [
        ("CHANNEL_SLOW", "CHANNEL_SLOW did not answer in time")
    ]
    assert len(well.heard) == 1


def test_the_mail_does_not_carry_a_channels_messages_nor_the_channels_the_mails(wired: Workplace) -> None:
    put(wired)
    assert wired.postman.deliver().filed == 0
    assert not wired.outbox_folder.exists()


def test_a_round_takes_a_few_messages_and_the_next_one_the_others(wired: Workplace, phone: Phone) -> None:
    for number in range(AT_ONCE + 3):
        put(wired, number)
    assert wired.courier.deliver().sent == AT_ONCE
    assert wired.courier.deliver().sent == 3
    assert len(phone.heard) == AT_ONCE + 3


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "the secret CHANNEL_DSL is not set"),
        (f"nosuchservice://{TOKEN}", "holds no address that Apprise can use"),
        (f"{TOKEN}", "holds no address that Apprise can use"),
        (f"tgram://{TOKEN}", "holds no address that Apprise can use"),
    ],
)
def test_a_channel_that_cannot_be_used_waits_until_a_person_mends_it(
    opened: Callable[..., Workplace], address: str, says: str
) -> None:
    place = opened(secrets={f"MONITOR_{NAME}": address})
    put(place)
    assert place.courier.deliver().delayed == 1
    (failed,) = waiting(place)
    assert says in failed.error
    assert TOKEN not in failed.error


@pytest.mark.parametrize("status", [200, 401, 503, 0])
def test_a_channels_token_stands_in_no_log_no_error_and_not_in_the_store(
    wired: Workplace, phone: Phone, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    """Whatever the channel answers (0: nobody is there), with every log at its most talkative."""
    caplog.set_level(logging.DEBUG)
    if status:
        phone.status = status
    else:
        phone.server.stop()
    put(wired)
    wired.courier.deliver()
    try:
        wired.courier.send(NAME, "title", "body")
    except DeliveryError as error:
        told = "".join(traceback.format_exception(error))
        assert "did not take it" in told
        assert TOKEN not in told
    else:
        assert status == 200
    printed = capsys.readouterr()
    assert TOKEN not in caplog.text + printed.out + printed.err
    files = [file for file in wired.settings.folder.rglob("*") if file.is_file()]
    assert files
    assert not any(TOKEN.encode() in file.read_bytes() for file in files)


def test_the_check_up_says_what_kind_of_channel_it_is_and_what_was_not_delivered(
    wired: Workplace, phone: Phone
) -> None:
    def of_channel() -> list[tuple[State, str]]:
        found = check(wired, timedelta(days=2))
        assert TOKEN not in repr(found)
        return [(f.state, f.seen) for f in found.findings if f.subject == f"channel {NAME}"]

    assert of_channel() == [(State.WELL, "goes to JSON; not tried: use --test-channels")]
    phone.status = 401
    put(wired)
    wired.courier.deliver()
    ((state, seen),) = of_channel()
    assert state is State.WRONG
    assert seen.startswith("1 not delivered since 23 Nov 09:00 UTC")
    assert "401" in seen


def test_doctor_can_send_a_test_message_and_prints_no_token(
    tmp_path: Path, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of a real call holds the secret."""
    file = tmp_path / "monitor.toml"
    file.write_text(f'[channels.schools.KJS]\ndsl = ["{NAME}"]\n[sources.feeds]\nenabled = false\n')
    for name, value in phone.secrets().items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(group, ["doctor", "--config", str(file), "--offline", "--test-channels", "--json"])

    assert TOKEN not in answer.output
    findings = {f["subject"]: f["seen"] for f in json.loads(answer.output)["findings"]}
    assert findings[f"channel {NAME}"] == "goes to JSON; the test message was taken"
    assert [heard["title"] for heard in phone.heard] == ["Test from the Federation monitor"]


@pytest.mark.parametrize(
    "written",
    [
        f'[channels.schools.KJS]\ndsl = ["tgram://{TOKEN}/1"]',
        f'[channels.schools.KJS]\ndsl = "tgram://{TOKEN}/1"',
        f'[channels.roles]\nchair = ["tgram://{TOKEN}/1"]',
        f'[channels.roles]\nchair = [["tgram://{TOKEN}/1"]]',
        f'[channels.roles]\nchair = {{ url = "tgram://{TOKEN}/1" }}',
        f'[channels]\nchair = "tgram://{TOKEN}/1"',
        f'[channels]\nroles = "tgram://{TOKEN}/1"',
        f'[channels]\nschools = "tgram://{TOKEN}/1"',
        f'channels = "tgram://{TOKEN}/1"',
        '[channels.roles]\nnobody = ["CHANNEL_X"]',
        '[channels.schools.KJS]\nchair = ["CHANNEL_X"]',
        '[channels.roles]\nchair = ["channel-x"]',
    ],
)
def test_an_address_in_the_configuration_is_refused_without_being_repeated(tmp_path: Path, written: str) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text(written)
    with pytest.raises(ConfigError) as refused:
        load(file, {})
    assert TOKEN not in "".join(traceback.format_exception(refused.value))
    assert refused.value.cure


def test_an_unknown_schools_channels_are_an_error(opened: Callable[..., Workplace]) -> None:
    with pytest.raises(ConfigError, match="unknown school 'ABC'"):
        opened(channels={"schools": {"ABC": {"dsl": [NAME]}}})


def test_channels_belong_to_a_role_at_a_school_or_of_the_federation() -> None:
    channels = Channels.model_validate(
        {"roles": {"chair": ["A", "B"]}, "schools": {"KJS": {"dsl": ["B", "C"]}, "BHS": {"dsl": ["D"]}}}
    )
    assert channels.secrets("chair", "KJS") == ("A", "B")
    assert channels.secrets("dsl", "KJS") == ("B", "C")
    assert channels.secrets("headteacher", "KJS") == ()
    assert channels.every == ("A", "B", "C", "D")


WITHOUT_THE_EXTRA = f"""
import sys
sys.modules["apprise"] = None  # what an installation without the extra looks like to an import
from monitor.channels import Courier
from monitor.errors import DeliveryError
from monitor.jobs import routine
from monitor.settings import Secrets
try:
    Courier(None, Secrets({{"MONITOR_{NAME}": "json://127.0.0.1/{TOKEN}"}}), None).send("{NAME}", "title", "body")
except DeliveryError as error:
    print(error)
"""


def test_the_mails_way_needs_nothing_of_the_extra_and_a_channel_says_what_it_needs() -> None:
    child = subprocess.run([sys.executable, "-c", WITHOUT_THE_EXTRA], capture_output=True, text=True, check=True)  # noqa: S603 - our own program
    assert child.stdout == "channels need the extra: pip install 'federation-monitor[channels]'\n"


def test_nothing_waits_where_no_channel_is_configured(place: Workplace) -> None:
    assert place.settings.channels.every == ()
    assert place.courier.deliver().sent == 0
