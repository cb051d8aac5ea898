"""What the API refuses about Computer Use: models that cannot do it, and actions that come back without a screenshot.

Source: "Computer Use" of the Gemini API. The first request may come without a screenshot, as the guide's own examples
do; the model then asks for one.
"""

from __future__ import annotations

from .errors import invalid
from .models import ModelCard
from .wire import Object

MODERN_FROM = 3.5
"""The generation from which actions have the simplified names and an `intent`."""
_OLDEST = 3
_LEGACY = """open_web_browser wait_5_seconds go_back go_forward search navigate click_at hover_at type_text_at
    key_combination scroll_document scroll_at drag_and_drop"""
_MODERN = """click double_click triple_click middle_click right_click mouse_down mouse_up move type drag_and_drop wait
    press_key key_down key_up hotkey take_screenshot scroll go_back navigate go_forward open_app list_apps long_press"""
PREDEFINED = frozenset(f"{_LEGACY} {_MODERN}".split())


def pictured(part: Object) -> bool:
    """Whether a part of a turn, or of a function response, is a picture."""
    blob: Object = part.get("inlineData") or part.get("fileData") or {}
    return str(blob.get("mimeType", "")).startswith("image/")


def check_computer_use(request: Object, card: ModelCard) -> None:
    """Refuse what makes no sense, in a request that has the tool.

    Raises:
        ApiError: 400.
    """
    tools: list[Object] = request.get("tools", [])
    if not any("computerUse" in tool for tool in tools):
        return
    if card.generation < _OLDEST:
        raise invalid("Computer Use is not supported for this model.")
    own = {one["name"] for tool in tools for one in tool.get("functionDeclarations", [])}
    for at, content in enumerate(request["contents"]):
        for index, part in enumerate(content["parts"]):
            response: Object = part.get("functionResponse", {})
            name = response.get("name", "")
            if name in PREDEFINED - own and not any(pictured(one) for one in response.get("parts", [])):
                raise invalid(
                    f"* GenerateContentRequest.contents[{at}].parts[{index}].function_response: the response of the "
                    f"Computer Use action {name} must contain a screenshot.\n"
                )
