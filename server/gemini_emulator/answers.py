"""The words of an answer: deterministic, about what was asked, and never mistaken for Gemini's."""

from __future__ import annotations

import random
import re

from .code import calculate, expression_in
from .facts import keywords, stems
from .prompt import Prompt
from .tokens import seconds_of
from .wire import Object

MARK = "[emulated] "
_EXACTLY = re.compile(
    r"(?i:\b(?:reply|respond|answer|say|return|output)\s+(?:with\s+)?(?:exactly|only|just|the\s+single)(?:\s+with)?"
    r"(?:\s+the)?(?:\s+single)?(?:\s+words?)?)\s*:?\s*"
    r"(?:[\"“'‘`](.+?)[\"”'’`][.!]?|(.+?))(?:\s*$|\n)",
    re.DOTALL,
)
_WORDS = re.compile(r"\bin\s+(?:exactly\s+|at\s+most\s+|about\s+)?(\d{1,4})\s+words?\b", re.IGNORECASE)
_ITEMS = re.compile(r"(?i)\b(?:list|name|give|suggest|write)\s+(?:me\s+)?(\d{1,2}|two|three|four|five|ten)\b")
_SUMMARY = re.compile(r"(?is)\b(?:summari[sz]e|sum up)\b[^:\n]*[:\n]\s*(.+)")
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10}
_QUOTED = 160
_SENTENCES = (
    "The heart of it is how {0} and {1} act on each other.",
    "Most people begin with {0} and come to {1} later.",
    "A good example is {1}: small changes there show up in {0} at once.",
    "Whoever looks closer at {0} finds that {1} explains a good part of it.",
    "In practice {0} is judged by its results, and {1} by its cost.",
    "Opinions on {0} differ, yet few dispute the part that {1} plays.",
    "It helps to write down what is known about {0} before asking about {1}.",
    "For further reading, compare an introduction to {0} with a critique of {1}.",
)
_MEANING = (
    (re.compile(r"(?i)\bmy name is ([\w’'-]+)"), re.compile(r"(?i)\bmy name\b|\bwho am i\b"), "Your name is {}."),
    (re.compile(r"(?i)\bi live in ([\w’'-]+)"), re.compile(r"(?i)\bwhere do i live\b"), "You live in {}."),
)


def compose(prompt: Prompt, tool_text: str, length: int) -> str:
    """The text of an answer, with its mark.

    Args:
        prompt: the request.
        tool_text: what a tool found, which comes first.
        length: about how many characters; 0 leaves it to the prompt.
    """
    exact = _EXACTLY.search(prompt.text)
    if exact and not length:
        return MARK + (exact[1] or exact[2]).strip()
    rng = prompt.rng("answer")
    wanted = _WORDS.search(prompt.text)
    if wanted and not length:
        brief = " ".join([tool_text, *_calculated(prompt), _sentence(prompt, rng, 0)])
        return MARK + _in_words(brief, int(wanted[1]), prompt, rng)
    body = " ".join([*_opening(prompt, tool_text), *_body(prompt, rng, bool(tool_text))])
    if length:
        body = _of_length(body, length - len(MARK), prompt, rng)
    return MARK + body


def think(prompt: Prompt) -> str:
    """The summary of a thought."""
    topic, other = prompt.facts.topic(), prompt.facts.topic(1)
    return (
        f"**Considering {topic}**\n\nThe user asks about {topic}. I look at {other} first, check what is attached, and "
        "then put the answer into a few sentences.\n"
    )


def _opening(prompt: Prompt, tool_text: str) -> list[str]:
    sentences: list[str] = []
    if prompt.text:
        sentences.append(f"You asked: “{_shortened(prompt.text)}”.")
    if prompt.attachments:
        things = [f"{media.about}{window(part)}" for part, media in prompt.media_parts]
        if len(things) > 1:
            things = [f"({number}) {thing}" for number, thing in enumerate(things, 1)]
        sentences.append(f"Attached I found {'; '.join(things)}.")
    if prompt.cached:
        sentences += _passage(prompt)
    if prompt.instruction:
        sentences.append(f"I keep to the instruction “{_shortened(prompt.instruction)}”.")
    if tool_text:
        sentences.append(tool_text)
    sentences += _remembered(prompt)
    return sentences + _calculated(prompt)


def _passage(prompt: Prompt) -> list[str]:
    """What the texts of a cache say about the question, at the place that has most words in common with it."""
    words = stems(prompt.text)
    best, most = "", 0
    for _, media in prompt.media_parts:
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", media.text):
            common = len(words & stems(sentence))
            if common > most:
                best, most = sentence, common
    return [f"The cache says: “{_shortened(best)}”."] if best else []


def window(part: Object) -> str:
    """Which section of an attachment was asked for, in words that follow its name."""
    times: Object = {**part.get("videoMetadata", {}), **part.get("audioMetadata", {})}
    pages: Object = part.get("documentMetadata", {})
    words: list[str] = []
    if "startOffset" in times or "endOffset" in times:
        end = f"{seconds_of(times['endOffset'], 0):g} s" if "endOffset" in times else "the end"
        words.append(f"from {seconds_of(times.get('startOffset'), 0):g} s to {end}")
    if "fps" in times:
        words.append(f"at {times['fps']:g} fps")
    if "startPage" in pages or "endPage" in pages:
        words.append(f"from page {pages.get('startPage', 1)} to {pages.get('endPage', 'the last')}")
    return f", {' '.join(words)}" if words else ""


def _calculated(prompt: Prompt) -> list[str]:
    value = calculate(prompt.text)
    return [] if value is None else [f"The result of {expression_in(prompt.text)} is {value}."]


def _body(prompt: Prompt, rng: random.Random, brief: bool) -> list[str]:
    items = _ITEMS.search(prompt.text)
    if items:
        count = _COUNTS.get(items[1].lower()) or int(items[1])
        lines = [f"\n{number}. {_sentence(prompt, rng, number)}" for number in range(1, count + 1)]
        return ["".join(lines)]
    summary = _SUMMARY.search(prompt.text)
    if summary:
        sentences = re.split(r"(?<=[.!?。])\s+", summary[1].strip())
        return [f"In short: {_shortened(sentences[0])}"]
    if brief or calculate(prompt.text) is not None:
        return []
    return [_sentence(prompt, rng, position) for position in range(2)]


def _sentence(prompt: Prompt, rng: random.Random, position: int) -> str:
    return rng.choice(_SENTENCES).format(prompt.facts.topic(position), prompt.facts.topic(position + 1))


def _remembered(prompt: Prompt) -> list[str]:
    """What the user said earlier and the question comes back to."""
    for said, asked, sentence in _MEANING:
        if asked.search(prompt.text):
            for text in reversed(prompt.earlier):
                found = said.search(text)
                if found:
                    return [sentence.format(found[1])]
    words = {word.lower() for word in keywords(prompt.text)}
    for text in reversed(prompt.earlier):
        if words & {word.lower() for word in keywords(text)}:
            return [f"Earlier you said: “{_shortened(text)}”."]
    return [f"This is message {len(prompt.earlier) + 1} of our conversation."] if prompt.earlier else []


def _in_words(body: str, count: int, prompt: Prompt, rng: random.Random) -> str:
    words = body.split()
    while len(words) < count:
        words += _sentence(prompt, rng, len(words)).split()
    text = " ".join(words[:count]).rstrip(".,;:…”")
    return f"{text}." if text else text


def _of_length(body: str, length: int, prompt: Prompt, rng: random.Random) -> str:
    pieces, size, position = [body], len(body), 0
    while size < length:
        sentence = _sentence(prompt, rng, position)
        pieces.append(sentence)
        size += len(sentence) + 1
        position += 1
    text = " ".join(pieces)
    cut = text.rfind(" ", 0, max(length, 1))
    return text[:cut] if cut > 0 and len(text) > length else text


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTED else f"{flat[: _QUOTED - 1]}…"
