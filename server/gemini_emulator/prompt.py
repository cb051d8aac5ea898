"""One request, read once: what is asked, what is attached, what was said before."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from .cached_contents import Cached
from .facts import Facts
from .faults import without_directives
from .media import Media
from .models import ModelCard
from .tokens import Attachment, Tally, attachment, of_prompt
from .turns import current_turn, merged, responses
from .wire import Object, digest

if TYPE_CHECKING:
    from .retrieval_tool import Retrieved


@dataclass(frozen=True)
class Prompt:
    """A validated generateContent request.

    Args:
        request: the body, in camelCase.
        card: the model that was called.
        serving: the model that answers, which differs where Google reroutes silently.
        today: the emulator's date.
        say: what a test wants to be said, in place of every text that the emulator would choose.
        retrieved: what was found in File Search stores, when the request has that tool.
        cached: what the request goes on from, when it has a cache; its instruction and tools are in the request.
    """

    request: Object
    card: ModelCard
    serving: ModelCard
    today: date
    say: str | None = None
    retrieved: Retrieved | None = None
    cached: Cached | None = None

    @cached_property
    def config(self) -> Object:
        """`generationConfig`."""
        config: Object = self.request.get("generationConfig", {})
        return config

    @cached_property
    def turns(self) -> list[Object]:
        """The contents, consecutive ones of a role merged."""
        contents: list[Object] = self.request["contents"]
        # Function calls may stand at the end of the cache, with their responses here.
        before = self.cached.contents if self.cached and responses(contents[0]) else []
        return merged([*before, *contents])

    @cached_property
    def question(self) -> Object:
        """The user turn that began the current exchange."""
        return self.turns[current_turn(self.turns)]

    @cached_property
    def text(self) -> str:
        """The text of the question, as the model sees it."""
        return without_directives("\n".join(part["text"] for part in self.question["parts"] if part.get("text")))

    @cached_property
    def directive_texts(self) -> list[str]:
        """Where directives may be written: the last user turn, unless it only answers function calls."""
        users = [turn for turn in self.turns if turn["role"] == "user"]
        return [part["text"] for part in users[-1]["parts"] if part.get("text")] if users else []

    @cached_property
    def facts(self) -> Facts:
        """What the question mentions."""
        return Facts.of(self.text)

    @cached_property
    def instruction(self) -> str:
        """The text of the system instruction."""
        parts = self.request.get("systemInstruction", {}).get("parts", [])
        return without_directives(" ".join(part.get("text", "") for part in parts))

    @cached_property
    def attachments(self) -> list[Attachment]:
        """What is attached to the question."""
        return [found for _, found in self._attached]

    @cached_property
    def media_parts(self) -> list[tuple[Object, Media]]:
        """The parts with attachments, and what is in them; as `attachments`."""
        return [(part, found.media) for part, found in self._attached]

    @cached_property
    def _attached(self) -> list[tuple[Object, Attachment]]:
        """The same, with that of the user in a cache in front."""
        parts = [*(self.cached.user_parts() if self.cached else []), *self.question["parts"]]
        found = [(part, attachment(part, self.config, self.card)) for part in parts]
        return [(part, one) for part, one in found if one is not None]

    @cached_property
    def schema(self) -> object:
        """The schema of a structured answer, in whichever of the three fields it is."""
        form: Object = self.config.get("responseFormat", {}).get("text", {})
        return self.config.get("responseJsonSchema", self.config.get("responseSchema", form.get("schema")))

    @cached_property
    def mime(self) -> str:
        """The MIME type of the answer, empty for plain text."""
        form: Object = self.config.get("responseFormat", {}).get("text", {})
        asked = {"APPLICATION_JSON": "application/json", "TEXT_PLAIN": "text/plain"}.get(form.get("mimeType", ""), "")
        return str(self.config.get("responseMimeType") or asked)

    @cached_property
    def tally(self) -> Tally:
        """What `promptTokenCount` says."""
        if self.cached is None:
            return of_prompt(self.request, self.card)
        tally = Tally()
        tally.add_contents(self.request["contents"], self.config, self.card)
        tally.counts += self.cached.tally.counts
        return tally

    @cached_property
    def earlier(self) -> list[str]:
        """What the user said before the question, oldest first."""
        before = self.turns[: current_turn(self.turns)]
        texts = [
            part["text"] for turn in before if turn["role"] == "user" for part in turn["parts"] if part.get("text")
        ]
        return [without_directives(text) for text in texts]

    @cached_property
    def function_responses(self) -> list[Object]:
        """The responses in the last turn; empty when the model has not called anything."""
        return responses(self.turns[-1])

    @cached_property
    def declarations(self) -> list[Object]:
        """The functions that the request declares."""
        return [one for tool in self.request.get("tools", []) for one in tool.get("functionDeclarations", [])]

    def tool(self, name: str) -> Object | None:
        """The configuration of a built-in tool, if the request has it."""
        return next((tool[name] for tool in self.request.get("tools", []) if name in tool), None)

    @cached_property
    def fingerprint(self) -> bytes:
        """What the answer is drawn from: all but the token that asks for its continuation.

        Empty fields do not count: the official SDK adds an empty `generationConfig` to such a request.
        """
        asked = {name: value for name, value in self.request.items() if value and name != "continuationToken"}
        return digest(self.card.id, asked, *([self.cached.contents] if self.cached else []))

    def rng(self, purpose: str) -> random.Random:
        """A generator seeded by the request and by what it is used for."""
        return random.Random(self.fingerprint + purpose.encode())
