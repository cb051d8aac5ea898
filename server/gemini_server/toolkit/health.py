"""What must be right for the server to work, checked the same way by `doctor` and by the tool `server_status`."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from gemini_server.api import models
from gemini_server.errors import NotFound, ToolserverError
from gemini_server.rest import credentials
from gemini_server.rest.config import DEFAULT_VERSION
from gemini_server.rest.google_credentials import GoogleCredentials
from gemini_server.toolkit.runtime import Runtime

REACH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str


async def examine(runtime: Runtime, principal: str = "local", *, offline: bool = False) -> list[Check]:
    """Look at everything; a failed check never hides the others.

    Args:
        runtime: what to look at.
        principal: whose spending to show.
        offline: send nothing to Gemini.
    """

    async def key(runtime: Runtime) -> Check:
        return await _key(runtime, offline=offline)

    checks = [Check("backend", "ok", runtime.backend.title)] if runtime.backend.way else []
    checks.append(await _caught("key", key, runtime))
    if not offline:
        checks.append(await _caught("gemini", _reach, runtime))
    checks.append(await _caught("readable directories", _directories, runtime))
    checks.append(await _caught("output directory", _output, runtime))
    checks.append(await _caught("ledger", _ledger, runtime))

    async def spent(runtime: Runtime) -> Check:
        await runtime.spending.flush()
        total = await runtime.spending.today_total(principal)
        unpriced = f", {total.unpriced_calls} of them at an unknown price" if total.unpriced_calls else ""
        return Check("spent today", "ok", f"${total.cost_usd:.6f} in {total.calls} calls{unpriced}")

    checks.append(await _caught("spent today", spent, runtime))
    checks.append(Check("tools", "ok", f"{len(runtime.enabled)} on: {', '.join(runtime.enabled)}"))
    return checks


async def _caught(name: str, check: Callable[[Runtime], Awaitable[Check]], runtime: Runtime) -> Check:
    try:
        return await check(runtime)
    except ToolserverError as error:
        return Check(name, "failed", str(error))
    except OSError as error:
        return Check(name, "failed", f"The system says: {error}.")


async def _key(runtime: Runtime, *, offline: bool) -> Check:
    settings = runtime.settings
    if runtime.emulated:
        return Check("key", "ok", "none needed: the embedded emulator answers")
    credential = credentials.of(runtime.client.config)
    if isinstance(credential, GoogleCredentials):
        return Check("key", "ok", await credential.describe(offline=offline))
    if settings.keyring and not settings.key:
        await credential.headers()
        return Check("key", "ok", f"found in the system's keyring, sent as {settings.auth}")
    if not settings.key:
        host = runtime.client.config.url.host
        return Check(
            "key",
            "failed",
            f"No API key. Set GEMINI_API_KEY for this server ({credentials.keys_from(host)}), or put it "
            "into the key file; or start with --emulate to try everything without one.",
        )
    # As `Runtime.openai` has it.
    auth = "bearer" if settings.dialect == "openai" and settings.auth == "api-key" else settings.auth
    detail = f"found in {settings.key_source or 'the settings'}, sent as {auth}"
    if settings.key_file and settings.key_read_from_file and os.name == "posix":
        mode = stat.S_IMODE(settings.key_file.stat().st_mode)
        if mode & 0o077:
            return Check("key", "warning", f"{detail}; other users can read the key file: chmod 600 it")
    return Check("key", "ok", detail)


async def _reach(runtime: Runtime) -> Check:
    version = runtime.settings.api_version
    where = f"{runtime.settings.base_url} ({runtime.backend.version if version == DEFAULT_VERSION else version})"
    if runtime.settings.dialect == "openai":
        where = f"{runtime.settings.base_url} (the openai dialect: chat completions)"
    try:
        await runtime.client.call(models.LIST, query={"pageSize": 1}, timeout=REACH_SECONDS)
    except NotFound:
        if runtime.settings.dialect != "openai":
            raise
        told = f"{where} answers, but lists no models: whether it accepts the key shows with the first question"
        return Check("gemini", "warning", told)
    if runtime.settings.base_url.startswith("http://") and runtime.settings.allow_http and not runtime.emulated:
        return Check("gemini", "warning", f"{where} answers, over plain http: the key can be read on the way")
    return Check("gemini", "ok", f"{where} answers and accepts the key")


async def _directories(runtime: Runtime) -> Check:
    roots = ", ".join(str(root) for root in runtime.disk.roots)
    if not roots:
        return Check("readable directories", "ok", "none; --allow-dir DIR allows one")
    return Check("readable directories", "ok", roots)


async def _output(runtime: Runtime) -> Check:
    room = await runtime.artifacts.look()
    if room.problem:
        return Check("output directory", "failed", room.problem)
    state = "" if room.exists else "not made yet, "
    return Check("output directory", "ok", f"{room.path} ({state}{room.free / 2**30:.1f} GiB free)")


async def _ledger(runtime: Runtime) -> Check:
    status = await runtime.store.status()
    if status.problem:
        return Check("ledger", "failed", status.problem)
    return Check("ledger", "ok", f"{status.where} ({f'{status.bytes} bytes' if status.exists else 'not begun'})")
