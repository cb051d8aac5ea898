"""Every knob of the server, once: its name in the environment, its flag, its default and its meaning.

Read once at start. The key comes from the environment or a key file, never from the command line (other users see it in
`ps`) and never from a project's `.env` (a cloned repository must not be able to redirect the key).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from gemini_server.setting_conflicts import check, check_ledger, choose_backend
from gemini_server.setting_values import value_of

APP = "gemini-toolserver"

_KEY_FILE = "key file "
"""How the source of a key begins that came out of a file."""


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
        """Whether the credential is Google's, so that Cloud Storage may see it too; a gateway's is the gateway's."""
        return self.auth != "raw" and self.at_google

    @property
    def at_google(self) -> bool:
        """Whether the base URL is Google's own; a server on this machine counts as that, as the emulator is one."""
        host = (urlsplit(self.base_url).hostname or "").lower()
        return host.endswith(".googleapis.com") or host in ("localhost", "127.0.0.1", "::1")

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
        if variable := _variable(spec, environ):
            values[spec.name] = value_of(spec.name, environ[variable].strip(), variable)
            if spec.name == "key":
                values["key_source"] = variable
    unknown = flags.keys() - {spec.name for spec in fields(Settings)}
    if unknown:
        raise TypeError(f"unknown settings: {sorted(unknown)}")
    choose_backend(values, environ)
    if values.get("auth") == "google":
        values.pop("key", None)  # a key that lies about in the environment is not meant
    elif not (values.get("key") or values.get("keyring")):
        _read_key_file(values)
    if values.get("ledger"):
        check_ledger(values["ledger"])
    made = Settings(**values)
    check(made)
    return made


def _variable(spec: Field[Any], environ: Mapping[str, str]) -> str | None:
    """The first of a setting's variables that is set to anything."""
    return next((name for name in spec.metadata["env"] if environ.get(name, "").strip()), None)


def _read_key_file(values: dict[str, Any]) -> None:
    from gemini_server.key_file import key_at_start  # not needed where the environment has the key

    named: Path | None = values.get("key_file")
    path = named or platform_directory("config") / "key"
    if key := key_at_start(path, needed=named is not None):
        values.update(key=key, key_source=f"{_KEY_FILE}{path}", key_file=path)
