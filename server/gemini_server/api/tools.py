"""What Gemini may use while it answers: functions of the caller and tools that run at Google.

Source: the schemas Tool and ToolConfig of the v1beta discovery document; `authConfig` of Maps from google-genai 3.4.
"""

from __future__ import annotations

from typing import Any, Literal

from gemini_server.api.config import Written
from gemini_server.rest.endpoint import JsonObject

FunctionMode = Literal["AUTO", "ANY", "NONE", "VALIDATED"]


class FunctionDeclaration(Written):
    """A function that the caller can run. Parameters are JSON Schema."""

    name: str
    description: str | None = None
    parameters_json_schema: Any = None
    response_json_schema: Any = None
    behavior: Literal["BLOCKING", "NON_BLOCKING"] | None = None


class SearchTypes(Written):
    """What Google Search looks for."""

    web_search: JsonObject | None = None
    image_search: JsonObject | None = None


class Interval(Written):
    """A time range; RFC 3339 timestamps."""

    start_time: str | None = None
    end_time: str | None = None


class GoogleSearch(Written):
    """Grounding with Google Search."""

    search_types: SearchTypes | None = None
    time_range_filter: Interval | None = None


class DynamicRetrievalConfig(Written):
    """When the older search tool searches."""

    mode: Literal["MODE_DYNAMIC"] | None = None
    dynamic_threshold: float | None = None


class GoogleSearchRetrieval(Written):
    """The search tool of Gemini 1.5; kept by the API for old models."""

    dynamic_retrieval_config: DynamicRetrievalConfig | None = None


class ApiKeyAuth(Written):
    """A key of the caller's own for Maps."""

    api_key: str | None = None


class GoogleMaps(Written):
    """Grounding with Google Maps."""

    enable_widget: bool | None = None
    auth_config: ApiKeyAuth | None = None


class FileSearch(Written):
    """Search in File Search stores."""

    file_search_store_names: list[str]
    top_k: int | None = None
    metadata_filter: str | None = None


class ComputerUse(Written):
    """Actions on a screen, which the caller carries out."""

    environment: Literal["ENVIRONMENT_BROWSER", "ENVIRONMENT_MOBILE", "ENVIRONMENT_DESKTOP"] | None = None
    excluded_predefined_functions: list[str] | None = None
    enable_prompt_injection_detection: bool | None = None
    disabled_safety_policies: list[str] | None = None


class StreamableHttpTransport(Written):
    """Where a remote MCP server is, for Gemini to call."""

    url: str
    headers: dict[str, str] | None = None
    timeout: str | None = None
    sse_read_timeout: str | None = None
    terminate_on_close: bool | None = None


class McpServer(Written):
    """A remote MCP server that Gemini calls by itself."""

    name: str
    streamable_http_transport: StreamableHttpTransport


class Tool(Written):
    """One or several tools; an empty object switches a built-in tool on."""

    function_declarations: list[FunctionDeclaration] | None = None
    google_search: GoogleSearch | None = None
    google_search_retrieval: GoogleSearchRetrieval | None = None
    google_maps: GoogleMaps | None = None
    url_context: JsonObject | None = None
    code_execution: JsonObject | None = None
    file_search: FileSearch | None = None
    computer_use: ComputerUse | None = None
    mcp_servers: list[McpServer] | None = None


class FunctionCallingConfig(Written):
    """Whether functions may, must or must not be called, and which."""

    mode: FunctionMode | None = None
    allowed_function_names: list[str] | None = None


class LatLng(Written):
    """A point on Earth, in degrees."""

    latitude: float
    longitude: float


class RetrievalConfig(Written):
    """Where and in which language grounding looks."""

    lat_lng: LatLng | None = None
    language_code: str | None = None


class ToolConfig(Written):
    """Settings that all tools of a request share."""

    function_calling_config: FunctionCallingConfig | None = None
    include_server_side_tool_invocations: bool | None = None
    retrieval_config: RetrievalConfig | None = None
