"""Endpoints and types that stand for the real ones."""

from __future__ import annotations

from typing import Any

from gemini_server.rest.body import InlineMedia
from gemini_server.rest.endpoint import Empty, Endpoint, Wire


class Prompt(Wire):
    text: str | None = None
    max_tokens: int | None = None
    data: InlineMedia | str | None = None
    more: list[Prompt] | None = None


class Said(Wire):
    text: str | None = None
    count: int | None = None


class Page(Wire):
    models: list[Any] | None = None
    next_page_token: str | None = None


GENERATE = Endpoint("POST", "{version}/{model}:generateContent", Said, repeat="foreground")
STREAM = Endpoint("POST", "{version}/{model}:streamGenerateContent", Said, repeat="foreground")
WATCH = Endpoint("GET", "{version}/{name}", Said, repeat="read", query=("stream",), family="interactions")
START = Endpoint("POST", "{version}/interactions", Said, repeat="background", family="interactions")
GET = Endpoint("GET", "{version}/{name}", Said)
LIST = Endpoint("GET", "{version}/models", Page, query=("pageSize", "pageToken"))
DELETE = Endpoint("DELETE", "{version}/{name}", Empty, query=("force",))
CANCEL = Endpoint("POST", "{version}/{name}:cancel", Empty)
UPLOAD = Endpoint("POST", "upload/{version}/files", Said, repeat="foreground")
ALPHA = Endpoint("POST", "{version}/auth_tokens", Said, repeat="foreground", version="v1alpha")

MODEL = "models/gemini-3.8-flash"
