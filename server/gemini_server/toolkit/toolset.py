"""How a capability says what it publishes: tools, resources, prompts, completions. The signature is the tool.

A capability is one module of `gemini_tools` with a `TOOLSET`; what its decorators record are values that can be listed,
tested, documented and served, with no server in sight.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from gemini_server.errors import ArgumentError
from gemini_server.toolkit import prompts, schema
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.prompts import Asked
from gemini_server.toolkit.results import Result

if TYPE_CHECKING:
    from gemini_server.jobs.job import Job

ToolFunction = Callable[..., Awaitable[Result]]
ReadFunction = Callable[..., Awaitable[BaseModel | str]]
PromptFunction = Callable[..., Awaitable[Asked]]
CompleteFunction = Callable[[Call, str], Awaitable[list[str]]]
Finish = Callable[[Call, "Job"], Awaitable[Result]]
"""Makes a tool's result from its job, as far as that has come."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=(), hide_input_in_errors=True)


@dataclass(frozen=True)
class Tool:
    """A tool: a plain async function and the four hints that its signature cannot carry.

    `finish` is there where the tool begins a job: then a client may have it as a task. One that `guards_itself` is
    there in read-only mode too, where it refuses whatever changes something.
    """

    function: ToolFunction
    toolset: str
    default: bool
    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool
    finish: Finish | None = None
    guards_itself: bool = False

    @property
    def name(self) -> str:
        """The name that clients call; the function's."""
        return str(cast(Any, self.function).__name__)

    @cached_property
    def description(self) -> str:
        """The docstring, for a model that has never seen the server."""
        return _description(self.function)

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """The parameters as a model that refuses what the tool does not take."""
        return _arguments(self.function)

    @cached_property
    def result(self) -> type[Result]:
        """The type of the result."""
        return cast("type[Result]", get_type_hints(self.function)["return"])

    def surface(self) -> dict[str, Any]:
        """The tool as `tools/list` shows it."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": schema.of(self.arguments, "validation"),
            "outputSchema": schema.of(self.result, "serialization"),
            "annotations": {
                "readOnlyHint": self.read_only,
                "destructiveHint": self.destructive,
                "idempotentHint": self.idempotent,
                "openWorldHint": self.open_world,
            },
        }

    def parse(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Check the arguments of a call.

        Raises:
            ArgumentError: naming every argument that is wrong, without repeating its value.
        """
        try:
            parsed = self.arguments.model_validate(_unquoted(raw, self.arguments.model_fields))
        except ValidationError as error:
            raise ArgumentError(
                f"{self.name} was called with wrong arguments: {_faults(error)}.",
                f"It takes: {', '.join(self.arguments.model_fields) or 'none'}.",
            ) from None
        except RecursionError:
            raise ArgumentError("The arguments are nested too deeply.") from None
        return {name: getattr(parsed, name) for name in parsed.model_fields_set}


def _description(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"{cast(Any, function).__name__} has no description")
    return text.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n")


def _arguments(function: Callable[..., Any]) -> type[BaseModel]:
    hints = get_type_hints(function, include_extras=True)
    members: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "call":
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        members[parameter.name] = (hints[parameter.name], default)
    return create_model(f"{cast(Any, function).__name__}_arguments", __base__=_Arguments, **members)


def _unquoted(raw: dict[str, Any], members: dict[str, FieldInfo]) -> dict[str, Any]:
    # Some clients send lists and objects as JSON inside a string.
    out = dict(raw)
    for name, value in raw.items():
        info = members.get(name)
        if info is None or not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
            continue
        if str in (info.annotation, *get_args(info.annotation)):
            continue
        try:
            out[name] = json.loads(value)
        except (ValueError, RecursionError):
            continue
    return out


_WORDS = {"extra_forbidden": "there is no such argument", "missing": "it is needed"}


def _faults(error: ValidationError) -> str:
    faults: list[str] = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False)[:5]:
        where = ".".join(str(step) for step in fault["loc"] if not str(step).startswith(("function-", "literal[")))
        message = _WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
        faults.append(f"{where}: {message[:1].lower()}{message[1:]}" if where else message)
    return "; ".join(faults)


@dataclass(frozen=True)
class Resource:
    """A resource or, when its URI has `{parameters}`, a template of them.

    Read as JSON unless the function gives a `results.Blob`; `mime_type` is None where each one has a type of its own.
    """

    uri: str
    name: str
    description: str
    function: ReadFunction
    complete: dict[str, CompleteFunction] = field(default_factory=dict[str, CompleteFunction])
    mime_type: str | None = "application/json"


@dataclass(frozen=True)
class Prompt:
    """A prompt: an async function of strings that gives what to ask an agent.

    `tools` are those that it tells the agent to call, `one|other` where either will do: it is offered where they are.
    """

    function: PromptFunction
    title: str
    tools: tuple[str, ...]
    complete: dict[str, CompleteFunction] = field(default_factory=dict[str, CompleteFunction])

    @property
    def name(self) -> str:
        """The name that clients show; the function's."""
        return str(cast(Any, self.function).__name__)

    @cached_property
    def description(self) -> str:
        """The docstring, for the person who chooses."""
        return _description(self.function)

    @cached_property
    def arguments(self) -> dict[str, FieldInfo]:
        """The parameters by name."""
        return _arguments(self.function).model_fields

    def surface(self) -> dict[str, Any]:
        """The prompt as `prompts/list` shows it."""
        arguments = [
            {"name": name, "description": info.description, "required": info.is_required()}
            for name, info in self.arguments.items()
        ]
        return {"name": self.name, "title": self.title, "description": self.description, "arguments": arguments}

    def parse(self, raw: dict[str, str]) -> dict[str, str]:
        """Check the arguments.

        Raises:
            ArgumentError: one is missing, unknown or too long.
        """
        return prompts.checked(self.name, {name: info.is_required() for name, info in self.arguments.items()}, raw)


class Toolset:
    """The tools, resources and prompts of one capability."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description
        self.tools: dict[str, Tool] = {}
        self.resources: dict[str, Resource] = {}
        self.prompts: dict[str, Prompt] = {}

    def tool(
        self,
        *,
        read_only: bool,
        destructive: bool,
        idempotent: bool,
        open_world: bool,
        default: bool = False,
        finish: Finish | None = None,
        guards_itself: bool = False,
    ) -> Callable[[ToolFunction], ToolFunction]:
        """Publish an async function as a tool.

        Args:
            read_only: nothing at Google or in the user's files changes.
            destructive: it may delete or overwrite.
            idempotent: calling it again with the same arguments changes nothing more.
            open_world: it reaches beyond this machine.
            default: it belongs to the default preset.
            finish: makes the result from the job that the tool begins; without it the tool begins none.
            guards_itself: in read-only mode it is there all the same, and refuses what changes something.
        """

        def register(function: ToolFunction) -> ToolFunction:
            tool = Tool(
                function, self.name, default, read_only, destructive, idempotent, open_world, finish, guards_itself
            )
            if tool.name in self.tools:
                raise ValueError(f"two tools are named {tool.name}")
            self.tools[tool.name] = tool
            return function

        return register

    def resource(
        self,
        uri: str,
        *,
        description: str,
        complete: dict[str, CompleteFunction] | None = None,
        mime_type: str | None = "application/json",
    ) -> Callable[[ReadFunction], ReadFunction]:
        """Publish an async function as a resource; its parameters are those of the URI template."""

        def register(function: ReadFunction) -> ReadFunction:
            if uri in self.resources:
                raise ValueError(f"two resources are at {uri}")
            name = cast(Any, function).__name__
            self.resources[uri] = Resource(uri, name, description, function, complete or {}, mime_type)
            return function

        return register

    def prompt(
        self, *, title: str, tools: tuple[str, ...], complete: dict[str, CompleteFunction] | None = None
    ) -> Callable[[PromptFunction], PromptFunction]:
        """Publish an async function of strings as a prompt.

        Args:
            title: what people see.
            tools: the tools it tells the agent to call; `one|other` where either will do.
            complete: completions of its arguments.
        """

        def register(function: PromptFunction) -> PromptFunction:
            made = Prompt(function, title, tools, complete or {})
            if made.name in self.prompts:
                raise ValueError(f"two prompts are named {made.name}")
            self.prompts[made.name] = made
            return function

        return register
