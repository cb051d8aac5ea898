"""What the API has, this project has: a value for every method, and a tool for all that it was started for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from gemini_server import surface
from gemini_server.api import reference

SCRIPT = Path(__file__).parent.parent / "scripts" / "endpoint_use.py"

BYTES = "bytes: fetched from the link or the name that an answer gives (rest.downloads), with Range"
WITHOUT_VALUE = {"files.download": BYTES, "fileSearchStores.media.get": BYTES}
"""Methods for which there is no endpoint value, and why."""

CRUD = ("create", "delete", "get", "list", "patch")


def _crud(resource: str, names: tuple[str, ...], tools: str, *, lister: str = "") -> dict[str, str]:
    """The tools of the usual methods: `create_X`, `delete_X`, `update_X`, and `list_X`, which shows one by its name."""
    lists = lister or f"list_{tools}s"
    verbs = {"create": f"create_{tools}", "delete": f"delete_{tools}", "patch": f"update_{tools}"}
    return {f"{resource}.{name}": verbs.get(name, lists) for name in names}


DOCUMENTS = "corpora.documents"
CHUNKS = f"{DOCUMENTS}.chunks"
WANTED: dict[str, str] = {
    **_crud("cachedContents", CRUD, "cache"),
    **_crud("corpora", CRUD, "corpus", lister="list_corpus"),
    "corpora.query": "query_corpus",
    **_crud(DOCUMENTS, CRUD, "corpus_document", lister="list_corpus_document"),
    f"{DOCUMENTS}.query": "query_corpus_document",
    **_crud(CHUNKS, CRUD, "chunks", lister="list_chunks"),
    f"{CHUNKS}.batchCreate": "create_chunks",
    f"{CHUNKS}.batchDelete": "delete_chunks",
    f"{CHUNKS}.batchUpdate": "update_chunks",
    **_crud("corpora.permissions", CRUD, "corpus_permission"),
    **_crud("files", ("delete", "get", "list"), "file"),
    "media.upload": "upload_file",
    "models.batchEmbedContents": "embed",
    "models.batchEmbedText": "palm_embed_text",
    "models.countMessageTokens": "palm_count_tokens",
    "models.countTextTokens": "palm_count_tokens",
    "models.countTokens": "count_tokens",
    "models.embedContent": "embed",
    "models.embedText": "palm_embed_text",
    "models.generateAnswer": "generate_answer",
    "models.generateContent": "generate_text",
    "models.generateMessage": "palm_generate_message",
    "models.generateText": "palm_generate_text",
    "models.get": "list_models",
    "models.list": "list_models",
    "models.streamGenerateContent": "generate_text",
    **_crud("tunedModels", CRUD, "tuned_model"),
    "tunedModels.generateContent": "tuned_generate_text",
    "tunedModels.generateText": "tuned_generate_text",
    "tunedModels.transferOwnership": "transfer_tuned_model",
    **_crud("tunedModels.permissions", CRUD, "tuned_model_permission"),
    "operations.delete": "delete_operation",
    "operations.list": "list_operations",
    "tunedModels.operations.cancel": "cancel_operation",
    "tunedModels.operations.get": "get_operation",
    "tunedModels.operations.list": "list_operations",
}
"""The methods of the reference that started the project, and the typed tool that reaches each."""
OF_VERSION_1 = (
    "models.batchEmbedContents", "models.countTokens", "models.embedContent", "models.generateContent", "models.get",
    "models.list", "models.streamGenerateContent", "operations.delete", "operations.list",
    "tunedModels.generateContent", "tunedModels.operations.cancel", "tunedModels.operations.get",
    "tunedModels.operations.list",
)  # fmt: skip
"""Those that it has of version v1 too: GEMINI_API_VERSION=v1 sends the same tools there, and what v1 alone has goes
there by itself."""
MEDIA_UPLOAD_PATHS = {"upload/{version}/files": "media.upload", "{version}/files": "media.create"}


@pytest.fixture(scope="module")
def use() -> Any:
    """The script that knows which method a value stands for."""
    spec = importlib.util.spec_from_file_location("endpoint_use", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_method_has_a_value_and_every_value_a_method(use: Any) -> None:
    found: dict[str, list[str]] = {}
    for place, value in use.values().items():
        methods = use.methods_of(place, value)
        assert methods, f"{place} ({value.method} {value.path}) is no method of the API"
        for method in methods:
            found.setdefault(method.name, []).append(place)
            if len(methods) == 1:
                assert set(value.query) <= {*method.query, "alt"}, place
    facts = {one.name for one in reference.methods().values() if one.family in use.FAMILIES}
    assert facts - found.keys() == WITHOUT_VALUE.keys()
    assert len(facts) == 141


def test_the_reference_that_started_the_project_is_complete_here() -> None:
    counts = {"cachedContents": 5, "corpora": 6, DOCUMENTS: 6, CHUNKS: 8, "corpora.permissions": 5, "files": 3,
              "media": 1, "models": 14, "tunedModels": 8, "tunedModels.permissions": 5, "operations": 2,
              "tunedModels.operations": 3}  # fmt: skip
    assert {name: sum(one.rpartition(".")[0] == name for one in WANTED) for name in counts} == counts
    assert len(WANTED) == sum(counts.values())
    assert set(OF_VERSION_1) <= WANTED.keys()
    assert len(set(OF_VERSION_1)) == 7 + 2 + 4
    assert WANTED.keys() <= reference.methods().keys()
    assert {one.path: one.name for one in reference.methods().values() if one.path in MEDIA_UPLOAD_PATHS
            and one.verb == "POST"} == MEDIA_UPLOAD_PATHS  # fmt: skip


def test_what_the_script_knows_by_heart_is_there(use: Any) -> None:
    named = {tool for tools in use.tools().values() for tool in tools}
    by_heart = (*use.tools(), *(one for names in use.NOT_BY.values() for one in names))
    assert set(by_heart) <= reference.methods().keys()
    assert {*named, *use.WORKED, *use.NOT_BY, *use.ANY_METHOD} <= {entry.name for entry in surface.load().tools}


@pytest.mark.parametrize(("method", "tool"), WANTED.items())
def test_a_method_is_reached_by_its_typed_tool(use: Any, method: str, tool: str) -> None:
    assert tool in {entry.name for entry in surface.load().tools}
    assert tool in use.tools()[method]
