"""Write what is known of every method of the API: `server/gemini_server/api/reference.json`.

python scripts/reference.py SPECS     SPECS is a folder with Google's schemas (see `SOURCES`)

Facts alone are kept: names, verbs, paths, parameters, and the shapes of what is sent; no sentence of anybody's.
The shapes are closed: a member that a schema does not declare is a mistake, since Google refuses it too.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "server" / "gemini_server" / "api" / "reference.json"
SOURCES = {
    "current": "gemini-v1beta-2026-08.json",
    "earlier": "gemini-v1beta-2026-01-full.json",
    "interactions": "gemini-interactions-2026-11.json",
    "legacy": "legacy-proto-summary.txt",
}
Json = dict[str, Any]

SINGULAR = {"corpora": "corpus", "batches": "batch", "dynamic": "dynamic"}
VERBS = {"create", "get", "list", "patch", "delete"}
MULTIPLE = re.compile(r"^/(?:v1beta/|\{api_version\}/)?")

V1 = (  # methods that v1 alone has
    ("operations.list", "GET", "operations", ("filter", "pageSize", "pageToken", "returnPartialSuccess")),
    ("operations.delete", "DELETE", "operations/{operation}", ()),
    ("tunedModels.operations.cancel", "POST", "tunedModels/{tunedModel}/operations/{operation}:cancel", ()),
)
REMOVED = (  # methods that the protos alone still describe: name, verb, path, query, body, answer
    ("corpora.patch", "PATCH", "corpora/{corpus}", ("updateMask",), "Corpus", "Corpus"),
    ("corpora.query", "POST", "corpora/{corpus}:query", (), "QueryCorpusRequest", "QueryCorpusResponse"),
    *(
        (f"corpora.documents.{name}", verb, f"corpora/{{corpus}}/documents{tail}", query, body, answer)
        for name, verb, tail, query, body, answer in (
            ("create", "POST", "", (), "LegacyDocument", "LegacyDocument"),
            ("list", "GET", "", ("pageSize", "pageToken"), None, "LegacyListDocumentsResponse"),
            ("get", "GET", "/{document}", (), None, "LegacyDocument"),
            ("patch", "PATCH", "/{document}", ("updateMask",), "LegacyDocument", "LegacyDocument"),
            ("delete", "DELETE", "/{document}", ("force",), None, "Empty"),
            ("query", "POST", "/{document}:query", (), "QueryDocumentRequest", "QueryDocumentResponse"),
        )
    ),
    *(
        (f"corpora.documents.chunks.{name}", verb, f"corpora/{{corpus}}/documents/{{document}}/chunks{tail}", query,
         body, answer)
        for name, verb, tail, query, body, answer in (
            ("create", "POST", "", (), "Chunk", "Chunk"),
            ("list", "GET", "", ("pageSize", "pageToken"), None, "ListChunksResponse"),
            ("get", "GET", "/{chunk}", (), None, "Chunk"),
            ("patch", "PATCH", "/{chunk}", ("updateMask",), "Chunk", "Chunk"),
            ("delete", "DELETE", "/{chunk}", (), None, "Empty"),
            ("batchCreate", "POST", ":batchCreate", (), "BatchCreateChunksRequest", "BatchCreateChunksResponse"),
            ("batchUpdate", "POST", ":batchUpdate", (), "BatchUpdateChunksRequest", "BatchUpdateChunksResponse"),
            ("batchDelete", "POST", ":batchDelete", (), "BatchDeleteChunksRequest", "Empty"),
        )
    ),
)  # fmt: skip
UPLOADS = (  # methods that take bytes: name, verb, path, query
    ("media.upload", "POST", "upload/{version}/files", ()),
    ("media.uploadToFileSearchStore", "POST",
     "upload/{version}/fileSearchStores/{fileSearchStore}:uploadToFileSearchStore", ()),
    ("environments.files.upload", "PUT", "upload/{version}/environments/{environment}/files/{path}",
     ("extract", "overwrite")),
)  # fmt: skip
DOWNLOADS = (
    ("files.download", "GET", "files/{file}:download"),
    ("fileSearchStores.media.get", "GET", "fileSearchStores/{fileSearchStore}/media/{blob}"),
)
OPENAI = (
    ("openai.chat.completions.create", "POST", "openai/chat/completions"),
    ("openai.embeddings.create", "POST", "openai/embeddings"),
    ("openai.images.generate", "POST", "openai/images/generations"),
    ("openai.models.list", "GET", "openai/models"),
    ("openai.models.get", "GET", "openai/models/{model}"),
    ("openai.batches.create", "POST", "openai/batches"),
    ("openai.batches.get", "GET", "openai/batches/{batch}"),
    ("openai.videos.get", "GET", "openai/videos/{video}"),
)
# The discovery document still writes these four with a verb after a colon; the SDK of November does not.
RENAMED = {"environments:create", "environments:list", "environments/{id}:get", "environments/{id}:delete"}
BACKGROUND = {"batchGenerateContent", "asyncBatchEmbedContent", "predictLongRunning", "importFile"}
DEPRECATED = {
    "corpora.create", "corpora.get", "corpora.list", "corpora.delete", "tunedModels.create", "tunedModels.get",
    "tunedModels.list", "tunedModels.patch", "tunedModels.delete", "tunedModels.generateText", "models.generateAnswer",
    "models.generateText", "models.generateMessage", "models.embedText", "models.batchEmbedText",
    "models.countTextTokens", "models.countMessageTokens",
}  # fmt: skip
# Fields that the official SDK sends and the discovery document of August lacks.
TEXT, NUMBER, OPEN = {"type": "string"}, {"type": "number"}, {"type": "object"}
STRINGS = {"type": "object", "additionalProperties": TEXT}
NEWER: dict[str, Json] = {
    "GenerateContentRequest": {"labels": STRINGS, "continuationToken": TEXT},
    "GenerateContentBatch": {"webhookConfig": {"$ref": "#/$defs/WebhookConfig"}},
    "EmbedContentBatch": {"webhookConfig": {"$ref": "#/$defs/WebhookConfig"}},
    "PredictLongRunningRequest": {"webhookConfig": {"$ref": "#/$defs/WebhookConfig"}},
    "VoiceConfig": {"voice": TEXT, "replicatedVoiceConfig": OPEN},
    "GoogleMaps": {"authConfig": OPEN},
    "Part": {
        "audioTranscription": OPEN, "speechMetadata": OPEN, "documentMetadata": OPEN, "spreadsheetMetadata": OPEN,
        "audioMetadata": OPEN,
    },
    "BidiGenerateContentSetup": {"proactivity": OPEN, "avatarConfig": OPEN, "labels": STRINGS},
}  # fmt: skip
NEWER_VALUES = {("ThinkingConfig", "thinkingLevel"): ["XHIGH"]}
WEBHOOK_CONFIG = {
    "type": "object",
    "properties": {"uris": {"type": "array", "items": TEXT}, "userMetadata": OPEN},
    "additionalProperties": False,
}
# Needed by the letter of the schema, and said by the path or set by the server.
NOT_NEEDED = {
    "GenerateContentRequest": {"model"}, "EmbedContentRequest": {"model"}, "EmbedTextRequest": {"model"},
    "GenerateContentBatch": {"model", "displayName"}, "EmbedContentBatch": {"model", "displayName"},
    "FunctionDeclaration": {"description"}, "CountTextTokensRequest": {"model"},
    "BatchEmbedTextRequest": {"model"}, "AsyncBatchEmbedContentRequest": {"model"},
    "BatchGenerateContentRequest": {"model"}, "BatchEmbedContentsRequest": {"model"},
    "TunedModel": {"tuningTask"}, "Schema": {"type"},
}  # fmt: skip
KEPT = ("type", "enum", "items", "format", "required", "const", "minimum", "maximum")


def main(folder: Path) -> None:
    """Read the sources, write the facts."""
    sources = {name: (folder / file).read_text(encoding="utf-8") for name, file in SOURCES.items()}
    current, earlier = json.loads(sources["current"]), json.loads(sources["earlier"])
    interactions = json.loads(sources["interactions"])
    google: dict[str, Json] = {
        **_all(earlier),
        **_all(current),
        **_protos(sources["legacy"]),
        "WebhookConfig": WEBHOOK_CONFIG,
    }
    for name, members in NEWER.items():
        google[name]["properties"].update(members)
    # Output alone by the letter of the schema; every client sends them all the same.
    google["File"]["properties"] |= {"mimeType": TEXT, "sizeBytes": {"type": ["string", "integer"]}}
    for (name, member), values in NEWER_VALUES.items():
        google[name]["properties"][member]["enum"] += values
    for name, said in NOT_NEEDED.items():
        if needed := set(google.get(name, {}).get("required", [])) - said:
            google[name]["required"] = sorted(needed)
        else:
            google.get(name, {}).pop("required", None)
    methods = [
        *_methods(current),
        *_methods(earlier, known={*_paths(current)}),
        *_removed(),
        *_others(),
        *_second(interactions),
    ]
    snake = {name: schema for name, schema in _all(interactions).items() if not name.startswith("Unknown")}
    methods.sort(key=lambda method: str(method["name"]))
    schemas = {
        "google": _reached(google, methods, "google"),
        "interactions": _reached(snake, methods, "interactions"),
    }
    TARGET.write_text(_lines(methods, schemas), encoding="utf-8")
    count = sum(len(family) for family in schemas.values())
    print(f"{len(methods)} methods, {count} schemas, {TARGET.stat().st_size:,} bytes")


def _all(spec: Json) -> dict[str, Json]:
    return {name: _closed(schema) for name, schema in spec["components"]["schemas"].items()}


def _closed(schema: Json) -> Json:
    """A schema without words, which refuses members that it does not declare."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace("#/components/schemas/", "#/$defs/")}
    out: Json = {name: schema[name] for name in KEPT if name in schema and name != "items"}
    if out.get("format") in ("int64", "uint64") and out.get("type") == "string":
        out["type"] = ["string", "integer"]
    if out.get("format") not in ("byte", "int32", "google-datetime", "google-duration", "google-fieldmask"):
        out.pop("format", None)
    if "items" in schema:
        out["items"] = _closed(schema["items"])
    branches = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if branches and len(branches) == 1:
        return {**out, **_closed(branches[0])}
    if branches:
        known = [one for one in branches if not one.get("$ref", "").rpartition("/")[2].startswith("Unknown")]
        out["anyOf"] = [_closed(one) for one in known]
        if len(out["anyOf"]) == 1:
            return {**out, **out.pop("anyOf")[0]}
    properties = schema.get("properties")
    if properties:
        out["properties"] = {name: _closed(value) for name, value in properties.items() if not value.get("readOnly")}
        # The discovery document says in words what is needed.
        said = [name for name, one in properties.items() if str(one.get("description", "")).startswith("Required.")]
        needed = sorted({*out.pop("required", []), *said} & set(out["properties"]))
        if needed:
            out["required"] = needed
        out["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        out["additionalProperties"] = _closed(schema["additionalProperties"])
    return out


def _protos(text: str) -> dict[str, Json]:
    """The messages of services that only the protos describe."""
    messages: dict[str, Json] = {}
    for line in text.partition("\n## HTTP")[0].splitlines():
        name, found, members = line.partition(": ")
        if not found or " " in name:
            continue
        name = {"Document": "LegacyDocument", "ListDocumentsResponse": "LegacyListDocumentsResponse"}.get(name, name)
        properties: dict[str, Json] = {}
        for member in re.findall(r"(\w+):((?:\[\])?(?:enum \w+\([^)]*\)|\w+))", members):
            if member[0] not in ("createTime", "updateTime", "state"):
                properties[member[0]] = _proto_type(member[1])
        messages[name] = {"type": "object", "properties": properties, "additionalProperties": False}
    wanted = {
        "Chunk", "ChunkData", "Condition", "Corpus", "CustomMetadata", "LegacyDocument", "MetadataFilter", "StringList",
        "BatchCreateChunksRequest", "BatchUpdateChunksRequest", "BatchDeleteChunksRequest", "CreateChunkRequest",
        "UpdateChunkRequest", "DeleteChunkRequest", "QueryCorpusRequest", "QueryDocumentRequest",
    }  # fmt: skip
    return {name: schema for name, schema in messages.items() if name in wanted}


def _proto_type(word: str) -> Json:
    if word.startswith("[]"):
        return {"type": "array", "items": _proto_type(word[2:])}
    if word.startswith("enum"):
        return {"type": "string", "enum": word.partition("(")[2].rstrip(")").split("|")}
    plain = {
        "string": TEXT,
        "float": NUMBER,
        "bool": {"type": "boolean"},
        "int32": {"type": "integer"},
        "FieldMask": TEXT,
    }
    return plain.get(word) or {"$ref": f"#/$defs/{word}"}


def _paths(spec: Json) -> list[tuple[str, str]]:
    return [
        (verb.upper(), _template(path)) for path, item in spec["paths"].items() for verb in item if verb != "parameters"
    ]


def _template(path: str) -> str:
    """`corpora/{corpus}/documents/{document}` of whatever a document calls its parameters."""
    parts = MULTIPLE.sub("", path).split("/")
    for at, part in enumerate(parts):
        if part.startswith("{") and at:
            collection = parts[at - 1]
            one = SINGULAR.get(collection, collection.removesuffix("s"))
            name = "path" if part == "{path}" else one
            parts[at] = "{" + name + "}" + part.partition("}")[2]
    return "/".join(parts)


def _methods(spec: Json, known: Collection[tuple[str, str]] = ()) -> list[Json]:
    found: list[Json] = []
    for path, item in spec["paths"].items():
        for verb, operation in item.items():
            template = _template(path)
            plain = MULTIPLE.sub("", path)
            if verb == "parameters" or (verb.upper(), template) in known or plain in RENAMED:
                continue
            if template.endswith((":uploadToFileSearchStore", ":download")):
                continue
            query = [
                p["name"]
                for p in operation.get("parameters", [])
                if p.get("in") == "query" and not p["name"].startswith("$")
            ]
            body = _content(operation.get("requestBody", {}))
            answer = _content(next(iter(operation["responses"].values())))
            name = "media.create" if (verb, template) == ("post", "files") else _name(verb.upper(), template)
            found.append(_fact(name, verb.upper(), "{version}/" + template, query, _ref(body), _ref(answer), "google"))
            if name == "auth_tokens.create":
                found[-1]["version"] = "v1alpha"
    return found


def _name(verb: str, template: str) -> str:
    path, _, action = template.partition(":")
    collections = [part for part in path.split("/") if not part.startswith("{")]
    if not action:
        one = path.endswith("}")
        action = {"GET": "get" if one else "list", "POST": "create", "PATCH": "patch", "DELETE": "delete"}[verb]
    return ".".join([*collections, action])


def _content(told: Json) -> Json:
    """The schema of a body or an answer, of whatever media type comes first."""
    for content in told.get("content", {}).values():
        return dict(content.get("schema", {}))
    return {}


def _ref(schema: Json) -> str | None:
    """The name of a schema; of a list the name of its items', of alternatives that of the first."""
    inner = schema.get("anyOf") or schema.get("oneOf") or ([schema["items"]] if "items" in schema else [])
    return _ref(inner[0]) if inner else str(schema.get("$ref", "")).rpartition("/")[2] or None


def _removed() -> list[Json]:
    return [
        _fact(name, verb, "{version}/" + path, query, body, answer, "google", status="removed")
        for name, verb, path, query, body, answer in REMOVED
    ]


def _others() -> list[Json]:
    v1 = [
        {
            **_fact(
                name,
                verb,
                "{version}/" + path,
                query,
                None,
                "ListOperationsResponse" if name == "operations.list" else None,
                "google",
            ),
            "version": "v1",
        }
        for name, verb, path, query in V1
    ]
    uploads = [
        _fact(name, verb, path, query, None, None, "google", kind="upload") for name, verb, path, query in UPLOADS
    ]
    for one in uploads:
        one["family"] = "interactions" if one["name"].startswith("environments") else "google"
    downloads = [
        _fact(name, verb, "{version}/" + path, (), None, None, "google", kind="download")
        for name, verb, path in DOWNLOADS
    ]
    openai = [_fact(name, verb, "{version}/" + path, (), None, None, "openai") for name, verb, path in OPENAI]
    for one in openai:
        if one["verb"] == "POST":
            one["body"] = []  # whatever that dialect takes
    return [*v1, *uploads, *downloads, *openai]


def _second(spec: Json) -> list[Json]:
    """The Interactions family."""
    found: list[Json] = []
    for path, item in spec["paths"].items():
        for verb, operation in item.items():
            if verb == "parameters" or path.startswith("/upload"):
                continue
            template = _template(path)
            name = {
                "interactions/{interaction}/cancel": "interactions.cancel",
                "environments/{environment}/files/{path}": "environments.files.get",
            }.get(template) or _name(verb.upper(), template)
            if name == "triggers.executions.create":
                name = "triggers.executions.run"
            query = sorted(
                p["name"] for p in operation.get("parameters", []) if p.get("in") == "query" or p["name"] in QUERY
            )
            body = operation.get("x-body")
            if isinstance(body, str):
                body = ["CreateModelInteraction", "CreateAgentInteraction"]
            answer = next(iter(operation.get("x-response") or []), None)
            one = body[0] if body and len(body) == 1 else body
            found.append(_fact(name, verb.upper(), "{version}/" + template, query, one, answer, "interactions"))
    return found


QUERY = {
    "include_input", "stream", "last_event_id", "page_size", "page_token", "parent", "recursive", "filter",
    "update_mask", "type", "pitch", "persona", "language_code", "accent", "context", "gender", "search", "region_code",
}  # fmt: skip


def _fact(
    name: str,
    verb: str,
    path: str,
    query: Any,
    body: Any,
    answer: str | None,
    family: str,
    *,
    status: str = "",
    kind: str = "",
) -> Json:
    action = name.rpartition(".")[2]
    fact: Json = {
        "name": name,
        "verb": verb,
        "path": path,
        "family": family,
        "status": status or ("deprecated" if name in DEPRECATED else "current"),
        "kind": kind or _kind(name, verb, action),
    }
    if query:
        fact["query"] = list(query)
    if body is not None:
        fact["body"] = body
    if answer and answer != "Empty":
        fact["answer"] = answer
    return fact


def _kind(name: str, verb: str, action: str) -> str:
    if name == "environments.files.get":
        return "download"
    if verb == "GET":
        return "read"
    if verb == "DELETE" or action in ("batchDelete", "cancel"):
        return "destroy"
    if action in BACKGROUND or name == "tunedModels.create":
        return "background"
    if action.startswith(("count", "query")):
        return "read"
    if name in ("interactions.create", "decisions.create", "triggers.executions.run") or name.startswith("openai."):
        return "generate"
    if action.startswith(("generate", "stream", "embed", "batchEmbed", "predict")):
        return "generate"
    return "change"


def _reached(schemas: dict[str, Json], methods: list[Json], family: str) -> dict[str, Json]:
    """The schemas that bodies of a family need."""
    found: dict[str, Json] = {}
    waiting: list[str] = []
    for method in methods:
        body = method.get("body")
        if method["family"] == family and body:
            waiting += [body] if isinstance(body, str) else body
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = schemas[name]
        waiting += re.findall(r'"#/\$defs/(\w+)"', json.dumps(schemas[name]))
    return dict(sorted(found.items()))


def _lines(methods: list[Json], schemas: dict[str, dict[str, Json]]) -> str:
    """JSON with a line for each method and each schema, so that a change can be read."""
    families = ",\n".join(
        f'"{family}": {{\n' + ",\n".join(f'"{name}": {json.dumps(schema)}' for name, schema in shapes.items()) + "\n}"
        for family, shapes in schemas.items()
    )
    lines = ",\n".join(json.dumps(method) for method in methods)
    return f'{{\n"methods": [\n{lines}\n],\n"schemas": {{\n{families}\n}}\n}}\n'


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
