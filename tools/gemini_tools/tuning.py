"""Tuned models: made of examples, asked, shared; Google has no model left that can be tuned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from gemini_server.api import tuned_models as api
from gemini_server.api.models import resource_name
from gemini_server.api.permissions import NewPermission, Permission, PermissionChange
from gemini_server.api.tuned_models import (
    Dataset,
    Hyperparameters,
    NewSource,
    NewTunedModel,
    NewTuningTask,
    TuningExample,
    TuningExamples,
)
from gemini_server.errors import ArgumentError, NotFound
from gemini_server.jobs.job import Job
from gemini_server.toolkit import job_result, jobs, palm_text
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.dialogue import ask
from gemini_server.toolkit.generation.options import Options
from gemini_server.toolkit.generation.result import TextResult
from gemini_server.toolkit.jobs import JobOut, Reuse, WaitSeconds
from gemini_server.toolkit.params import Attachments
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.retired import TUNING, gone
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("tuning", "Tuned models.")

_NAME = Name("name", "tunedModels/*")
_MODEL = Name("tuned_model", "tunedModels/*")
_MODELS = ResourceTools(TOOLSET, "tuned_model", api.TunedModel, _NAME, retired=TUNING)
_PERMISSIONS = ResourceTools(
    TOOLSET,
    "permission",
    Permission,
    Name("name", "tunedModels/*/permissions/*"),
    parent=_MODEL,
    retired=TUNING,
    lists="list_tuned_model_permissions",
)


class TunedModelJob(JobOut):
    """The job of a tuning, and the model when it is there."""

    tuned_model: Annotated[dict[str, Any] | None, WithJsonSchema({"type": "object"})] = None

    def as_text(self) -> str:
        """How it stands, and what was made."""
        name = (self.tuned_model or {}).get("name")
        return "\n".join([super().as_text(), *([f"[tuned model] {name}"] if name else [])])


async def finish(call: Call, job: Job, warnings: Sequence[str] = ()) -> TunedModelJob:
    """The model that a job tunes, as far as that has come.

    Raises:
        ToolserverError: it came to nothing.
    """
    shown = await job_result.shown(call, job, warnings)
    made = (shown.result or {}).get("tuned_model")
    shown.result = None
    return TunedModelJob(**shown.__dict__, tuned_model=made)


@TOOLSET.tool(read_only=False, destructive=False, idempotent=False, open_world=True, finish=finish)
async def create_tuned_model(
    call: Call,
    examples: Annotated[list[TuningExample], Field(description="what is asked, and what is to be answered")],
    base_model: Annotated[str | None, Field(description=f"default {api.TUNABLE}")] = None,
    tuned_model: Annotated[str | None, Field(description="instead: tunedModels/ID to train further")] = None,
    id: Annotated[str | None, Field(description="of your choice: letters, digits, dashes")] = None,  # noqa: A002
    display_name: Annotated[str | None, Field(description="label, up to 40 characters")] = None,
    description: Annotated[str | None, Field(description="for people")] = None,
    hyperparameters: Annotated[Hyperparameters | None, Field(description="default: Google's choice")] = None,
    temperature: Annotated[float | None, Field(description="default of its answers, 0 to 1")] = None,
    top_p: Annotated[float | None, Field(description="default of its answers, 0 to 1")] = None,
    top_k: Annotated[int | None, Field(description="default of its answers")] = None,
    reader_project_numbers: Annotated[list[int] | None, Field(description="projects that may read it")] = None,
    wait_seconds: WaitSeconds = jobs.WAIT,
    reuse: Reuse = True,
) -> TunedModelJob:
    """Tune a model with examples. Billed as Google bills tuning; the price is not known. Returns a job, and the
    tuned_model when it is done. Deprecated: Google has had no model that can be tuned here since 2025; instead, give
    examples in the prompt of generate_text.
    """
    if not examples:
        raise ArgumentError("There are no examples; nothing was sent.", "Give pairs of text_input and output.")
    if base_model and tuned_model:
        raise ArgumentError("A model is tuned from one other; nothing was sent.", "Give base_model or tuned_model.")
    source = _NAME.full(tuned_model) if tuned_model else None
    base = None if source else resource_name((base_model or api.TUNABLE).strip())
    body = NewTunedModel(
        base_model=base,
        tuned_model_source=NewSource(tuned_model=source) if source else None,
        display_name=display_name,
        description=description,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        reader_project_numbers=reader_project_numbers,
        tuning_task=NewTuningTask(
            training_data=Dataset(examples=TuningExamples(examples=examples)), hyperparameters=hyperparameters
        ),
    )
    plan = jobs.Plan(
        kind="tuned_model",
        tool="create_tuned_model",
        work="tuning",
        model=(source or base or "").removeprefix("models/"),
        identity=[id, body.model_dump(mode="json", exclude_none=True)],
        wish={"id": id},
    )
    begun = await jobs.begin(call, plan, body=body, reuse=reuse)
    return await finish(call, await jobs.wait(call, begun.job, wait_seconds), jobs.reused(begun))


list_tuned_models = _MODELS.listed(
    api.LIST, "List tuned models, or show one. Free. Returns tuned_models.", get=api.GET, queries=api.Filter
)
update_tuned_model = _MODELS.updated(
    api.UPDATE,
    "Change the label, the description or the defaults of a tuned model. Free. Returns tuned_model.",
    body=api.TunedModelChange,
)
delete_tuned_model = _MODELS.deleted(api.DELETE, "Delete a tuned model for good. Free. Returns its name.")
transfer_tuned_model = _MODELS.acted(
    api.TRANSFER,
    "Make somebody else the owner of a tuned model; only the new owner can undo that. Free. Returns its name.",
    tool="transfer_tuned_model",
    member="transferred",
    body=api.TransferOwnership,
    destructive=True,
)


@TOOLSET.tool(read_only=True, destructive=False, idempotent=False, open_world=True)
async def tuned_generate_text(
    call: Call,
    model: Annotated[str, Field(description="tunedModels/ID")],
    prompt: Annotated[str, Field(description="literal text, as the examples have it")],
    attachments: Attachments = None,
    system: Annotated[str | None, Field(description="system instruction")] = None,
    max_output_tokens: Annotated[int | None, Field(description="tokens of the answer")] = None,
    stop: Annotated[list[str] | None, Field(description="stop sequences, up to 5")] = None,
    temperature: Annotated[float | None, Field(description="default: the model's own")] = None,
    top_p: Annotated[float | None, Field(description="default: the model's own")] = None,
    top_k: Annotated[int | None, Field(description="default: the model's own")] = None,
    safety: Annotated[dict[str, str] | None, Field(description="category: threshold")] = None,
    method: Annotated[
        Literal["generateContent", "generateText"],
        Field(description="generateText for models that were tuned from PaLM; default generateContent"),
    ] = "generateContent",
) -> TextResult:
    """Ask a tuned model. Billed by token; the price is not known. Returns text, usage. Google has had no model that can
    be tuned here since 2025; instead, give examples in the prompt of generate_text.
    """
    name = _NAME.full(model)
    if method == "generateText":
        if attachments or system:
            raise ArgumentError("generateText takes a prompt alone; nothing was sent.", "Leave the rest out.")
        wanted = palm_text.request(
            prompt,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            max_output_tokens=max_output_tokens,
            stop=stop,
            safety=[(one.removeprefix("HARM_CATEGORY_"), level) for one, level in (safety or {}).items()],
        )
        texts, usage = await palm_text.write(call, api.GENERATE_TEXT, name, wanted, TUNING)
        return TextResult(text=texts[0], finish_reason="STOP", usage=usage, model_version=name)
    given = {"temperature": temperature, "top_p": top_p, "top_k": top_k}
    sampling = {one: float(value) for one, value in given.items() if value is not None}
    options = Options(
        system=system, max_output_tokens=max_output_tokens, stop=stop, sampling=sampling or None, safety=safety
    )
    try:
        return await ask(call, model=name, prompt=prompt, attachments=attachments or (), options=options)
    except NotFound as error:
        raise gone(error, TUNING) from None


create_tuned_model_permission = _PERMISSIONS.created(
    api.CREATE_PERMISSION,
    "Let a user, a group or everyone use a tuned model. Free. Returns permission.",
    tool="create_tuned_model_permission",
    body=NewPermission,
)
list_tuned_model_permissions = _PERMISSIONS.listed(
    api.LIST_PERMISSIONS,
    "List who may use a tuned model, or show one permission. Free. Returns permissions.",
    get=api.GET_PERMISSION,
)
update_tuned_model_permission = _PERMISSIONS.updated(
    api.UPDATE_PERMISSION,
    "Change the role that a permission to use a tuned model gives. Free. Returns permission.",
    tool="update_tuned_model_permission",
    body=PermissionChange,
)
delete_tuned_model_permission = _PERMISSIONS.deleted(
    api.DELETE_PERMISSION,
    "Take back a permission to use a tuned model. Free. Returns its name.",
    tool="delete_tuned_model_permission",
)
