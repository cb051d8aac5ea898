"""The resource `tunedModels`: models that were trained further with examples of one's own.

Google has offered no model that can be tuned here since 2025; the methods are deprecated and still there. A tuned model
is asked by the methods of `models`, under its own name `tunedModels/ID`; those made of PaLM by `generateText`.

Source: https://ai.google.dev/api/tuning and the v1beta discovery documents of January and August 2026.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from gemini_server.api.config import Written
from gemini_server.api.operations import Operation
from gemini_server.api.palm import GenerateTextResponse
from gemini_server.api.permissions import ListPermissionsResponse, Permission
from gemini_server.rest.endpoint import Empty, Endpoint, Wire

TUNABLE = "models/gemini-1.5-flash-001-tuning"
"""The last model that could be tuned."""


class TuningExample(Written):
    """What is asked, and what is to be answered."""

    text_input: str
    output: str


class TuningExamples(Written):
    """Several of them."""

    examples: list[TuningExample]


class Dataset(Written):
    """What is learnt from."""

    examples: TuningExamples


class Hyperparameters(Written):
    """How it is learnt; Google's own choice where nothing is said."""

    epoch_count: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    learning_rate_multiplier: float | None = None


class NewTuningTask(Written):
    """A tuning that is wanted."""

    training_data: Dataset
    hyperparameters: Hyperparameters | None = None


class NewSource(Written):
    """The tuned model that is trained further."""

    tuned_model: str


class TunedModelChange(Written):
    """What can be changed of a tuned model."""

    display_name: str | None = Field(None, description="label, up to 40 characters")
    description: str | None = Field(None, description="for people")
    temperature: float | None = Field(None, description="default of its answers, 0 to 1")
    top_p: float | None = Field(None, description="default of its answers, 0 to 1")
    top_k: int | None = Field(None, description="default of its answers")
    reader_project_numbers: list[int] | None = Field(None, description="projects that may read it")


class NewTunedModel(TunedModelChange):
    """A tuned model that is wanted: of a base model, or of another tuned one."""

    base_model: str | None = None
    tuned_model_source: NewSource | None = None
    tuning_task: NewTuningTask


class TransferOwnership(Written):
    """Who owns a tuned model from now on."""

    email_address: str = Field(description="of the new owner; you stay a writer")


class Filter(Written):
    """Which tuned models are listed."""

    filter: str | None = Field(None, description="words of names and descriptions; owner:me, readers:everyone")


class TuningSnapshot(Wire):
    """How far the training was at a step."""

    step: int | None = None
    epoch: int | None = None
    mean_loss: float | None = None
    compute_time: str | None = None


class TrainedWith(Wire):
    """The numbers that were in force."""

    epoch_count: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    learning_rate_multiplier: float | None = None


class TuningTask(Wire):
    """How a model was trained; the examples never come back."""

    start_time: str | None = None
    complete_time: str | None = None
    hyperparameters: TrainedWith | None = None
    snapshots: list[TuningSnapshot] | None = None


class TunedModelSource(Wire):
    """What a model was trained further from."""

    tuned_model: str | None = None
    base_model: str | None = None


class TunedModel(Wire):
    """A tuned model; its `state` is CREATING, ACTIVE or FAILED."""

    essential: ClassVar[frozenset[str] | None] = frozenset({"name"})

    name: str | None = None
    display_name: str | None = None
    description: str | None = None
    state: str | None = None
    base_model: str | None = None
    tuned_model_source: TunedModelSource | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tuning_task: TuningTask | None = None
    reader_project_numbers: list[int] | None = None
    create_time: str | None = None
    update_time: str | None = None


class ListTunedModelsResponse(Wire):
    """A page of tuned models."""

    tuned_models: list[TunedModel] = []
    next_page_token: str | None = None


_PAGE = ("pageSize", "pageToken")
_MASK = ("updateMask",)

# A second create would be a second training.
CREATE = Endpoint("POST", "{version}/tunedModels", Operation, repeat="background", query=("tunedModelId",))
LIST = Endpoint("GET", "{version}/tunedModels", ListTunedModelsResponse, query=("filter", *_PAGE))
GET = Endpoint("GET", "{version}/{tuned_model}", TunedModel)
UPDATE = Endpoint("PATCH", "{version}/{tuned_model}", TunedModel, query=_MASK)
DELETE = Endpoint("DELETE", "{version}/{tuned_model}", Empty)
TRANSFER = Endpoint("POST", "{version}/{tuned_model}:transferOwnership", Empty, repeat="background")
GENERATE_TEXT = Endpoint("POST", "{version}/{model}:generateText", GenerateTextResponse, repeat="foreground")

CREATE_PERMISSION = Endpoint("POST", "{version}/{tuned_model}/permissions", Permission, repeat="background")
LIST_PERMISSIONS = Endpoint("GET", "{version}/{tuned_model}/permissions", ListPermissionsResponse, query=_PAGE)
GET_PERMISSION = Endpoint("GET", "{version}/{permission}", Permission)
UPDATE_PERMISSION = Endpoint("PATCH", "{version}/{permission}", Permission, query=_MASK)
DELETE_PERMISSION = Endpoint("DELETE", "{version}/{permission}", Empty)
