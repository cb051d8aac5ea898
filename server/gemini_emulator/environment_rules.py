"""What is refused in the description of an environment: its sources, its network, its variables.

Source: `Source`, `AllowlistEntry` and `EnvVar` in the official SDK of November 2026, and "Agent environments" of the
Gemini API.
"""

from __future__ import annotations

import base64
import re

from .credential_store import Credentials
from .environment_files import normal
from .interaction_errors import missing, refused, unsupported
from .interaction_schema import check
from .wire import Object, is_list, is_object

_DOMAIN = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ENCODINGS = ("base64",)


def check_environment(given: Object, credentials: Credentials, place: str = "") -> None:
    """Check what the shapes do not say.

    Args:
        given: `sources`, `network` and `env`, as far as they are there.
        credentials: those that may be referred to.
        place: where this stands in the request.

    Raises:
        InteractionError: 400 for the first finding, 404 for a credential that does not exist.
    """
    prefix = f"{place}." if place else ""
    for at, source in enumerate(given.get("sources", [])):
        _check_source(source, f"{prefix}sources[{at}]")
    network: object = given.get("network")
    entries: object = network.get("allowlist") if is_object(network) else None
    for at, entry in enumerate(entries if is_list(entries) else []):
        where = f"{prefix}network.allowlist[{at}]"
        rule = check("AllowlistEntry", entry)
        if not _DOMAIN.fullmatch(rule["domain"]):
            raise refused(f"Invalid domain '{rule['domain']}' at '{where}.domain'.")
        if "credential" in rule:
            credentials.get(rule["credential"])
    for name, value in given.get("env", {}).items():
        _check_variable(name, value, credentials, f"{prefix}env")


def files_of(sources: list[Object]) -> list[tuple[str, bytes]]:
    """The files that checked sources put into an environment: paths and bytes.

    What is inline comes as it is; anything else lies elsewhere, and a note says so in its place.
    """
    return [_file_of(source) for source in sources]


def _file_of(source: Object) -> tuple[str, bytes]:
    if source["type"] != "inline":
        folder = normal(source.get("target", ""), "target", empty=True)
        note = f"[emulated] Here would be {source['source']} ({source['type']}).\n"
        return f"{folder}/README.md".lstrip("/"), note.encode()
    text: str = source["content"]
    data = base64.b64decode(text) if source.get("encoding") == "base64" else text.encode("utf-8", "replace")
    return normal(source["target"], "target"), data


def _check_source(source: Object, place: str) -> None:
    if "type" not in source:
        raise missing("type", place)
    if source["type"] == "inline":
        for name in ("content", "target"):
            if name not in source:
                raise missing(name, place)
        if source.get("encoding") not in (None, *_ENCODINGS):
            raise unsupported(source["encoding"], "encoding", place)
        normal(source["target"], f"{place}.target")
        if source.get("encoding") == "base64":
            decoded(source["content"], f"{place}.content")
        return
    if not source.get("source"):
        raise missing("source", place)
    if "content" in source:
        raise refused(f"'content' is only supported with the type 'inline' at '{place}'.")
    if source["type"] == "gcs" and not source["source"].startswith("gs://"):
        raise refused(f"A source of type 'gcs' begins with gs:// at '{place}.source'.")
    normal(source.get("target", ""), f"{place}.target", empty=True)


def _check_variable(name: str, value: object, credentials: Credentials, place: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise refused(f"Invalid name '{name}' of an environment variable at '{place}'.")
    if isinstance(value, str):
        return
    variable = check("EnvVar", value)
    if ("value" in variable) == ("credential" in variable):
        raise refused(f"Exactly one of 'value' and 'credential' must be set at '{place}.{name}'.")
    if "credential" in variable:
        credentials.get(variable["credential"])


def decoded(text: str, place: str) -> bytes:
    """The bytes of a base64 text.

    Raises:
        InteractionError: 400 for what is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise refused(f"Invalid base64 at '{place}'.") from None
