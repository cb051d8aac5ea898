"""Files of the emulator inside interactions: what a `uri` leads to, as if it had been sent along.

Source: "Files" of the Gemini API, and the video guide, where an uploaded video is a content of type `document`.
"""

from __future__ import annotations

import base64

from .errors import ApiError
from .file_references import name_of
from .interaction_errors import of_family, unready
from .media import modality
from .uploaded_files import Files
from .wire import Object


def opened(steps: list[Object], files: Files) -> list[Object]:
    """Steps whose contents have their data, as far as it is here.

    Raises:
        InteractionError: 403 for a file of the user that is unknown, 400 for one that is not ACTIVE; a file of the
            model that is gone is left as it is.
    """
    return [
        {**step, "content": [_opened(one, step, files) for one in step["content"]]} if step.get("content") else step
        for step in steps
    ]


def _opened(content: Object, step: Object, files: Files) -> Object:
    name = name_of(content.get("uri", ""))
    if not name:
        return content
    try:
        file = files.usable(name)
    except ApiError as error:
        if step["type"] != "user_input":
            return content
        raise (unready(error.message) if error.status == 400 else of_family(error)) from None
    mime_type = file.mime_type or content.get("mime_type", "")
    kind = (modality(mime_type) or content["type"]).lower()
    if file.data is None:
        return {**content, "type": kind, "mime_type": mime_type}
    rest = {key: value for key, value in content.items() if key != "uri"}
    return {**rest, "type": kind, "mime_type": mime_type, "data": base64.b64encode(file.data).decode()}
