"""From a transcript to a result: why it ended, what is missing, what the caller can do about it."""

from __future__ import annotations

from gemini_server.api.answer import SafetyRating
from gemini_server.errors import BadAnswer, Blocked, ToolserverError
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.citations import Placement, cited
from gemini_server.toolkit.generation.grounding import fees_of, grounding_of
from gemini_server.toolkit.generation.result import CodeRun, FunctionCallOut, TextResult
from gemini_server.toolkit.generation.run import Ran
from gemini_server.toolkit.generation.sources import Sources
from gemini_server.toolkit.generation.transcript import Transcript, member
from gemini_server.toolkit.results import Picture
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.untrusted import clean, label

LONGEST = 600
"""Characters of Google's own words that are passed on."""
REPHRASE = "Rephrase the request; repeating it unchanged gives the same answer."

BLOCKING: dict[str, tuple[str, str]] = {
    "SAFETY": ("its safety filter objected", "Rephrase the request, or set `safety` thresholds if your use allows it."),
    "RECITATION": ("it would have repeated a known text at length", "Ask for a summary or for its own words."),
    "LANGUAGE": ("the language is not supported", "Ask in another language."),
    "BLOCKLIST": ("the text holds terms that are blocked", REPHRASE),
    "PROHIBITED_CONTENT": ("the content may be prohibited", REPHRASE),
    "SPII": ("the answer may hold sensitive personal data", "Leave personal data out of the request."),
    "IMAGE_SAFETY": ("a picture was held back by the safety filter", REPHRASE),
    "IMAGE_PROHIBITED_CONTENT": ("a picture may be prohibited", REPHRASE),
    "IMAGE_RECITATION": ("a picture would have repeated a known one", REPHRASE),
    "IMAGE_OTHER": ("a picture could not be made", REPHRASE),
    "NO_IMAGE": ("no picture came of it", "Ask for the picture more explicitly."),
    "JAILBREAK": ("the prompt looks like an attempt to get around the model's rules", REPHRASE),
    "ESCALATION": ("the request was escalated by Google's policies", REPHRASE),
    "OTHER": ("Google gives no reason", REPHRASE),
    "PUP_LIMITED_DISABLED": ("Google's usage policy has disabled this for the account", "Check the account at Google."),
}
BROKEN: dict[str, tuple[str, str]] = {
    "MALFORMED_FUNCTION_CALL": (
        "the function call that it wrote was malformed",
        "Simplify the functions' parameters, or offer fewer functions.",
    ),
    "MALFORMED_RESPONSE": ("what it wrote was malformed", "Call again, or simplify the request."),
    "UNEXPECTED_TOOL_CALL": ("it called a tool that was not offered", "Offer the tool in `use` or `functions`."),
    "TOO_MANY_TOOL_CALLS": ("it called tools too many times in a row", "Ask a narrower question."),
    "MISSING_THOUGHT_SIGNATURE": (
        "a thought signature of an earlier turn is missing",
        "Start a new conversation: this one cannot be continued.",
    ),
    "FAILED": ("it failed on the way", "Call again; if it stays, use another model."),
    "CANCELLED": ("it was cancelled on the way", "Call again."),
}


def judge(call: Call, model: str, ran: Ran, sources: Sources, warnings: list[str]) -> TextResult:
    """The result of what came.

    Args:
        call: the call this is for.
        model: the model id that was asked.
        ran: what came.
        sources: what the model could read.
        warnings: what there was to say before it was asked.

    Raises:
        Blocked: the prompt or the whole answer was withheld.
        BadAnswer: nothing useful came; the message says why and what to do.
    """
    transcript = ran.transcript
    functions = _calls(transcript)
    sources = sources.found(transcript.grounding, transcript.pages)
    code, pictures = _code(transcript, sources)
    files = _files(transcript)
    useful = bool(transcript.text or functions or code or pictures or files)
    if not useful:
        raise ran.cause or _with_price(nothing(transcript), ran)
    notes = [*warnings, *ran.warnings]
    incomplete = ran.broken
    shortfall = _shortfall(transcript)
    if shortfall:
        incomplete = True
        notes.append(shortfall)
    elif transcript.finish_reason is None and not ran.broken:
        incomplete = True
        blocked = transcript.feedback.block_reason if transcript.feedback else None
        why = f" It was blocked on the way ({label(blocked, 60)})." if blocked else ""
        notes.append(f"Gemini did not say that the answer was finished; its end may be missing.{why}")
    placement = Placement(transcript.parts, plain=transcript.plain, pieced=transcript.requests > 1)
    text = sources.clean(placement.text)
    found = cited(placement, text, transcript.grounding, transcript.recited)
    grounding = grounding_of(transcript.grounding, transcript.pages)
    fees = fees_of(len(grounding.queries), maps=bool(grounding.places))
    if found.lost:
        notes.append(f"{found.lost} citations could not be placed in the text.")
    if found.refused or grounding.dropped:
        notes.append(f"{found.refused + grounding.dropped} sources are left out: their addresses are no web links.")
    notes += about_model(call.runtime, model, transcript)
    result = TextResult(
        text=text.text,
        finish_reason=label(transcript.finish_reason or "UNKNOWN", 60),
        function_calls=functions or None,
        citations=found.citations or None,
        code=code or None,
        thoughts=sources.clean(transcript.thoughts).text or None,
        usage=ran.usage.model_copy(update={"not_in_cost": fees}),
        model_version=label(transcript.model_version or "") or None,
        untrusted=sources.shown,
        continuation=transcript.continuation_token if transcript.finish_reason == "CONTINUATION" else None,
        incomplete=incomplete or None,
        warnings=notes or None,
        retries=transcript.retries or None,
    )
    result.attach(pictures)
    result.rests_on(grounding)
    result.brings(files)
    return result


def _with_price(error: ToolserverError, ran: Ran) -> ToolserverError:
    """A failure that was paid for says so, and how often Gemini was asked."""
    error.retries = ran.transcript.retries
    notes = list(ran.warnings)
    if ran.usage.total_tokens:
        error.usage = ran.usage.structured()
        notes.append(f"It used {ran.usage}.")
    error.what = " ".join([error.what, *notes])
    return error


def _calls(transcript: Transcript) -> list[FunctionCallOut]:
    calls: list[FunctionCallOut] = []
    for number, raw in enumerate(transcript.calls, 1):
        name = raw.get("name")
        if isinstance(name, str):
            arguments = member(raw, "args") or {}
            calls.append(
                FunctionCallOut(id=str(raw.get("id") or f"call-{number}"), name=label(name), arguments=arguments)
            )
    return calls


def _code(transcript: Transcript, sources: Sources) -> tuple[list[CodeRun], list[Picture]]:
    runs: list[CodeRun] = []
    pictures: list[Picture] = []
    for part in transcript.parts:
        written, printed, blob = (member(part, n) for n in ("executableCode", "codeExecutionResult", "inlineData"))
        if written is not None:
            runs.append(CodeRun(code=clean(str(written.get("code") or ""), markup=True).text))
        elif printed is not None:
            output, outcome = sources.output(str(printed.get("output") or "")), label(str(printed.get("outcome") or ""))
            open_run = runs.pop() if runs and runs[-1].outcome is None else CodeRun(code="")
            runs.append(CodeRun(code=open_run.code, output=output, outcome=outcome.removeprefix("OUTCOME_")))
        elif blob is not None and not part.get("thought") and str(blob.get("mimeType", "")).startswith("image/"):
            pictures.append(Picture(str(blob["mimeType"]), str(blob.get("data") or "")))
    return runs, pictures


def _files(transcript: Transcript) -> list[Picture]:
    blobs = [member(part, "inlineData") for part in transcript.parts if not part.get("thought")]
    typed = [(str(blob.get("mimeType", "")), str(blob.get("data") or "")) for blob in blobs if blob]
    return [Picture(mime_type, data) for mime_type, data in typed if data and not mime_type.startswith("image/")]


def nothing(transcript: Transcript) -> ToolserverError:
    """Why nothing useful came, as an error that says what to do next."""
    message = _quoted(transcript.finish_message)
    feedback = transcript.feedback
    if feedback is not None and feedback.block_reason:
        why, remedy = BLOCKING.get(feedback.block_reason, ("this server does not know the reason", REPHRASE))
        said = _quoted(feedback.block_reason_message)
        return Blocked(
            f"Gemini did not answer the prompt ({feedback.block_reason}): {why}."
            f"{_rated(feedback.safety_ratings)}{said}",
            remedy,
            code=feedback.block_reason,
        )
    reason = transcript.finish_reason or ""
    if reason in BLOCKING:
        why, remedy = BLOCKING[reason]
        return Blocked(
            f"Gemini withheld the answer ({reason}): {why}.{_rated(transcript.safety_ratings)}{message}",
            remedy,
            code=reason,
        )
    if reason in BROKEN:
        why, remedy = BROKEN[reason]
        return BadAnswer(f"Gemini gave no usable answer ({reason}): {why}.{message}", remedy, code=reason)
    if reason == "MAX_TOKENS":
        thought = transcript.thought_tokens
        return BadAnswer(
            f"The answer is empty: thinking used up the whole of max_output_tokens ({thought} thought tokens)."
            if thought
            else "The answer is empty: max_output_tokens left no room for it.",
            "Raise max_output_tokens to 4096 or more, leave it out, or lower `thinking`.",
            code=reason,
        )
    if reason:
        return BadAnswer(
            f"Gemini answered without any content (finish reason {reason}).{message}",
            "Call again or rephrase.",
            code=reason,
        )
    return BadAnswer("Gemini answered without a candidate and gave no reason.", "Call again or rephrase.", code="EMPTY")


def _quoted(words: str | None) -> str:
    said = label(words or "", LONGEST)
    return f" Gemini says: {said}{'' if said.endswith(('.', '!', '?', '…')) else '.'}" if said else ""


def _rated(ratings: list[SafetyRating] | None) -> str:
    known = ratings or []
    found = [r for r in known if r.blocked] or [r for r in known if r.probability in ("MEDIUM", "HIGH")]
    names = [str(r.category or "").removeprefix("HARM_CATEGORY_").lower().replace("_", " ") for r in found]
    return f" Category: {', '.join(names)}." if names else ""


def _shortfall(transcript: Transcript) -> str:
    reason = transcript.finish_reason or ""
    if reason == "MAX_TOKENS":
        thought = transcript.thought_tokens
        spent = f" ({thought} tokens went into thinking)" if thought else ""
        return f"The answer was cut at max_output_tokens{spent}; raise it or ask for the rest."
    if reason == "CONTINUATION":
        return "The answer goes on; call again with the same prompt and `continuation` for the rest."
    if reason in BLOCKING:
        why, remedy = BLOCKING[reason]
        return f"The answer stops early ({reason}): {why}. {remedy}"
    if reason in BROKEN:
        why, remedy = BROKEN[reason]
        return f"The answer stops early ({reason}): {why}.{_quoted(transcript.finish_message)} {remedy}"
    if reason not in ("", "STOP"):
        return f"Gemini ended with {label(reason, 60)}, which this server does not know; something may be missing."
    return ""


def about_model(runtime: Runtime, model: str, transcript: Transcript) -> list[str]:
    """What to know of the model that answered: that it was another one, that it ends."""
    notes: list[str] = []
    asked = model.removeprefix("models/")
    answered = transcript.model_version or ""
    named = "/" not in asked and not asked.endswith("-latest")  # a tuned model and an alias answer as their base
    if answered and named and not answered.removeprefix("models/").startswith(asked):
        notes.append(f"{asked} was asked for, {label(answered)} answered: Google reroutes retired models.")
    status = transcript.model_status
    if status is not None and status.retirement_time:
        notes.append(f"{asked} retires on {status.retirement_time[:10]}. {label(status.message or '')}".strip())
    else:
        retirement = runtime.catalogue.retirement(asked, runtime.today())
        if retirement is not None and retirement.shutdown is not None:
            instead = f"; use {retirement.replacement} instead" if retirement.replacement else ""
            verb = "was" if retirement.past else "will be"
            notes.append(f"{asked} {verb} shut down on {retirement.shutdown}{instead}.")
    return notes
