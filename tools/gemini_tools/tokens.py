"""How many tokens a request holds, before paying for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gemini_server.api import models
from gemini_server.api.content import Content, text_part
from gemini_server.api.models import CountTokensRequest, GenerateContentRequest
from gemini_server.errors import ArgumentError, NotFound
from gemini_server.toolkit import media
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.generation.options import model_id, request_model, user_turn
from gemini_server.toolkit.generation.run import with_replacement
from gemini_server.toolkit.params import Attachments, ModelName
from gemini_server.toolkit.results import Result
from gemini_server.toolkit.toolset import Toolset

TOOLSET = Toolset("text", "Text, JSON by schema, chat and function calls.")


class TokenCount(Result):
    """Tokens of a request."""

    total_tokens: int
    by_modality: dict[str, int] | None = None
    estimated_cost_usd: Annotated[float | None, Field(description="of the input; absent: price unknown")] = None
    price_date: str | None = None
    model: str

    def as_text(self) -> str:
        """The count in one line."""
        kinds = ", ".join(f"{count} {kind.lower()}" for kind, count in (self.by_modality or {}).items())
        cost = (
            "price unknown"
            if self.estimated_cost_usd is None
            else f"about ${self.estimated_cost_usd:.6f} for the input"
        )
        return f"{self.total_tokens} tokens{f' ({kinds})' if kinds else ''} with {self.model}; {cost}"


@TOOLSET.tool(read_only=True, destructive=False, idempotent=True, open_world=True, default=True)
async def count_tokens(
    call: Call,
    prompt: Annotated[str | None, Field(description="literal text")] = None,
    attachments: Attachments = None,
    system: Annotated[str | None, Field(description="system instruction")] = None,
    model: ModelName = None,
) -> TokenCount:
    """Count the tokens of a prompt and attachments and estimate their cost before paying. Free."""
    if not prompt and not attachments:
        raise ArgumentError("There is nothing to count.", "Give a prompt or attachments.")
    chosen = model_id(call.runtime.text_model(model))
    async with media.opened(attachments or (), call) as parts:
        turn = user_turn(prompt or "", parts)
        name = request_model(chosen)
        if system:
            body = CountTokensRequest(
                generate_content_request=GenerateContentRequest(
                    model=name, contents=[turn], system_instruction=Content(parts=[text_part(system)])
                )
            )
        else:
            body = CountTokensRequest(contents=[turn])
        async with call.runtime.slot():
            try:
                counted = (await call.runtime.client.call(models.COUNT, body=body, model=name)).value
            except NotFound as error:
                raise with_replacement(call.runtime, chosen, error) from None
    by_modality = {d.modality: d.token_count for d in counted.prompt_tokens_details or () if d.modality}
    cost, price_date = call.runtime.catalogue.cost(
        chosen,
        input_tokens=counted.total_tokens,
        audio_input_tokens=by_modality.get("AUDIO", 0),
        image_input_tokens=by_modality.get("IMAGE", 0),
        video_input_tokens=by_modality.get("VIDEO", 0),
        on=call.runtime.today(),
    )
    return TokenCount(
        total_tokens=counted.total_tokens,
        by_modality=by_modality or None,
        estimated_cost_usd=None if cost is None else float(cost),
        price_date=price_date,
        model=chosen,
    )
