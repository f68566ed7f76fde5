"""monitor.toml is read as a whole or refused with file, line, key and cure; secrets never show."""

from __future__ import annotations

import os
import traceback
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from monitor import settings
from monitor.errors import ConfigError
from monitor.settings import Roles, SchoolRoles, Secrets, Settings
from monitor.tables import validated


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "monitor.toml"


def wrong(file: Path, text: str) -> ConfigError:
    """Return the error that a text raises."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        settings.load(file)
    assert caught.value.file == file
    assert caught.value.cure
    return caught.value


def test_an_empty_file_is_a_whole_configuration(file: Path) -> None:
    file.write_text("")
    read = settings.load(file)
    assert read.schedule.digest_time == time(7, 30)
    assert read.schedule.digest_days == ("mon", "tue", "wed", "thu", "fri")
    assert read.federation.zone == ZoneInfo("Europe/London")
    assert read.privacy.dpia is None
    assert read.policy is None


def test_relative_places_start_at_the_files_own_folder(file: Path, tmp_path: Path) -> None:
    file.write_text('policy_folder = "rules"\n[storage]\nfolder = "kept"\n')
    read = settings.load(file)
    assert read.folder == (tmp_path / "kept").resolve()
    assert read.policy == (tmp_path / "rules").resolve()
    assert read.database_url == f"sqlite:///{tmp_path.resolve() / 'kept' / 'monitor.sqlite'}"


def test_another_database_may_be_named(file: Path) -> None:
    file.write_text('[storage]\ndatabase = "postgresql+psycopg://monitor@db.example/monitor"\n')
    assert settings.load(file).database_url == "postgresql+psycopg://monitor@db.example/monitor"


def test_the_environment_may_name_the_file(file: Path) -> None:
    file.write_text('[federation]\nshort_name = "Named"\n')
    assert settings.load(environment={"MONITOR_CONFIG": str(file)}).federation.short_name == "Named"


def test_without_a_name_it_is_the_file_here(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        with pytest.raises(ConfigError, match=r"^monitor\.toml: there is no such file") as caught:
            settings.load(environment={})
    finally:
        os.chdir(before)
    assert "init" in (caught.value.cure or "")


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("[federation]\nnmae = 'x'\n", 2, "federation.nmae", "unknown key 'nmae'"),
        ("[fedration]\n", 1, "fedration", "unknown key 'fedration'"),
        ("file = 'x'\n", 1, "file", "unknown key 'file'"),
        ("[mail]\n\ntext = 'x'\n", 3, "mail.text", "unknown key 'text'"),
        ("text = 'x'\n", 1, "text", "unknown key 'text'"),
        ("[mail]\nport = 'many'\n", 2, "mail.port", "valid integer"),
        ("[mail]\nport = 70000\n", 2, "mail.port", "less than or equal to 65535"),
        ("[mail]\nhost = 'smtp.example'\n", 1, "mail", "no sender"),
        ("[mail]\nsecurity = 'none'\nusername = 'u'\n", 1, "mail", "in the clear"),
        ("[mail]\nsecurity = 'ssl'\n", 2, "mail.security", "'starttls', 'tls' or 'none'"),
        ("[roles.schools.KJS]\ndls = 'a@b.c'\n", 2, "roles.schools.KJS.dls", "unknown key"),
        ("[roles]\nresponse_owner = 'Head <a@b.c>'\n", 2, "roles.response_owner", "plain e-mail address"),
        ("[federation]\ntime_zone = 'Mars/Base'\n", 1, "federation", "unknown time_zone 'Mars/Base'"),
        ("[federation]\ntime_zone = '../etc'\n", 1, "federation", "unknown time_zone"),
        ("[federation]\nshort_name = 'a]\\nb'\n", 2, "federation.short_name", "match pattern"),
        ("[schedule]\ndigest_time = 01:30:00\n", 1, "schedule", "between 01:00 and 02:00"),
        ("[schedule]\ndigest_time = 07:30:30\n", 1, "schedule", "given to the second"),
        ("[schedule]\ndigest_time = '07:30Z'\n", 1, "schedule", "a zone of its own"),
        ("[schedule]\ndigest_days = []\n", 1, "schedule", "digest_days is empty"),
        ("[schedule]\ndigest_days = ['monday']\n", 2, "schedule.digest_days[0]", "'mon', 'tue'"),
        ("[calendar]\nopens = 17:00:00\ncloses = 08:00:00\n", 1, "calendar", "closes must be later"),
        (
            (
                "[[calendar.closures]]\nname='a'\nfirst=2026-12-21\nlast=2027-01-04\n"
                "[[calendar.closures]]\nname='b'\nfirst=2027-01-04\nlast=2026-12-21\n"
            ),
            5,
            "calendar.closures[1]",
            "ends before it begins",
        ),
        ("[privacy]\nlawful_basis = 'consent'\n", 2, "privacy.lawful_basis", "'public_task'"),
        ("[privacy.dpia]\nreference = 'D1'\n", 1, "privacy.dpia.owner", "'owner' is missing"),
        (
            "[privacy.dpia]\nreference='D'\nowner='H'\nsigned=2026-09-01\nreview_due=2026-09-01\n",
            1,
            "privacy.dpia",
            "review_due must be later",
        ),
        ("[retention]\nP4 = 31\n", 2, "retention.P4", "less than or equal to 30"),
        ("[reading]\nbackfill_days = 31\n", 2, "reading.backfill_days", "less than or equal to 30"),
        ("[storage]\ndatabase = 'postgresql://u:hunter2@h/d'\n", 1, "storage", "holds a password"),
        ("sources = 3\n", 1, "sources", "valid dictionary"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(file: Path, text: str, line: int, key: str, says: str) -> None:
    error = wrong(file, text)
    assert says in error.problem
    assert (error.line, error.key) == (line, key)


def test_what_may_be_written_is_listed_without_what_may_not(file: Path) -> None:
    cure = wrong(file, "zzz = 1\n").cure or ""
    assert "federation" in cure
    assert not {"file", "text"} & set(cure.replace(",", "").split())


def test_a_password_in_the_file_is_refused_and_not_repeated(file: Path) -> None:
    for text in (
        "[mail]\npassword = 'hunter2'\n",
        "[storage]\ndatabase = 'postgresql://u:hunter2@h/d'\n",
        "[mail]\nhost = 'h'\nport = 0\nusername = 'u'\npassword = 'hunter2'\n",
    ):
        assert "hunter2" not in "".join(traceback.format_exception(wrong(file, text)))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates() | st.times(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
keys = st.sampled_from([*Settings.model_fields, "unknown"])
below = st.sampled_from(["host", "port", "dpia", "schools", "closures", "digest_days", "P0", "x"])


@given(st.dictionaries(keys, values | st.dictionaries(below, values, max_size=3), max_size=3))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_content_is_settings_or_a_configuration_error(content: dict[str, object]) -> None:
    content.pop("file", None)
    content.pop("text", None)
    try:
        read = validated(Settings, content, file=Path("m.toml"))
    except ConfigError as error:
        assert error.file == Path("m.toml")  # noqa: PT017 - either end is right, and each is checked
        assert error.key  # noqa: PT017
        assert error.cure  # noqa: PT017
    else:
        assert isinstance(read, Settings)


@pytest.mark.parametrize("address", ["", "head@school.example", "o'brien+x@mail.school.example", "monitor@localhost"])
def test_a_plain_address_is_taken(address: str) -> None:
    assert Roles(response_owner=address).response_owner == address


@pytest.mark.parametrize(
    "address",
    [
        "@",
        "a@",
        "@b",
        "a b@c.d",
        "a@b@c",
        "a@b.c\r\nBcc: x@y.z",
        "a@b.c,d@e.f",
        "jürgen@b.c",
        "a@b.c\0",
        "a@b..c",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not one plain e-mail address"):
        Roles(response_owner=address)


def test_a_role_is_found_for_the_house_or_for_one_school() -> None:
    roles = Roles(response_owner="ro@a.example", schools={"KJS": SchoolRoles(dsl="dsl@kjs.example")})
    assert roles.address("response_owner") == "ro@a.example"
    assert roles.address("dsl", "KJS") == "dsl@kjs.example"
    assert roles.address("dsl", "BHS") == roles.address("dsl") == roles.address("chair") == ""
    assert roles.address("no_such_role") == ""


def test_a_signed_assessment_is_read(file: Path) -> None:
    file.write_text("[privacy.dpia]\nreference='D-1'\nowner='Head'\nsigned=2026-09-01\nreview_due=2027-09-01\n")
    dpia = settings.load(file).privacy.dpia
    assert dpia is not None
    assert dpia.review_due == date(2027, 9, 1)


def test_a_secret_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "password"
    kept.write_text("hunter2\n")
    direct = Secrets({"MONITOR_SMTP_PASSWORD": "hunter2"}).get("SMTP_PASSWORD")
    from_file = Secrets({"MONITOR_SMTP_PASSWORD_FILE": str(kept)}).get("SMTP_PASSWORD")
    assert direct is not None
    assert from_file is not None
    assert direct.get_secret_value() == from_file.get_secret_value() == "hunter2"
    assert Secrets({}).get("SMTP_PASSWORD") is None
    assert Secrets().get("NO_SUCH_SECRET_ANYWHERE") is None


def test_both_forms_of_a_secret_are_a_contradiction() -> None:
    secrets = Secrets({"MONITOR_K": "hunter2", "MONITOR_K_FILE": "/x"})
    with pytest.raises(ConfigError, match="MONITOR_K and MONITOR_K_FILE are both set") as caught:
        secrets.get("K")
    assert caught.value.cure == "keep one of the two"


def test_a_secret_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    binary = tmp_path / "b"
    binary.write_bytes(b"hunter2\xff")
    for place in (tmp_path / "none", tmp_path, binary):
        with pytest.raises(ConfigError) as caught:
            Secrets({"MONITOR_K_FILE": str(place)}).get("K")
        assert caught.value.key == "MONITOR_K_FILE"
        assert "hunter2" not in str(caught.value)


def test_a_secret_that_is_needed_says_for_what_and_how_to_set_it() -> None:
    with pytest.raises(ConfigError, match="the secret K is not set: to log in") as caught:
        Secrets({"MONITOR_K": ""}).need("K", "to log in")
    assert caught.value.cure == "set MONITOR_K, or MONITOR_K_FILE to a file"
    assert Secrets({"MONITOR_K": "v"}).need("K", "w").get_secret_value() == "v"


def test_a_secret_is_in_no_text_form_and_no_traceback() -> None:
    secrets = Secrets({"MONITOR_K": "hunter2"})
    value = secrets.need("K", "x")

    def fail() -> None:
        raise RuntimeError(value, secrets)

    with pytest.raises(RuntimeError) as caught:
        fail()
    shown = [repr(value), str(value), f"{value}", repr(secrets), str(secrets)]
    shown += traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    assert "hunter2" not in "".join(line for line in shown if "Secrets({" not in line)
