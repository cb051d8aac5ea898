"""Settings that cannot hold together, or that would send a credential to a stranger: refused at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gemini_server.errors import UnsafeSetting
from gemini_server.setting_values import YES

if TYPE_CHECKING:
    from gemini_server.settings import Settings

_ENTERPRISE = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")
"""By these Google's own libraries are told to use the Enterprise platform."""
_PROJECT = re.compile(r"[a-z][\w.:-]{0,99}|[0-9]{1,30}", re.ASCII)
_LOCATION = re.compile(r"[a-z]+(?:-[a-z0-9]+){0,3}", re.ASCII)  # it becomes part of a host name
_BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](?:/[^\s?#]{0,500})?", re.ASCII)


def choose_backend(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Settle where the Enterprise backend is, and refuse what contradicts it.

    Raises:
        UnsafeSetting: naming what to set.
    """
    if "backend" not in values and any(environ.get(name, "").strip().lower() in YES for name in _ENTERPRISE):
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


def check_ledger(url: str) -> None:
    """Refuse a ledger's URL that is none, or whose password ends too early; its secrets are kept out of the log.

    Raises:
        UnsafeSetting: which does not repeat the value: whatever it is, there may be a password in it.
    """
    from gemini_server.jobs.postgres_url import SCHEMES, take_apart
    from gemini_server.redaction import remember_secret

    parts = take_apart(url)
    for secret in parts.secrets:
        remember_secret(secret)
    if not url.startswith(SCHEMES):
        raise UnsafeSetting("GEMINI_TOOLSERVER_LEDGER must be a URL that begins with postgresql://.")
    if not parts.sound:
        raise UnsafeSetting(
            "The password in GEMINI_TOOLSERVER_LEDGER has characters that end it too early.",
            "Percent-encode it: / is %2F, @ is %40, : is %3A, ? is %3F.",
        )


def check(settings: Settings) -> None:
    """Refuse settings that contradict each other.

    Raises:
        UnsafeSetting: naming them.
    """
    _check_google(settings)
    _check_dialect(settings)


def _check_google(settings: Settings) -> None:
    """Refuse to hand Google's own credentials, which open more than Gemini, to a host that is not Google's."""
    if settings.auth != "google" or settings.emulate:
        return
    if not settings.at_google:
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
