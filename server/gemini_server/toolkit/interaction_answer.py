"""The result of an interaction that was waited for, and of one that is looked at: booked, saved, explained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

import anyio
import anyio.to_thread

from gemini_server.api.interaction_content import Said
from gemini_server.api.interactions import Interaction
from gemini_server.errors import BadAnswer, Blocked, ToolserverError
from gemini_server.jobs.job import Job, Json
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.run import book
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.interaction_known import remember
from gemini_server.toolkit.interaction_outcome import files_of, left_out, rerouted
from gemini_server.toolkit.interaction_result import InteractionOut, error_in, name_of, told
from gemini_server.toolkit.interaction_run import Ran
from gemini_server.toolkit.interaction_spent import usage_of
from gemini_server.toolkit.research_report import shortened
from gemini_server.toolkit.results import ArtifactOut, Usage
from gemini_server.toolkit.saved import saved
from gemini_server.toolkit.trouble import trouble
from gemini_server.toolkit.untrusted import json_value, label, link

_LONGEST = 4000
"""Characters of one string of an input that are shown."""
_MOST_INPUT = 40_000
"""Characters of all of it."""
_MOST_CITATIONS = 200
"""Citations that are shown: of an agent's work there may be thousands."""


async def answered(
    call: Call, name: str, ran: Ran, sources: Sources, *, kept: bool, schema: Any = None
) -> InteractionOut:
    """The result of an interaction that was waited for.

    Args:
        call: the call.
        name: the model or agent that was asked.
        ran: what came.
        sources: what it could read, as far as the request says so.
        kept: whether Google keeps it.
        schema: the JSON Schema that its text must match.

    Raises:
        ToolserverError: nothing useful came; its `usage` says what it cost.
    """
    interaction = ran.interaction
    with anyio.CancelScope(shield=True):  # it is paid for, whoever has gone
        usage = usage_of(call.runtime, name, interaction)
        if interaction.usage is not None:
            book(call, name, usage)
        if kept and interaction.id:
            await remember(call, interaction.id, sources)
        if ran.cause is not None:
            interaction.status = "cut"
        found = await told(interaction, sources, schema=schema, kept=kept)
        if interaction.status.lower() == "failed":
            raise _priced(found.error or trouble(None, None), usage, ran.retries)
        warnings: list[str] = [*ran.warnings, *found.members.pop("warnings", ())]
        artifacts = await _files(call, found.contents, warnings)
        later = kept and interaction.status.lower() in ("queued", "in_progress", "cut")
        if not (artifacts or found.useful or (later and interaction.id)):
            raise _priced(ran.cause or _nothing(interaction, usage), usage, ran.retries)
        warnings += found.trouble
        members = found.members
        _fewer_citations(members, warnings)
        if ran.cause is not None:
            members |= {"status": "incomplete", "incomplete": True}
        model = _model(name, interaction, warnings)
        return InteractionOut.model_validate(
            {
                **members, **model, "usage": usage, "artifacts": artifacts or None, "warnings": warnings or None,
                "retries": ran.retries or None,
            }
        )  # fmt: skip
    raise AssertionError  # for the type checkers: this scope swallows nothing


async def looked_at(call: Call, interaction: Interaction, sources: Sources, job: Job | None = None) -> InteractionOut:
    """The result of looking at an interaction: nothing of it is new, or billed, and a failure is part of what it says.

    Args:
        call: the call.
        interaction: as Google has it; what was said to it is shown where it came along.
        sources: what it could read.
        job: the one that waits, or waited, for it.
    """
    found = await told(interaction, sources)
    if job is not None and job.work == "research" and "text" in found.members:
        shortened(found.members)  # get_job has the report as a file
    warnings: list[str] = found.members.pop("warnings", [])
    failed = found.error is not None and interaction.status.lower() == "failed"
    warnings += [found.error.what] if found.error is not None and failed else found.trouble
    artifacts = await _files(call, found.contents, warnings)
    name = interaction.model or interaction.agent or ""
    usage = usage_of(call.runtime, name, interaction) if interaction.usage else None
    shown = None if interaction.input is None else json_value(_shown_input(interaction.input, warnings))
    _fewer_citations(found.members, warnings)
    return InteractionOut.model_validate(
        {
            **found.members, **_model(name, interaction, []), "input": shown, "usage": usage,
            "artifacts": artifacts or None, "warnings": warnings or None,
        }
    )  # fmt: skip


def _priced(error: ToolserverError, usage: Usage, retries: int) -> ToolserverError:
    error.retries = error.retries or retries
    if usage.total_tokens:
        error.usage = usage.structured()
        error.what = f"{error.what} It used {usage}."
    return error


def _nothing(interaction: Interaction, usage: Usage) -> ToolserverError:
    said = error_in(interaction)
    if said is not None:
        return said
    status = interaction.status.lower()
    if status == "incomplete" and usage.thought_tokens:
        return BadAnswer(
            f"The answer is empty: thinking used up the whole of max_output_tokens ({usage.thought_tokens} tokens).",
            "Raise max_output_tokens to 4096 or more, leave it out, or lower `thinking`.",
            code=status,
        )
    if status == "budget_exceeded":
        return BadAnswer(
            "The agent used up its budget before it had said anything.",
            "Raise agent_config.max_total_tokens, or ask for less.",
            code=status,
        )
    if status == "cancelled":
        return Blocked("The interaction was cancelled before anything came of it.", code=status)
    return BadAnswer(
        f"Gemini has finished ({label(status or 'no status', 60)}), and nothing came of it.",
        "Call again or rephrase: that is billed anew.",
        code="empty",
    )


def _model(asked: str, interaction: Interaction, warnings: list[str]) -> Json:
    answering = name_of((interaction.model or "").removeprefix("models/"))
    if not answering:
        return {}
    if not interaction.agent and not asked.startswith(("deep-", "anti")) and rerouted(asked, answering):
        warnings.append(f"{asked} was asked for, {answering} answered: Google reroutes retired models.")
    return {"model_version": answering}


async def _files(call: Call, contents: Sequence[Said], warnings: list[str]) -> list[ArtifactOut]:
    """Files that came along as artifacts; those that Google keeps are named."""
    if not contents:
        return []
    media, broken = await anyio.to_thread.run_sync(files_of, contents)
    warnings += [broken.strip()] if broken else []
    found: list[ArtifactOut] = []
    for one in media:
        if one.data is not None:
            out = await saved(call, one.kind, one.data, warnings)
            found += [out] if out else []
        elif one.uri and not call.runtime.client.follows(one.uri):
            warnings.append(left_out(one))
        elif one.uri and (address := link(one.uri)):
            warnings.append(f"A file ({one.kind}) lies at Google: {address}; download_file brings it.")
    return found


def _fewer_citations(members: Json, warnings: list[str]) -> None:
    citations: list[Json] = members.get("citations", [])
    if len(citations) > _MOST_CITATIONS:
        members["citations"] = citations[:_MOST_CITATIONS]
        warnings.append(f"{len(citations) - _MOST_CITATIONS} further citations are left out.")


def _shown_input(value: Any, warnings: list[str]) -> Any:
    """What was said, without media; of very much the last items, which are the newest."""
    shown = _without_media(value)
    if not isinstance(shown, list):
        return shown
    items, left = cast("list[object]", shown), _MOST_INPUT
    for number, item in enumerate(reversed(items)):
        left -= len(json.dumps(item, ensure_ascii=False))
        if left < 0 and number:
            warnings.append(f"The first {len(items) - number} of {len(items)} items of input are left out.")
            return items[-number:]
    return items


def _without_media(value: Any) -> Any:
    """What was said, with bytes left out and long words cut."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
    if isinstance(value, list):
        return [_without_media(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        members = cast(Json, value).items()
        return {
            name: f"({len(item)} characters of base64)" if name == "data" and isinstance(item, str) else
            _without_media(item)
            for name, item in members
        }  # fmt: skip
    return value
