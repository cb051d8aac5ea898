"""Which method of the API each endpoint value stands for, and which tools use it.

The values are those of `gemini_server.api.*`, the methods those of its `reference.json`. That a tool uses a value is
read off the code: from its function through all functions of this project that it names, and the works of its jobs. A
value whose path is any name at all stands for several methods (`operations.GET`): which of them a tool means nobody can
read, so for these `MEANT` says it, or the tool is left out.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from types import FunctionType, ModuleType
from typing import Any

import gemini_server.api
import gemini_tools
from gemini_server.api import reference
from gemini_server.api.reference import Method
from gemini_server.rest.endpoint import Endpoint

WORKS = "gemini_server.toolkit.work"
FAMILIES = ("google", "interactions")

_MODELS, _TUNED, _DYNAMIC = "models/*", "tunedModels/*", "dynamic/*"
_PARENTS = (_MODELS, _TUNED, "corpora/*", "generatedFiles/*", "fileSearchStores/*", "fileSearchStores/*/upload")
NAMES: dict[str, tuple[str, ...]] = {
    "answers.model": (_MODELS,),
    "batches.model": (_MODELS, _TUNED),
    "batches.name": ("batches/*",),
    "caches.name": ("cachedContents/*",),
    "corpora.corpus": ("corpora/*",),
    "corpora.document": ("corpora/*/documents/*",),
    "corpora.chunk": ("corpora/*/documents/*/chunks/*",),
    "corpora.permission": ("corpora/*/permissions/*",),
    "embeddings.model": (_MODELS,),
    "file_search.store": ("fileSearchStores/*",),
    "file_search.document": ("fileSearchStores/*/documents/*",),
    "files.name": ("files/*",),
    "generated_files.name": ("generatedFiles/*",),
    "models.model": (_MODELS, _TUNED, _DYNAMIC),
    "models.GET.model": (_MODELS,),
    "operations.name": tuple(f"{parent}/operations/*" for parent in _PARENTS),
    "operations.parent": (_MODELS, _TUNED),
    "operations.DELETE.name": ("operations/*",),
    "palm.model": (_MODELS,),
    "predict.model": (_MODELS,),
    "tuned_models.model": (_TUNED,),
    "tuned_models.tuned_model": (_TUNED,),
    "tuned_models.permission": ("tunedModels/*/permissions/*",),
}
"""What whole names stand in the fields of paths: by module and field, or by module, value and field."""

MEANT: dict[str, tuple[str, ...]] = {
    "models.operations.get": ("get_operation", "generate_video"),
    "models.operations.list": ("list_operations",),
    "tunedModels.operations.get": ("get_operation", "list_operations", "create_tuned_model"),
    "tunedModels.operations.list": ("list_operations",),
    "corpora.operations.get": ("get_operation",),
    "generatedFiles.operations.get": ("get_operation",),
    "fileSearchStores.operations.get": ("get_operation", "add_to_store"),
    "fileSearchStores.upload.operations.get": ("get_operation", "add_to_store"),
    "tunedModels.generateContent": ("tuned_generate_text", "generate_text"),
    "tunedModels.streamGenerateContent": ("tuned_generate_text", "generate_text"),
    "dynamic.generateContent": ("generate_text",),
    "dynamic.streamGenerateContent": ("generate_text",),
    "tunedModels.batchGenerateContent": ("create_batch",),
    "tunedModels.asyncBatchEmbedContent": ("create_batch",),
    "batches.cancel": ("cancel_batch", "cancel_job"),
    "cachedContents.get": ("generate_text", "list_caches", "submit_function_results"),
    "interactions.cancel": ("cancel_interaction", "cancel_job"),
    "tunedModels.operations.cancel": ("cancel_operation", "cancel_job"),
    "openai.chat.completions.create": ("chat_completion",),
    "openai.embeddings.create": ("openai_embeddings",),
    "openai.images.generate": ("openai_images",),
    "files.delete": ("delete_file",),
    "files.download": ("download_file",),
    "fileSearchStores.media.get": ("download_file",),
}
"""The tools of methods that share a value, or code that seldom calls them, with others, or are reached by links."""
WORKED = {
    "compose_music": ("interaction_now",),
    "create_batch": ("batch", "batch_later"),
    "generate_image": ("generate", "interaction_now", "predict"),
}
"""The works of tools whose jobs are planned with a work that is chosen elsewhere."""
_FILES = ("files.get", "media.upload")
NOT_BY = {
    **dict.fromkeys(
        ("openai_embeddings", "rank_by_similarity", "read_urls", "search_maps", "search_stores", "search_web"), _FILES
    ),
    "get_batch_results": ("models.batchGenerateContent", "models.asyncBatchEmbedContent"),
    "tuned_generate_text": ("interactions.create",),
}
"""What a tool names in its code and never does."""
ANY_METHOD = ("call_endpoint",)
"""Tools that reach every method, which is said once."""


def values() -> dict[str, Endpoint[Any]]:
    """Every endpoint value by its place: `corpora.GET`."""
    found: dict[str, Endpoint[Any]] = {}
    for module in pkgutil.iter_modules(gemini_server.api.__path__):
        members = vars(importlib.import_module(f"{gemini_server.api.__name__}.{module.name}"))
        found |= {f"{module.name}.{name}": value for name, value in members.items() if isinstance(value, Endpoint)}
    return found


def methods_of(place: str, endpoint: Endpoint[Any]) -> list[Method]:
    """The methods that a value stands for, the one that it is for first.

    Raises:
        KeyError: nobody has said what whole names stand in a field of its path.
    """
    return [
        method
        for path in _paths(place, endpoint.path)
        for method in reference.methods().values()
        if _starred(method.path) == path
        and (method.verb, method.family) == (endpoint.method, endpoint.family)
        and (method.version is None or method.version == endpoint.version)
        and (endpoint.version is None or method.version == endpoint.version)
    ]


def _paths(place: str, template: str) -> Iterator[str]:
    module = place.partition(".")[0]
    fields = [name for _, name, _, _ in Formatter().parse(template) if name and name != "version"]
    choices: list[tuple[str, ...]] = []
    for name in fields:
        whole = "{version}/{" + name in template
        choices.append((NAMES.get(f"{place}.{name}") or NAMES[f"{module}.{name}"]) if whole else ("*",))
    for chosen in itertools.product(*choices):
        yield template.format(version="{version}", **dict(zip(fields, chosen, strict=True)))


def _starred(path: str) -> str:
    return re.sub(r"\{(?!version\})\w+\}", "*", path)


@cache
def tools() -> dict[str, list[str]]:
    """The tools that use each method, by its name."""
    places = {id(value): place for place, value in values().items()}
    used: dict[str, set[str]] = {name: set(meant) for name, meant in MEANT.items()}
    for toolset in gemini_tools.all_toolsets().values():
        for tool in toolset.tools.values():
            if tool.name in ANY_METHOD:
                continue
            works = [_work(name) for name in WORKED.get(tool.name, ())]
            for endpoint in _reached(tool.function, *works):
                found = methods_of(places[id(endpoint)], endpoint) if id(endpoint) in places else []
                # Which of the others a tool means, `MEANT` says.
                if found and found[0].name not in (*MEANT, *NOT_BY.get(tool.name, ())):
                    used.setdefault(found[0].name, set()).add(tool.name)
    return {name: sorted(found) for name, found in used.items()}


def _reached(*begin: Any) -> list[Endpoint[Any]]:
    """The endpoint values that functions name, or functions that these name, and so on."""
    found: list[Endpoint[Any]] = []
    seen: set[int] = set()
    waiting: list[Any] = list(begin)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Endpoint):
            found.append(one)
        elif isinstance(one, FunctionType):
            waiting += _named_in(one)
        elif isinstance(one, type) and _ours(one):
            # A job is stopped by cancel_job, whichever tool began it.
            skipped = ("cancel",) if one.__module__.startswith(WORKS) else ()
            members = [pair for base in one.__mro__ if _ours(base) for pair in vars(base).items()]
            bodies = [body for name, body in members if name not in skipped]
            waiting += [getattr(body, "fget", None) or getattr(body, "__func__", body) for body in bodies]
    return found


def _ours(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).startswith(("gemini_server.toolkit", "gemini_tools"))


def _named_in(function: FunctionType) -> list[Any]:
    """What the code of a function names: values of its module, of modules that it names, of what it is closed over."""
    cells = inspect.getclosurevars(function).nonlocals.values() if function.__closure__ else ()
    found: list[Any] = list(cells)
    if not _ours(function):
        return []
    scope: dict[str, Any] = dict(function.__globals__)
    tree = _tree(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            scope |= {alias.asname or alias.name: _member(module, alias.name) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            found.append(_value(node, scope))
        elif isinstance(node, ast.Call):
            found += _works(node, scope)
    return found


def _works(call: ast.Call, scope: dict[str, Any]) -> list[Any]:
    """The works of a job that is planned here, where they are spelled out."""
    named = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if named not in ("Plan", "free_job"):
        return []
    given = [one.value for one in call.keywords if one.arg == "work"]
    given += call.args[2:3] if named == "Plan" else call.args[3:4]
    spelled = [node for one in given for node in ast.walk(one)]
    names = [one.value if isinstance(one, ast.Constant) else _value(one, scope) for one in spelled]
    return [_work(name) for name in names if isinstance(name, str) and name.isidentifier()]


def _work(name: str) -> Any:
    return importlib.import_module(f"{WORKS}.{name}").WORK


def _member(module: ModuleType, name: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    return importlib.import_module(f"{module.__name__}.{name}")


def _value(node: ast.AST, scope: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, scope)
        if isinstance(owner, ModuleType):
            return getattr(owner, node.attr, None)
    return None


def _tree(function: FunctionType) -> ast.AST:
    return _functions(function.__code__.co_filename).get(function.__code__.co_firstlineno, ast.Module([], []))


@cache
def _functions(file: str) -> dict[int, ast.AST]:
    """The functions of a file by their first lines, those of their decorators."""
    if not Path(file).exists():
        return {}
    nodes = ast.walk(ast.parse(Path(file).read_text(encoding="utf-8")))
    functions = [one for one in nodes if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {min([one.lineno, *(each.lineno for each in one.decorator_list)]): one for one in functions}
