"""generateContent: from a checked prompt to a `GenerateContentResponse`.

Source: the API reference of `models.generateContent`, and the guides to thinking, structured output and tools.
"""

from __future__ import annotations

from . import functions, grounding
from .answers import compose, think
from .candidate import Answer, candidate_of, ratings
from .code import Run, execute, summarise
from .computer_use import next_action
from .detection import detect
from .faults import Directive
from .json_instance import InstanceBuilder
from .pages import url_context
from .pictures import Publish, pictures
from .pictures import tokens as picture_tokens
from .places import maps
from .plotting import plot_of
from .png import inline
from .prompt import Prompt
from .signatures import Continuation, sign
from .spoken import speech
from .tables import table_of
from .tokens import CHARACTERS_PER_TOKEN, of_json, of_text
from .transcription import transcribe
from .usage import finished
from .wire import Object, dump

_THOUGHTS = {"MINIMAL": 0, "LOW": 40, "MEDIUM": 120, "HIGH": 420}
_NO_PICTURE = {
    "IMAGE_SAFETY": "Unable to show the generated image. It was filtered out because it violated Google's policies.",
    "IMAGE_PROHIBITED_CONTENT": "Unable to show the generated image. It may contain prohibited content.",
    "IMAGE_RECITATION": "Unable to show the generated image. It is too close to an existing one.",
    "IMAGE_OTHER": "Unable to show the generated image. Try rephrasing the prompt.",
    "NO_IMAGE": "Unable to show the generated image. The model did not make one for this prompt.",
}


def respond(prompt: Prompt, directive: Directive, publish: Publish | None = None) -> Object:
    """The response to a request.

    Args:
        prompt: the request.
        directive: what a test wants to happen.
        publish: makes a file of media that are to be delivered as a URI; without it they come inline.
    """
    response: Object = {}
    if "block" in directive:
        response["promptFeedback"] = {
            "blockReason": directive.get("block", "SAFETY"),
            "safetyRatings": ratings("HIGH"),
        }
        return finished(response, prompt, [], 0)
    if "empty" in directive:
        return finished(response, prompt, [], 0)
    thoughts = thinking_tokens(prompt)
    answers = [_answer(prompt, directive, thoughts, publish) for _ in range(prompt.config.get("candidateCount", 1))]
    response["candidates"] = [candidate_of(answer, index, prompt, directive) for index, answer in enumerate(answers)]
    return finished(response, prompt, answers, thoughts)


def thinking_tokens(prompt: Prompt) -> int:
    """How many tokens the model thinks; they count against `maxOutputTokens`."""
    thinking: Object = prompt.config.get("thinkingConfig", {})
    if not prompt.card.thinks:
        return 0
    budget = thinking.get("thinkingBudget", -1)
    level = thinking.get("thinkingLevel", prompt.card.default_level)
    usual = _THOUGHTS.get(level, _THOUGHTS[prompt.card.default_level])
    if budget >= 0:
        usual = min(budget, _THOUGHTS["HIGH"])
    elif prompt.card.generation == 2.5 and "lite" in prompt.card.id:
        usual = 0
    count = usual + prompt.rng("thoughts").randint(0, usual // 4) if budget < 0 else usual
    return min(count, int(prompt.config.get("maxOutputTokens", count)))


def _answer(prompt: Prompt, directive: Directive, thoughts: int, publish: Publish | None) -> Answer:
    if "malformed_function_call" in directive:
        return Answer(
            finish="MALFORMED_FUNCTION_CALL",
            message="Malformed function call: print(default_api.unfinished(value=",
        )
    finish = directive.get("finish", "STOP")
    if finish not in ("STOP", "MAX_TOKENS"):
        message = _NO_PICTURE.get(finish, f"The emulator was asked to finish with {finish}.")
        return Answer(finish=finish, message=message)
    thinking: Object = prompt.config.get("thinkingConfig", {})
    shown = bool(thinking.get("includeThoughts") and thoughts and prompt.request.get("continuationToken") is None)
    if prompt.card.modalities == ("AUDIO",) and "text_instead" not in directive:
        answer = _spoken(prompt, publish)
    else:
        answer = _content(prompt, directive)
        if "IMAGE" in prompt.config.get("responseModalities", prompt.card.modalities):
            _add_picture(answer, prompt, directive, thoughts, publish, sketched=shown)
    if finish == "MAX_TOKENS":
        answer.finish = finish
        _cut(answer, sum(len(part.get("text", "")) for part in answer.parts) // 2)
    if "continuation" in directive or "continuationToken" in prompt.request:
        _continue(answer, prompt, directive)
    _limit(answer, prompt.config, thoughts)
    if shown:
        answer.parts.insert(0, {"text": think(prompt) if prompt.say is None else prompt.say, "thought": True})
    if prompt.card.generation >= 3 and prompt.card.thinks:
        _add_signature(answer, prompt)
    return answer


def _content(prompt: Prompt, directive: Directive) -> Answer:
    calls = functions.choose_calls(prompt)
    if calls:
        return Answer([{"functionCall": call} for call in calls])
    action = next_action(prompt)
    if action is not None:
        return Answer([{"text": action}] if isinstance(action, str) else [{"functionCall": call} for call in action])
    parts = transcribe(prompt)
    if parts is not None:
        return Answer(parts)
    text = detect(prompt) or _structured(prompt)
    if text is not None:
        return Answer([{"text": text}])
    answer = Answer()
    found: list[str] = []
    if prompt.function_responses:
        found.append(functions.tell_responses(prompt))
    if prompt.tool("codeExecution") is not None:
        found.append(_run(prompt, answer))
    pages = url_context(prompt) if prompt.tool("urlContext") is not None else None
    if pages:
        found.append(pages[0])
        answer.extra["urlContextMetadata"] = pages[1]
        answer.tool_tokens += 400 * len(pages[1]["urlMetadata"])
    if prompt.retrieved is not None:
        answer.grounding = prompt.retrieved.grounding
        answer.tool_tokens += prompt.retrieved.tokens
        if answer.grounding is None:
            found.append(prompt.retrieved.text)
    elif prompt.tool("googleSearch") is not None:
        answer.grounding = grounding.search(prompt)
    elif prompt.tool("googleMaps") is not None:
        answer.grounding = maps(prompt)
    if answer.grounding and prompt.say is not None:
        answer.grounding = answer.grounding.saying(prompt.say)
    if answer.grounding:
        found.append(answer.grounding.text)
    text = compose(prompt, " ".join(found), directive.number("length", 0)) if prompt.say is None else prompt.say
    answer.parts.append({"text": text})
    return answer


def _spoken(prompt: Prompt, publish: Publish | None) -> Answer:
    parts, count, cut = speech(prompt, publish)
    return Answer(parts, "MAX_TOKENS" if cut else "STOP", media_tokens={"AUDIO": count})


def _add_picture(
    answer: Answer, prompt: Prompt, directive: Directive, thoughts: int, publish: Publish | None, *, sketched: bool
) -> None:
    """Put the picture behind the text, or in its place where only a picture is wanted."""
    if "text_instead" in directive:
        return
    if "TEXT" not in prompt.config.get("responseModalities", prompt.card.modalities):
        answer.parts = []
    if prompt.config.get("maxOutputTokens", prompt.card.outputs) - thoughts < picture_tokens(prompt):
        answer.finish = "MAX_TOKENS"
        return
    parts, count = pictures(prompt, publish, sketched=sketched)
    answer.parts = [*parts[:-1], *answer.parts, parts[-1]]
    answer.media_tokens = {"IMAGE": count}


def _run(prompt: Prompt, answer: Answer) -> str:
    """Add the parts of a program and its result, with the picture that it draws between them; tell the result."""
    run = _program(prompt)
    answer.parts.append({"executableCode": {"language": "PYTHON", "code": run.source}})
    if run.png:
        answer.parts.append({"inlineData": inline(run.png)})
    answer.parts.append({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": run.output + "\n"}})
    answer.tool_tokens += of_text(run.source) + of_text(run.output)
    return f"The program printed {run.output}."


def _program(prompt: Prompt) -> Run:
    plot = plot_of(prompt)
    picture_of_plot = plot.png() if plot else b""
    if prompt.say is not None:
        return Run(f"print({prompt.say!r})", prompt.say, picture_of_plot)
    if plot:
        return Run(plot.source, plot.output, picture_of_plot)
    table = table_of(prompt)
    column = table.numbers(prompt.text) if table else None
    return summarise(column[0], column[1], table.name, prompt.text) if table and column else execute(prompt.text)


def _structured(prompt: Prompt) -> str | None:
    """The text of a JSON or enum answer, which carries no mark because it has to validate."""
    if prompt.schema is not None and prompt.mime != "text/plain":
        rng = prompt.rng("json")
        value = InstanceBuilder(prompt.schema, prompt.facts, rng, prompt.today, say=prompt.say).build()
        return str(value) if prompt.mime == "text/x.enum" else dump(value)
    if prompt.mime == "application/json":
        answer = compose(prompt, "", 0) if prompt.say is None else prompt.say
        return dump({"emulated": True, "answer": answer})
    return None


def _continue(answer: Answer, prompt: Prompt, directive: Directive) -> None:
    """Serve one piece of a long answer (finishReason CONTINUATION, "Long decode" of Gemini 4)."""
    fingerprint = prompt.fingerprint.hex()[:32]
    token = prompt.request.get("continuationToken")
    first = Continuation(0, directive.number("continuation", 1), fingerprint)
    state = Continuation.read(token, fingerprint) if token else first
    texts = [part for part in answer.visible() if "text" in part]
    if not texts:
        return
    text: str = texts[-1]["text"]
    size = -(-len(text) // (state.hops + 1))
    texts[-1]["text"] = text[state.hop * size : (state.hop + 1) * size]
    if state.hop < state.hops:
        answer.finish = "CONTINUATION"
        answer.extra["continuationToken"] = Continuation(state.hop + 1, state.hops, fingerprint).token()


def _limit(answer: Answer, config: Object, thoughts: int) -> None:
    """Apply stop sequences, then the token limit of which thoughts have had their share."""
    text = "".join(part.get("text", "") for part in answer.parts)
    stops = [at for at in (text.find(stop) for stop in config.get("stopSequences", [])) if at >= 0]
    if stops:
        _cut(answer, min(stops))
    if "maxOutputTokens" not in config:
        return
    left: int = config["maxOutputTokens"] - thoughts - sum(answer.media_tokens.values())
    spent = sum(of_json(part) for part in answer.parts if "functionCall" in part)
    if spent > left and any("functionCall" in part for part in answer.parts):
        answer.parts, answer.finish = [], "MALFORMED_FUNCTION_CALL" if left > 0 else "MAX_TOKENS"
    elif of_text("".join(part.get("text", "") for part in answer.parts)) > max(left, 0):
        _cut(answer, max(left, 0) * CHARACTERS_PER_TOKEN)
        answer.finish = "MAX_TOKENS"
        answer.extra.pop("continuationToken", None)


def _cut(answer: Answer, characters: int) -> None:
    kept: list[Object] = []
    for part in answer.parts:
        if "text" not in part:
            kept.append(part)
        elif characters > 0 and part["text"]:
            kept.append({**part, "text": part["text"][:characters]})
            characters -= len(part["text"])
    answer.parts = kept


def _add_signature(answer: Answer, prompt: Prompt) -> None:
    first = next((part for part in answer.parts if "functionCall" in part), None)
    visible = answer.visible()
    last = first if first is not None else visible[-1] if visible else None
    # Image models sign the first part and every picture, so that an edit can build on them.
    several = [*visible[:1], *(part for part in visible if "inlineData" in part)] if answer.media_tokens else []
    for signed in several or ([last] if last is not None else []):
        if "thoughtSignature" not in signed:
            signed["thoughtSignature"] = sign(prompt.fingerprint.hex(), {key: signed[key] for key in signed})
