"""Every knob of the server, once: its name in the environment, its flag, its default and its meaning.

Read once at start. The key comes from the environment or a key file, never from the command line (other users see it in
`ps`) and never from a project's `.env` (a cloned repository must not be able to redirect the key).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from gemini_server.errors import UnsafeSetting

APP = "gemini-toolserver"

_KEY_FILE = "key file "
"""How the source of a key begins that came out of a file."""
_YES = ("1", "true", "yes", "on")
_ENTERPRISE = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
"""By these Google's own libraries are told to use the Enterprise platform."""
_PREFIX = "GEMINI_TOOLSERVER_"
_READ_ELSEWHERE = {"GEMINI_TOOLSERVER_TOKEN", "GEMINI_TOOLSERVER_TEST_LOG"}
"""By `call --url`, and by the tests."""
_PROJECT = re.compile(r"[a-z][\w.:-]{0,99}|[0-9]{1,30}", re.ASCII)
_LOCATION = re.compile(r"[a-z]+(?:-[a-z0-9]+){0,3}", re.ASCII)  # it becomes part of a host name
_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/[^\s?#]{0,500})?", re.ASCII)


def _knob(
    default: Any, doc: str, *, env: tuple[str, ...] = (), flag: str = "", shown: str = "", secret: bool = False
) -> Any:
    return field(default=default, repr=not secret, metadata={"doc": doc, "env": env, "flag": flag, "shown": shown})


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's settings; frozen, so that nothing changes under a running call."""

    key: str | None = _knob(
        None,
        "The Gemini API key (the credential in every auth scheme).",
        env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        secret=True,
    )
    key_file: Path | None = _knob(
        None,
        "A file that holds the key alone, read when the environment has none.",
        env=("GEMINI_TOOLSERVER_KEY_FILE",),
        shown="`~/.config/gemini-toolserver/key`",
    )
    base_url: str = _knob(
        "https://generativelanguage.googleapis.com",
        "Where the Gemini API is; a path prefix is kept.",
        env=("GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
    )
    api_version: str = _knob(
        "v1beta", "The API version, where an endpoint does not need another.", env=("GEMINI_API_VERSION",)
    )
    auth: Literal["api-key", "bearer", "raw", "google"] = _knob(
        "api-key",
        "How the key is sent: `api-key` (x-goog-api-key), `bearer` (Authorization: Bearer KEY) or `raw` "
        "(Authorization: KEY). GEMINI_DIALECT=openai sends `api-key` as `bearer`. With `google` there is no key: "
        "application default credentials are used, which need "
        "`pip install 'gemini-toolserver[google]'`.",
        env=("GEMINI_AUTH",),
    )
    keyring: bool = _knob(
        False,
        "Read the key from the system's keyring (service `gemini-toolserver`, user `key`) where the environment has "
        "none; needs `pip install 'gemini-toolserver[keyring]'`.",
        env=("GEMINI_TOOLSERVER_KEYRING",),
    )
    project: str | None = _knob(
        None,
        "The Google Cloud project: whose quota calls with OAuth count for, and whose resources the Enterprise backend "
        "uses.",
        env=("GOOGLE_CLOUD_PROJECT",),
    )
    backend: Literal["developer", "enterprise"] = _knob(
        "developer",
        "Whose API is at the base URL: `developer` (the Gemini Developer API) or `enterprise` (Gemini Enterprise, "
        "formerly Vertex AI; `GOOGLE_GENAI_USE_ENTERPRISE=true` says the same).",
        env=("GEMINI_BACKEND",),
    )
    location: str = _knob("global", "The location of the Enterprise backend.", env=("GOOGLE_CLOUD_LOCATION",))
    storage: str | None = _knob(
        None,
        "A folder of Cloud Storage, `gs://bucket/folder`, where the Enterprise backend puts videos and the answers of "
        "batches.",
        env=("GEMINI_TOOLSERVER_STORAGE",),
        shown="videos come inline, and the answers of a batch lie beside its requests",
    )
    dialect: Literal["google", "openai"] = _knob(
        "google",
        "What is spoken at the base URL: `google` (Gemini's own API) or `openai` (a gateway with "
        "`/v1/chat/completions`).",
        env=("GEMINI_DIALECT",),
    )
    text_api: Literal["generate", "interactions"] = _knob(
        "generate",
        "Which API family answers generate_text: `generate` (generateContent) or `interactions`.",
        env=("GEMINI_TEXT_API",),
    )
    allow_http: bool = _knob(
        False, "Allow plain http beyond this machine (a gateway in the house).", env=("GEMINI_TOOLSERVER_ALLOW_HTTP",)
    )
    model: str | None = _knob(
        None, "The model for text when a call names none.", env=("GEMINI_TOOLSERVER_MODEL",), shown="`gemini-3.8-flash`"
    )
    timeout: float = _knob(
        600.0, "Seconds that one request may take with all its retries.", env=("GEMINI_TOOLSERVER_TIMEOUT",)
    )
    max_calls: int = _knob(
        64, "Calls to Gemini under way at once; four times as many may wait, more are refused as busy.",
        env=("GEMINI_TOOLSERVER_MAX_CALLS",),
    )  # fmt: skip
    allow_dirs: tuple[Path, ...] | None = _knob(
        None,
        "Directories that may be read for attachments; repeat the flag, or separate with the path separator.",
        env=("GEMINI_TOOLSERVER_ALLOW_DIRS",),
        flag="--allow-dir",
        shown="the working directory over stdio (unless it is `/` or your home directory), none over HTTP",
    )
    allow_sensitive: bool = _knob(
        False,
        "Read files that look like credentials too, where they lie in an allowed directory.",
        env=("GEMINI_TOOLSERVER_ALLOW_SENSITIVE",),
        flag="--allow-sensitive",
    )
    output_dir: Path | None = _knob(
        None,
        "Where produced files go.",
        env=("GEMINI_TOOLSERVER_OUTPUT_DIR",),
        flag="--output-dir",
        shown="`gemini-toolserver` in the user's data directory",
    )
    output_quota: int = _knob(
        0,
        "Bytes that produced files may have together, such as `20GB` or `500MiB`; 0 for no limit.",
        env=("GEMINI_TOOLSERVER_OUTPUT_QUOTA",),
        shown="no limit",
    )
    sidecars: bool = _knob(
        True,
        "Write beside each produced file what it is: model, prompt, cost (`<file>.json`).",
        env=("GEMINI_TOOLSERVER_SIDECARS",),
    )
    state_dir: Path | None = _knob(
        None,
        "Where the ledger (conversations, spending) is kept.",
        env=("GEMINI_TOOLSERVER_STATE_DIR",),
        flag="--state-dir",
        shown="`gemini-toolserver` in the user's state directory",
    )
    ledger: str | None = _knob(
        None,
        "Keep the ledger in this PostgreSQL database (`postgresql://…`), which several servers can share; needs "
        "`pip install 'gemini-toolserver[postgres]'`. A `--state-dir` on the command line wins over it.",
        env=("GEMINI_TOOLSERVER_LEDGER",),
        shown="a file in the state directory",
        secret=True,
    )
    keep_days: int = _knob(
        30, "Days that a conversation is kept after its last turn.", env=("GEMINI_TOOLSERVER_KEEP_DAYS",)
    )
    daily_cap: Decimal | None = _knob(
        None,
        "US dollars that one caller may spend in a day (UTC), jobs under way included; calls beyond it are refused "
        "before anything is sent.",
        env=("GEMINI_TOOLSERVER_DAILY_CAP",),
        flag="--daily-cap",
        shown="none",
    )
    image_api: Literal["generate", "interactions"] = _knob(
        "generate",
        "Which API family makes pictures: `generate` (generateContent) or `interactions`.",
        env=("GEMINI_TOOLSERVER_IMAGE_API",),
    )
    poll: float = _knob(
        3.0,
        "Seconds until Gemini is first asked how a job stands; the pauses grow fivefold.",
        env=("GEMINI_TOOLSERVER_POLL",),
    )
    lease: float = _knob(
        30.0,
        "Seconds after which another process takes over the jobs of one that died.",
        env=("GEMINI_TOOLSERVER_LEASE",),
    )
    toolsets: tuple[str, ...] = _knob(
        ("default",),
        "Which toolsets are on (comma-separated); `default` and `all` too.",
        env=("GEMINI_TOOLSERVER_TOOLSETS",),
        flag="--toolsets",
    )
    tools: tuple[str, ...] = _knob(
        (), "Single tools to switch on as well.", env=("GEMINI_TOOLSERVER_TOOLS",), flag="--tools"
    )
    exclude_tools: tuple[str, ...] = _knob(
        (),
        "Tools to switch off; wins over everything else.",
        env=("GEMINI_TOOLSERVER_EXCLUDE_TOOLS",),
        flag="--exclude-tools",
    )
    read_only: bool = _knob(
        False,
        "Hide and refuse every tool that changes something at Google or in your files.",
        env=("GEMINI_TOOLSERVER_READ_ONLY",),
        flag="--read-only",
    )
    emulate: bool = _knob(
        False,
        "Talk to the embedded Gemini emulator instead of Google: no key, no network, no cost.",
        env=("GEMINI_TOOLSERVER_EMULATE",),
        flag="--emulate",
    )
    http: str | None = _knob(
        None,
        "Serve Streamable HTTP at HOST:PORT (endpoint `/mcp`) instead of stdio.",
        env=("GEMINI_TOOLSERVER_HTTP",),
        flag="--http",
        shown="stdio",
    )
    token_file: Path | None = _knob(
        None,
        "Bearer tokens that HTTP callers must present, one `principal:token` a line; needed beyond loopback.",
        env=("GEMINI_TOOLSERVER_TOKEN_FILE",),
        flag="--token-file",
    )
    allowed_hosts: tuple[str, ...] = _knob(
        (),
        "Host names under which HTTP callers may address the server, besides the one it binds.",
        env=("GEMINI_TOOLSERVER_ALLOWED_HOSTS",),
        flag="--allowed-host",
    )
    public_url: str | None = _knob(
        None,
        "The URL under which a proxy publishes the server; its host and origin are allowed.",
        env=("GEMINI_TOOLSERVER_PUBLIC_URL",),
        flag="--public-url",
    )
    webhook_secrets: tuple[str, ...] = _knob(
        (),
        "Take Gemini's webhooks at `/webhooks/gemini` (over HTTP), signed with one of these secrets (`whsec_…`, "
        "comma-separated while one is rotated): a job ends when Gemini says so, not at the next poll.",
        env=("GEMINI_TOOLSERVER_WEBHOOK_SECRETS",),
        secret=True,
    )
    log_level: str = _knob(
        "warning", "What is logged to stderr: debug, info, warning, error.", env=("GEMINI_TOOLSERVER_LOG_LEVEL",)
    )
    key_source: str = _knob("", "")

    @property
    def key_read_from_file(self) -> bool:
        """Whether the key is that of the key file."""
        return self.key_source.startswith(_KEY_FILE)

    @property
    def has_credential(self) -> bool:
        """Whether there is a key, or a place where one may be found."""
        return bool(self.key) or self.keyring or self.auth == "google"

    @property
    def opens_storage(self) -> bool:
        """Whether the credential is Google's, so that Cloud Storage may see it too: that of a gateway is the gateway's.

        A server on this machine counts as Google's own, as the emulator is one.
        """
        return self.auth != "raw" and _is_googles(self.base_url)

    def resolved_state_dir(self) -> Path:
        """The state directory that is in force."""
        return self.state_dir or platform_directory("state")

    def resolved_output_dir(self) -> Path:
        """The output directory that is in force."""
        return self.output_dir or platform_directory("data")


def platform_directory(kind: Literal["config", "state", "data"]) -> Path:
    """The directory of this application for a kind of data, by the custom of the operating system."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / APP
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / APP
    variable, fallback = {
        "config": ("XDG_CONFIG_HOME", ".config"),
        "state": ("XDG_STATE_HOME", ".local/state"),
        "data": ("XDG_DATA_HOME", ".local/share"),
    }[kind]
    base = os.environ.get(variable, "")
    # The XDG rules: a relative path in these variables is to be ignored.
    return (Path(base) if base.startswith("/") else home / fallback) / APP


def read(environ: Mapping[str, str], **flags: Any) -> Settings:
    """Settings from the environment, with flags (those that are not None) in front.

    Raises:
        UnsafeSetting: a value that cannot be understood; the message names the variable or flag.
    """
    values: dict[str, Any] = {}
    for spec in fields(Settings):
        if flags.get(spec.name) is not None:
            values[spec.name] = flags[spec.name]
            continue
        if spec.name == "ledger" and flags.get("state_dir") is not None:
            continue  # who names a directory for this run means it
        for variable in spec.metadata["env"]:
            raw = environ.get(variable, "").strip()
            if raw:
                values[spec.name] = _parsed(spec.name, raw, variable)
                if spec.name == "key":
                    values["key_source"] = variable
                break
    unknown = flags.keys() - {spec.name for spec in fields(Settings)}
    if unknown:
        raise TypeError(f"unknown settings: {sorted(unknown)}")
    _choose_backend(values, environ)
    if values.get("auth") == "google":
        values.pop("key", None)  # a key that lies about in the environment is not meant
    elif not (values.get("key") or values.get("keyring")):
        _read_key_file(values)
    if values.get("ledger"):
        _check_ledger(values["ledger"])
    made = Settings(**values)
    _check_google(made)
    _check_dialect(made)
    return made


def strangers(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that has this server's prefix and is none of its settings: it may be misspelled.

    They are not refused, so that one environment can serve several versions.
    """
    known = {name for spec in fields(Settings) for name in spec.metadata["env"]} | _READ_ELSEWHERE
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    if not unknown:
        return []
    from difflib import get_close_matches

    tails = sorted(name.removeprefix(_PREFIX) for name in known if name.startswith(_PREFIX))
    sentences: list[str] = []
    for name in unknown:
        near = get_close_matches(name.removeprefix(_PREFIX).upper(), tails, n=1, cutoff=0.75)
        meant = f"; did you mean {_PREFIX}{near[0]}?" if near else "."
        sentences.append(f"{name[:100]!r} is no setting of this server and has no effect{meant}")
    return sentences


def _choose_backend(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Settle where the Enterprise backend is, and refuse what contradicts it.

    Raises:
        UnsafeSetting: naming what to set.
    """
    if "backend" not in values and any(environ.get(name, "").strip().lower() in _YES for name in _ENTERPRISE):
        values["backend"] = "enterprise"
    if values.get("storage"):
        values["storage"] = str(values["storage"]).rstrip("/")
        if not _BUCKET.fullmatch(values["storage"]):
            raise UnsafeSetting("GEMINI_TOOLSERVER_STORAGE must be a folder such as gs://bucket/folder.")
    if values.get("backend") != "enterprise":
        return
    project, location = values.get("project") or "", values.setdefault("location", "global")
    if not _PROJECT.fullmatch(project):
        said = f"{project[:40]!r} is no project" if project else "no project is set"
        raise UnsafeSetting(
            f"The Enterprise backend works within a Google Cloud project, and {said}.",
            "Set GOOGLE_CLOUD_PROJECT to its id; without GEMINI_BACKEND=enterprise the Developer API is used.",
        )
    if not _LOCATION.fullmatch(location):
        raise UnsafeSetting(
            f"{location[:40]!r} is no location of the Enterprise backend.",
            "Set GOOGLE_CLOUD_LOCATION to one such as us-central1, or leave it out for global.",
        )
    if values.get("emulate"):
        raise UnsafeSetting(
            "The embedded emulator stands in for the Developer API, and GEMINI_BACKEND says enterprise.",
            "Leave --emulate out, and set GEMINI_BASE_URL to `gemini-toolserver emulator --dialect enterprise`; or "
            "leave the backend out.",
        )
    auth = values.setdefault("auth", "google")
    if auth == "api-key" or (auth == "raw" and "base_url" not in values):  # a gateway may have a licence of its own
        raise UnsafeSetting(
            f"The Enterprise backend takes no API keys, and GEMINI_AUTH says {values['auth']}.",
            "Set GEMINI_AUTH=google for application default credentials, or GEMINI_AUTH=bearer with an OAuth token in "
            "GEMINI_API_KEY.",
        )
    if "base_url" not in values:
        from gemini_server.api.enterprise import address

        values["base_url"] = address(location)


def _is_googles(base_url: str) -> bool:
    host = (urlsplit(base_url).hostname or "").lower()
    return host.endswith(".googleapis.com") or host in ("localhost", "127.0.0.1", "::1")


def _check_google(settings: Settings) -> None:
    """Refuse to hand Google's own credentials, which open more than Gemini, to a host that is not Google's."""
    if settings.auth != "google" or settings.emulate:
        return
    if not _is_googles(settings.base_url):
        host = urlsplit(settings.base_url).hostname or ""
        raise UnsafeSetting(
            f"GEMINI_AUTH=google would send Google's credentials to {host[:100]}, which is not Google's.",
            "Use GEMINI_AUTH=bearer or raw with a credential that is meant for that host.",
        )


def _check_dialect(settings: Settings) -> None:
    """Refuse settings that cannot hold together where a gateway of the OpenAI dialect is spoken to."""
    if settings.dialect != "openai":
        return
    others = {
        "GEMINI_TEXT_API=interactions": settings.text_api == "interactions",
        "GEMINI_TOOLSERVER_IMAGE_API=interactions": settings.image_api == "interactions",
        "GEMINI_BACKEND=enterprise": settings.backend == "enterprise",
        "--emulate": settings.emulate,
    }
    found = [name for name, given in others.items() if given]
    if found:
        raise UnsafeSetting(
            f"GEMINI_DIALECT=openai contradicts {' and '.join(found)}: a gateway of that dialect has chat completions, "
            "and nothing of Gemini's own API.",
            "Unset one or the other.",
        )
    from gemini_server.api.openai import named_method

    method = named_method(settings.base_url)
    if method:
        raise UnsafeSetting(
            f"The base URL ends in /{method}, which this server adds by itself.",
            f"Leave /{method} out of GEMINI_BASE_URL; /v1 before it may stay.",
        )


def _check_ledger(url: str) -> None:
    from gemini_server.jobs.postgres_url import SCHEMES, take_apart
    from gemini_server.redaction import remember_secret

    parts = take_apart(url)
    for secret in parts.secrets:
        remember_secret(secret)
    # The value is not repeated: whatever it is, there may be a password in it.
    if not url.startswith(SCHEMES):
        raise UnsafeSetting("GEMINI_TOOLSERVER_LEDGER must be a URL that begins with postgresql://.")
    if not parts.sound:
        raise UnsafeSetting(
            "The password in GEMINI_TOOLSERVER_LEDGER has characters that end it too early.",
            "Percent-encode it: / is %2F, @ is %40, : is %3A, ? is %3F.",
        )


def _read_key_file(values: dict[str, Any]) -> None:
    from gemini_server.key_file import read_key_file  # not needed where the environment has the key

    path: Path = values.get("key_file") or platform_directory("config") / "key"
    try:
        text = read_key_file(path, start=True)
    except FileNotFoundError:
        if values.get("key_file"):
            raise UnsafeSetting(f"The key file {path} does not exist.", "Create it, or unset the setting.") from None
        return
    except OSError as error:
        raise UnsafeSetting(
            f"The key file {path} cannot be read ({type(error).__name__}).", "Mend its permissions."
        ) from None
    except ValueError:
        raise UnsafeSetting(
            f"The key file {path} holds no key: it is too long, or no text in UTF-8.", "Put the key alone into it."
        ) from None
    if text:
        values["key"] = text
        values["key_source"] = f"{_KEY_FILE}{path}"
        values["key_file"] = path


def dollars(raw: str, where: str) -> Decimal:
    """An amount of US dollars.

    Raises:
        UnsafeSetting: it is none; the message names `where`.
    """
    try:
        amount = Decimal(raw.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(-1)
    if not 0 <= amount < 1_000_000:
        raise UnsafeSetting(f"{where} must be an amount of US dollars such as 5 or 0.50, not {raw[:40]!r}.")
    return amount


_WORDS = {
    "auth": ("api-key", "bearer", "raw", "google"),
    "backend": ("developer", "enterprise"),
    "dialect": ("google", "openai"),
    "image_api": ("generate", "interactions"),
    "text_api": ("generate", "interactions"),
}
"""What a setting may be that is one of a few words."""


def _parsed(name: str, raw: str, variable: str) -> Any:
    quoted = repr(raw if len(raw) <= 40 else raw[:39] + "…")
    if name in ("toolsets", "tools", "exclude_tools", "allowed_hosts", "webhook_secrets"):
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if name == "allow_dirs":
        return tuple(Path(part) for part in raw.split(os.pathsep) if part)
    if name.endswith(("_dir", "_file")):
        return Path(raw)
    if name == "output_quota":
        return _bytes(raw, variable)
    if name in ("allow_http", "allow_sensitive", "read_only", "emulate", "sidecars", "keyring"):
        lowered = raw.lower()
        if lowered in _YES:
            return True
        if lowered in ("0", "false", "no", "off"):
            return False
        raise UnsafeSetting(f"{variable} must be 1 or 0, not {quoted}.")
    if name == "daily_cap":
        return dollars(raw, variable)
    if name in _WORDS:
        if raw.lower() in _WORDS[name]:
            return raw.lower()
        *others, last = _WORDS[name]
        raise UnsafeSetting(f"{variable} must be {', '.join(others)} or {last}, not {quoted}.")
    if name in ("timeout", "max_calls", "keep_days", "poll", "lease"):
        try:
            number = int(raw) if name in ("max_calls", "keep_days") else float(raw)
        except ValueError:
            raise UnsafeSetting(f"{variable} must be a number, not {quoted}.") from None
        if not 0 < number < 1_000_000:
            raise UnsafeSetting(f"{variable} must be above 0, not {quoted}.")
        return number
    if name == "log_level" and raw.lower() not in ("debug", "info", "warning", "error"):
        raise UnsafeSetting(f"{variable} must be debug, info, warning or error, not {quoted}.")
    return raw


def _bytes(raw: str, variable: str) -> int:
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?) ?(?:([kmgt])(i?)b?|b)?", raw, re.IGNORECASE | re.ASCII)
    if found is None:
        raise UnsafeSetting(f"{variable} must be a number of bytes such as 20GB or 500MiB, not {raw[:40]!r}.")
    power = "kmgt".index(found[2].lower()) + 1 if found[2] else 0
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)
