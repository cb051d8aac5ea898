"""Files of the emulator inside interactions: what a `uri` leads to, as if it had been sent along.

Source: "Files" of the Gemini API, and the video guide, where an uploaded video is a content of type `document`.
"""

from __future__ import annotations

import base64
import re

from .errors import ApiError
from .generated_files import GeneratedFiles
from .media import modality
from .wire import Object

_FILE = re.compile(r"(?:^|/)(files/[^/:?#]+)(?::download)?(?:\?.*)?$")


def opened(steps: list[Object], files: GeneratedFiles) -> list[Object]:
    """Steps whose contents have their data, as far as it is here; an unknown file is left as it is."""
    return [
        {**step, "content": [_opened(one, files) for one in step["content"]]} if step.get("content") else step
        for step in steps
    ]


def _opened(content: Object, files: GeneratedFiles) -> Object:
    found = _FILE.search(content.get("uri", ""))
    if not found:
        return content
    try:
        file, kept = files.content(found[1])
    except ApiError:
        return content
    kind = (modality(file["mimeType"]) or content["type"]).lower()
    rest = {name: value for name, value in content.items() if name != "uri"}
    data = base64.b64encode(kept.data).decode()
    return {**rest, "type": kind, "mime_type": file["mimeType"], "data": data}
