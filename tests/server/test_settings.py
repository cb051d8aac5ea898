"""Settings: where each comes from, what is refused, and that no secret shows."""

from __future__ import annotations

import logging
import os
import pickle
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from gemini_server import app, log, redaction, settings
from gemini_server.cli.serve import from_flags, parser
from gemini_server.errors import UnsafeSetting
from gemini_server.settings import Settings
from tests.conftest import configured_log

KEY = "AIzaSyCANARY" + "x" * 27
OTHER = "AIzaSyOTHER" + "y" * 28


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, so that the key of whoever runs the tests is not found."""
    for name in os.environ:
        if name.startswith(("GEMINI", "GOOGLE", "XDG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def key_file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_anything_the_defaults_hold_and_there_is_no_key() -> None:
    found = settings.read({})
    assert found == Settings()
    assert found.key is None
    assert found.base_url == "https://generativelanguage.googleapis.com"
    assert found.allow_dirs is None
    assert not found.allow_sensitive
    assert found.http is None


@pytest.mark.parametrize(
    ("environ", "key", "source"),
    [
        ({"GEMINI_API_KEY": KEY, "GOOGLE_API_KEY": OTHER}, KEY, "GEMINI_API_KEY"),
        ({"GOOGLE_API_KEY": OTHER}, OTHER, "GOOGLE_API_KEY"),
        ({"GEMINI_API_KEY": "", "GOOGLE_API_KEY": OTHER}, OTHER, "GOOGLE_API_KEY"),
        ({"GEMINI_API_KEY": "  ", "GOOGLE_API_KEY": OTHER}, OTHER, "GOOGLE_API_KEY"),
        ({"GEMINI_API_KEY": f" {KEY}\n"}, KEY, "GEMINI_API_KEY"),
    ],
)
def test_the_key_comes_from_the_first_variable_that_holds_one(environ: dict[str, str], key: str, source: str) -> None:
    found = settings.read(environ)
    assert found.key == key
    assert found.key_source == source


def test_a_key_file_is_read_only_when_the_environment_has_no_key(home: Path) -> None:
    file = key_file(home / "mine", f"{OTHER}\n")
    assert settings.read({"GEMINI_TOOLSERVER_KEY_FILE": str(file)}).key == OTHER
    assert settings.read({"GEMINI_TOOLSERVER_KEY_FILE": str(file), "GEMINI_API_KEY": KEY}).key == KEY


@pytest.mark.skipif(sys.platform != "linux", reason="XDG")
def test_the_key_file_of_the_platform_is_found_by_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_file(home / ".config/gemini-toolserver/key", OTHER)
    found = settings.read({})
    assert found.key == OTHER
    assert found.key_source.startswith("key file ")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere"))
    assert settings.read({}).key is None
    key_file(home / "elsewhere/gemini-toolserver/key", KEY)
    assert settings.read({}).key == KEY


@pytest.mark.parametrize("kind", ["missing", "directory", "not_text", "heap"])
def test_a_key_file_that_was_named_and_cannot_be_read_is_refused(home: Path, kind: str) -> None:
    path = home / kind
    if kind == "directory":
        path.mkdir()
    elif kind == "not_text":
        path.write_bytes(b"\xff\xfe\x00")
    elif kind == "heap":
        path.write_bytes(b"x" * 100_000)
    with pytest.raises(UnsafeSetting, match=str(path)):
        settings.read({"GEMINI_TOOLSERVER_KEY_FILE": str(path)})


def test_a_key_file_of_windows_may_begin_with_a_byte_order_mark(home: Path) -> None:
    assert settings.read({}, key_file=key_file(home / "marked", f"\ufeff{OTHER}\r\n")).key == OTHER


def test_an_empty_key_file_is_no_key(home: Path) -> None:
    assert settings.read({}, key_file=key_file(home / "empty", " \n")).key is None


@pytest.mark.parametrize(
    ("flags", "environ", "name", "expected"),
    [
        (["--toolsets", "text"], {"GEMINI_TOOLSERVER_TOOLSETS": "all"}, "toolsets", ("text",)),
        ([], {"GEMINI_TOOLSERVER_TOOLSETS": "all, text ,"}, "toolsets", ("all", "text")),
        (["--tools", "a, b"], {"GEMINI_TOOLSERVER_TOOLS": "c"}, "tools", ("a", "b")),
        (["--exclude-tools", "a"], {}, "exclude_tools", ("a",)),
        (["--allow-dir", "/a", "--allow-dir", "/b"], {"GEMINI_TOOLSERVER_ALLOW_DIRS": "/c"}, "allow_dirs",
         (Path("/a"), Path("/b"))),
        ([], {"GEMINI_TOOLSERVER_ALLOW_DIRS": f"/a{os.pathsep}/b{os.pathsep}"}, "allow_dirs", (Path("/a"), Path("/b"))),
        (["--read-only"], {"GEMINI_TOOLSERVER_READ_ONLY": "0"}, "read_only", True),
        ([], {"GEMINI_TOOLSERVER_READ_ONLY": "Yes"}, "read_only", True),
        ([], {"GEMINI_TOOLSERVER_ALLOW_SENSITIVE": "off"}, "allow_sensitive", False),
        (["--state-dir", "/s"], {"GEMINI_TOOLSERVER_STATE_DIR": "/t"}, "state_dir", Path("/s")),
        (["--http", "127.0.0.1:1"], {"GEMINI_TOOLSERVER_HTTP": "0.0.0.0:2"}, "http", "127.0.0.1:1"),
        (["--allowed-host", "a", "--allowed-host", "b"], {}, "allowed_hosts", ("a", "b")),
        ([], {"GEMINI_BASE_URL": "https://a", "GOOGLE_GEMINI_BASE_URL": "https://b"}, "base_url", "https://a"),
        ([], {"GOOGLE_GEMINI_BASE_URL": "https://b"}, "base_url", "https://b"),
        ([], {"GEMINI_TOOLSERVER_TIMEOUT": "2.5"}, "timeout", 2.5),
        ([], {"GEMINI_TOOLSERVER_MAX_CALLS": "7"}, "max_calls", 7),
        ([], {"GEMINI_AUTH": "bearer"}, "auth", "bearer"),
    ],
)  # fmt: skip
def test_flags_come_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, flags: list[str], environ: dict[str, str], name: str, expected: object
) -> None:
    for variable, value in environ.items():
        monkeypatch.setenv(variable, value)
    assert getattr(from_flags(parser().parse_args(flags)), name) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GEMINI_AUTH", "basic"),
        ("GEMINI_TOOLSERVER_ALLOW_HTTP", "maybe"),
        ("GEMINI_TOOLSERVER_ALLOW_SENSITIVE", "2"),
        ("GEMINI_TOOLSERVER_READ_ONLY", "ja"),
        ("GEMINI_TOOLSERVER_EMULATE", "x"),
        ("GEMINI_TOOLSERVER_TIMEOUT", "soon"),
        ("GEMINI_TOOLSERVER_TIMEOUT", "0"),
        ("GEMINI_TOOLSERVER_TIMEOUT", "-1"),
        ("GEMINI_TOOLSERVER_TIMEOUT", "nan"),
        ("GEMINI_TOOLSERVER_TIMEOUT", "inf"),
        ("GEMINI_TOOLSERVER_MAX_CALLS", "1.5"),
        ("GEMINI_TOOLSERVER_MAX_CALLS", "9" * 5000),
        ("GEMINI_TOOLSERVER_KEEP_DAYS", "0"),
        ("GEMINI_TOOLSERVER_LOG_LEVEL", "loud"),
        ("GEMINI_TOOLSERVER_DAILY_CAP", "nan"),
    ],
)
def test_a_malformed_value_is_refused_and_the_text_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(UnsafeSetting) as refused:
        settings.read({variable: value})
    assert variable in str(refused.value)
    assert len(str(refused.value)) < 300


LEDGER = "postgresql://u:CANARY-pa55%2F@db.example/gemini"


def test_the_ledger_comes_from_the_environment_alone_and_never_shows() -> None:
    found = settings.read({"GEMINI_TOOLSERVER_LEDGER": LEDGER})
    assert found.ledger == LEDGER
    assert "CANARY" not in repr(found)
    said = redaction.redact(f"connecting to {LEDGER} with CANARY-pa55/ and CANARY-pa55%2F")
    assert said == "connecting to [hidden] with [hidden] and [hidden]"
    with pytest.raises(SystemExit):
        parser().parse_args(["--ledger", LEDGER])


def test_a_state_directory_on_the_command_line_wins_over_the_ledger_of_the_environment() -> None:
    environ = {"GEMINI_TOOLSERVER_LEDGER": LEDGER, "GEMINI_TOOLSERVER_STATE_DIR": "/s"}
    assert settings.read(environ).ledger == LEDGER
    assert settings.read(environ, state_dir=Path("/t")).ledger is None
    assert settings.read({}, state_dir=Path("/t"), ledger=LEDGER).ledger == LEDGER


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:CANARY@h/db",
        "CANARY",
        "host=h password=CANARY",
        "postgresql://u:CAN/ARY@h/db",
        "postgresql://u:CAN@ARY@h/db",
    ],
)
def test_a_ledger_that_cannot_be_understood_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UnsafeSetting, match="GEMINI_TOOLSERVER_LEDGER") as refused:
        settings.read({"GEMINI_TOOLSERVER_LEDGER": url})
    assert "ARY" not in str(refused.value)


def test_an_unknown_setting_is_a_fault_of_the_program() -> None:
    with pytest.raises(TypeError, match="colour"):
        settings.read({}, colour="blue")


def test_a_file_env_in_the_working_directory_is_not_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".env").write_text(f"GEMINI_API_KEY={KEY}\nGEMINI_BASE_URL=https://evil.example\n")
    monkeypatch.chdir(home)
    assert settings.read(os.environ) == Settings()


def test_the_key_shows_in_no_text_of_the_settings(caplog: pytest.LogCaptureFixture) -> None:
    found = settings.read({"GEMINI_API_KEY": KEY})
    caplog.set_level(logging.DEBUG)
    logging.getLogger(__name__).warning("%s %r %s", found, found, [found])
    try:
        raise ValueError(found)
    except ValueError as error:
        shown = f"{found} {found!r} {found!s} {error} {error!r} {caplog.text}"
    assert "CANARY" not in shown
    assert "base_url" in shown
    assert replace(found, read_only=True).key == KEY


def test_the_log_hides_keys_and_drops_a_line_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    with configured_log("debug"):
        logger = logging.getLogger("some.library")
        logger.warning("sending %s", KEY)
        logger.warning("a number: %d", KEY)
        try:
            raise ValueError(KEY)
        except ValueError:
            logger.exception("it failed")
        logger.warning("the end")
    out, text = capsys.readouterr()
    assert out == ""
    assert "sending [hidden]" in text
    assert "it failed" in text
    assert "the end" in text
    assert "CANARY" not in text


def test_libraries_that_log_urls_stay_quiet_even_when_debugging(capsys: pytest.CaptureFixture[str]) -> None:
    with configured_log("debug"):
        for name in log.QUIET:
            logging.getLogger(name).info("GET https://example/?key=%s", KEY)
    assert capsys.readouterr() == ("", "")


def test_settings_do_not_change_under_a_running_call() -> None:
    with pytest.raises(AttributeError):
        settings.read({}).read_only = True  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(Settings())) == Settings()


def test_every_setting_is_documented_and_reachable_but_never_a_key_by_flag() -> None:
    for spec in fields(Settings):
        if spec.name == "key_source":
            continue
        assert spec.metadata["doc"]
        assert spec.metadata["env"], spec.name
        assert all(name.startswith(("GEMINI_", "GOOGLE_")) for name in spec.metadata["env"])
    by_name = {spec.name: spec.metadata for spec in fields(Settings)}
    assert by_name["key"]["flag"] == ""
    assert by_name["ledger"]["flag"] == ""


@pytest.mark.skipif(sys.platform != "linux", reason="XDG")
@pytest.mark.parametrize(
    ("kind", "variable", "fallback"),
    [
        ("config", "XDG_CONFIG_HOME", ".config"),
        ("state", "XDG_STATE_HOME", ".local/state"),
        ("data", "XDG_DATA_HOME", ".local/share"),
    ],
)
def test_directories_follow_xdg_and_relative_values_are_ignored(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: Any, variable: str, fallback: str
) -> None:
    assert settings.platform_directory(kind) == home / fallback / settings.APP
    monkeypatch.setenv(variable, "relative/path")
    assert settings.platform_directory(kind) == home / fallback / settings.APP
    monkeypatch.setenv(variable, "/xdg")
    assert settings.platform_directory(kind) == Path("/xdg") / settings.APP


def test_directories_that_were_chosen_win_over_those_of_the_platform(home: Path) -> None:
    found = settings.read({"GEMINI_TOOLSERVER_STATE_DIR": "/s", "GEMINI_TOOLSERVER_OUTPUT_DIR": "/o"})
    assert (found.resolved_state_dir(), found.resolved_output_dir()) == (Path("/s"), Path("/o"))
    assert settings.read({}).resolved_state_dir().is_relative_to(home)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"base_url": "http://gateway.example"}, "GEMINI_TOOLSERVER_ALLOW_HTTP"),
        ({"base_url": "http://127.0.0.1.evil.example"}, "GEMINI_TOOLSERVER_ALLOW_HTTP"),
        ({"base_url": "http://2130706433"}, "GEMINI_TOOLSERVER_ALLOW_HTTP"),
        ({"base_url": "ftp://gateway.example"}, "https://"),
        ({"base_url": "https://user:pass@gateway.example"}, "GEMINI_API_KEY"),
        ({"base_url": "https://gateway.example/?key=1"}, "GEMINI_BASE_URL"),
        ({"key": f"{KEY}\r\nX-Evil: 1"}, "line break"),
        ({"key": f"{KEY}\n{OTHER}"}, "line break"),
        ({"key": f"Bearer {KEY}"}, "GEMINI_AUTH"),
        ({"key": f"{KEY}\x7f"}, "control character"),
        ({"allow_dirs": (Path("/nowhere/at/all"),)}, "--allow-dir"),
        ({"allow_dirs": (Path(__file__),)}, "not a directory"),
        ({"allow_dirs": (Path("/proc/self"),)}, "operating system"),
    ],
)
def test_what_would_leak_the_key_or_could_never_work_is_refused_at_start(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(UnsafeSetting) as refused:
        app.build(settings.read({}, **values))
    assert expected in str(refused.value)
    assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"key": KEY},
        {"base_url": "http://127.0.0.1:1/prefix/"},
        {"base_url": "http://[::1]:1"},
        {"base_url": "http://gateway.example", "allow_http": True},
        {"base_url": "http://gateway.example", "emulate": True},
    ],
)
def test_what_is_safe_starts(values: dict[str, Any]) -> None:
    assert app.build(settings.read({}, **values)).name == settings.APP


@pytest.mark.parametrize(
    "base", ["https://gemini.example.com", "https://googleapis.com.example", "http://10.0.0.7:8080"]
)
def test_googles_credentials_go_to_google_alone(base: str) -> None:
    with pytest.raises(UnsafeSetting, match="GEMINI_AUTH=google would send"):
        settings.read({"GEMINI_AUTH": "google", "GEMINI_BASE_URL": base})
    for home in ("http://127.0.0.1:1", "https://us-central1-aiplatform.googleapis.com"):
        assert settings.read({"GEMINI_AUTH": "google", "GEMINI_BASE_URL": home}).auth == "google"


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("GEMINI_AUTH", "Bearer", "auth"),
        ("GEMINI_BACKEND", "Developer", "backend"),
        ("GEMINI_DIALECT", "OpenAI", "dialect"),
        ("GEMINI_TEXT_API", "Interactions", "text_api"),
        ("GEMINI_TOOLSERVER_IMAGE_API", "INTERACTIONS", "image_api"),
    ],
)
def test_a_word_may_be_written_in_any_case(home: Path, variable: str, value: str, name: str) -> None:
    found = settings.read({variable: value, "GEMINI_BASE_URL": "https://gateway.example"})
    assert getattr(found, name) == value.lower()
