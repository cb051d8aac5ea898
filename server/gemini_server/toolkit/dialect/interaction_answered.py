"""An interaction as the answer of generateContent: its steps as parts, its citations as grounding, why it ended.

Source: the schemas Interaction and GenerateContentResponse.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gemini_server.api.answer import GenerateContentResponse
from gemini_server.api.interaction_content import Annotation, Said, Step
from gemini_server.api.interactions import Interaction, ModalityTokens, Usage
from gemini_server.rest.answer import parse_value
from gemini_server.rest.endpoint import JsonObject
from gemini_server.rest.json_values import list_of, objects_of
from gemini_server.toolkit.dialect.interaction_asked import STEPS

_ENDS = {
    "completed": "STOP",
    "requires_action": "STOP",
    "requires_continuation": "CONTINUATION",
    "incomplete": "MAX_TOKENS",
    "budget_exceeded": "MAX_TOKENS",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
_CODES = {
    "safety", "recitation", "language", "prohibited_content", "spii", "blocklist", "image_safety", "no_image",
    "image_prohibited_content", "image_recitation", "image_other", "malformed_function_call", "unexpected_tool_call",
    "too_many_tool_calls", "missing_thought_signature", "malformed_response", "other",
}  # fmt: skip
_BLOCKED = ("content_blocked", "blocked", "jailbreak")


@dataclass
class _Grounds:
    """What an answer rests on, as it is found step by step."""

    queries: list[str] = field(default_factory=list[str])
    suggestions: str = ""
    pages: list[JsonObject] = field(default_factory=list[JsonObject])
    chunks: list[JsonObject] = field(default_factory=list[JsonObject])
    supports: list[JsonObject] = field(default_factory=list[JsonObject])

    def cite(self, text: str, note: Annotation, part: int) -> None:
        """Take in what a span of a text rests on."""
        chunk = _chunk(note)
        if chunk is None:
            return
        data = text.encode("utf-8", "surrogatepass")
        start = note.start_index or 0
        end = len(data) if note.end_index is None else note.end_index
        quoted = data[start:end].decode("utf-8", "replace")
        segment = {"partIndex": part, "startIndex": start, "endIndex": end, "text": quoted}
        if chunk not in self.chunks:
            self.chunks.append(chunk)
        self.supports.append({"segment": segment, "groundingChunkIndices": [self.chunks.index(chunk)]})

    def metadata(self) -> JsonObject:
        """As groundingMetadata and urlContextMetadata."""
        grounding: JsonObject = {}
        if self.queries:
            grounding["webSearchQueries"] = self.queries
        if self.suggestions:
            grounding["searchEntryPoint"] = {"renderedContent": self.suggestions}
        if self.chunks:
            grounding |= {"groundingChunks": self.chunks, "groundingSupports": self.supports}
        found: JsonObject = {"groundingMetadata": grounding} if grounding else {}
        return {**found, **({"urlContextMetadata": {"urlMetadata": self.pages}} if self.pages else {})}


def _chunk(note: Annotation) -> JsonObject | None:
    extra = note.model_extra or {}
    if note.type == "url_citation" and note.url:
        return {"web": {"uri": note.url, "title": note.title}}
    if note.type == "place_citation" and note.url:
        return {"maps": {"uri": note.url, "title": note.name, "placeId": extra.get("place_id")}}
    if note.type == "file_citation":
        context = {"uri": note.document_uri, "title": note.file_name, "text": extra.get("source")}
        context |= {"pageNumber": extra.get("page_number"), "mediaId": extra.get("media_id")}
        return {"retrievedContext": {name: value for name, value in context.items() if value is not None}}
    return None


def answered(interaction: Interaction) -> GenerateContentResponse:
    """The same answer in the terms of generateContent. An odd member is left out, never the answer."""
    steps = _own(interaction.steps or [])
    grounds = _Grounds()
    parts: list[JsonObject] = []
    for step in steps:
        _add(parts, step, grounds)
    troubles = [*(interaction.errors or ()), *(step.error for step in steps if step.error)]
    code = next((str(one.code).lower() for one in troubles if one.code), "")
    message = next((one.message for one in troubles if one.message), None)
    finish = _ENDS.get(interaction.status.lower())
    if code in _CODES:
        finish = code.upper()
    if any(step.type == "function_call" and isinstance(step.arguments, str) for step in steps):
        finish = "MALFORMED_FUNCTION_CALL"
    candidate: JsonObject = {"index": 0, "finishReason": finish, "finishMessage": message, **grounds.metadata()}
    candidate["continuationToken"] = interaction.continuation_token
    if parts:
        raw = [step.model_dump(exclude_none=True, exclude_unset=True) for step in steps]
        candidate["content"] = {"role": "model", "parts": parts, STEPS: raw}
    answer: JsonObject = {
        "candidates": [{name: value for name, value in candidate.items() if value is not None}],
        "modelVersion": interaction.model,
        "usageMetadata": _usage(interaction.usage, interaction.service_tier) if interaction.usage else None,
    }
    if not parts and code in _BLOCKED:
        answer |= {"candidates": [], "promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": message}}
    answer = {name: one for name, one in answer.items() if one is not None}
    return parse_value(GenerateContentResponse, answer)


def _own(steps: list[Step]) -> list[Step]:
    """The steps of this turn: a stored interaction may begin with what was said to it."""
    after = [number for number, step in enumerate(steps) if step.type in ("user_input", "function_result")]
    return steps[after[-1] + 1 :] if after else steps


def _add(parts: list[JsonObject], step: Step, grounds: _Grounds) -> None:
    extra: JsonObject = step.model_extra or {}
    arguments = step.given
    if step.type == "thought":
        text = "".join(said.text or "" for said in step.summary or ())
        part: JsonObject = {"thought": True, "text": text}
        parts.append({**part, "thoughtSignature": extra["signature"]} if extra.get("signature") else part)
    elif step.type == "model_output":
        for said in step.content or ():
            _said(parts, said, grounds)
    elif step.type == "function_call" and not isinstance(step.arguments, str):
        called: JsonObject = {"functionCall": {"id": step.id, "name": step.name or "", "args": arguments}}
        # generateContent wants the signature of a thought on the call that follows it.
        signature = parts[-1].get("thoughtSignature") if parts and parts[-1].get("thought") else None
        parts.append({**called, "thoughtSignature": signature} if signature else called)
    elif step.type == "code_execution_call":
        language = str(arguments.get("language") or "python").upper()
        parts.append({"executableCode": {"id": step.id, "language": language, "code": arguments.get("code") or ""}})
    elif step.type == "code_execution_result":
        _ran(parts, step)
    elif step.type == "google_search_call":
        grounds.queries += [str(query) for query in list_of(arguments.get("queries")) if query]
    elif step.type == "google_search_result":
        for found in objects_of(step.result):
            grounds.suggestions = str(found.get("search_suggestions") or "") or grounds.suggestions
    elif step.type == "url_context_result":
        for page in objects_of(step.result):
            status = f"URL_RETRIEVAL_STATUS_{str(page.get('status') or 'unspecified').upper()}"
            grounds.pages.append({"retrievedUrl": page.get("url"), "urlRetrievalStatus": status})


def _said(parts: list[JsonObject], said: Said, grounds: _Grounds) -> None:
    if said.type == "text":
        for note in said.annotations or ():
            grounds.cite(said.text or "", note, len(parts))
        parts.append({"text": said.text or ""})
    elif said.data:
        parts.append({"inlineData": {"mimeType": said.mime_type or "application/octet-stream", "data": said.data}})
    elif said.uri:
        parts.append({"fileData": {"mimeType": said.mime_type, "fileUri": said.uri}})


def _ran(parts: list[JsonObject], step: Step) -> None:
    """What code printed, and what it drew."""
    printed = step.result if isinstance(step.result, str) else ""
    drawn: list[JsonObject] = []
    for one in objects_of(step.result):
        if one.get("type") == "text":
            printed += str(one.get("text") or "")
        elif one.get("data"):
            drawn.append({"inlineData": {"mimeType": one.get("mime_type") or "image/png", "data": one["data"]}})
    outcome = "OUTCOME_FAILED" if step.is_error else "OUTCOME_OK"
    parts.append({"codeExecutionResult": {"id": step.call_id, "outcome": outcome, "output": printed}})
    parts += drawn


def _usage(usage: Usage, tier: str | None) -> JsonObject:
    return {
        "promptTokenCount": usage.total_input_tokens,
        "candidatesTokenCount": usage.total_output_tokens,
        "thoughtsTokenCount": usage.total_thought_tokens,
        "cachedContentTokenCount": usage.total_cached_tokens,
        "toolUsePromptTokenCount": usage.total_tool_use_tokens,
        "totalTokenCount": usage.total_tokens,
        "promptTokensDetails": _details(usage.input_tokens_by_modality),
        "candidatesTokensDetails": _details(usage.output_tokens_by_modality),
        "cacheTokensDetails": _details(usage.cached_tokens_by_modality),
        **({"serviceTier": tier} if tier else {}),
    }


def _details(counts: list[ModalityTokens] | None) -> list[JsonObject]:
    return [{"modality": (one.modality or "").upper(), "tokenCount": one.tokens} for one in counts or ()]
