"""What a model or an agent may use: functions of the caller's, and tools that Google runs; strict.

Source: the schema Tool of the Interactions API, November 2026, without its deprecated members. Kinds of tools that
Google adds later are refused here, by name: a misspelt one must not be sent, and found out only on the bill.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gemini_server.api.interaction_wire import Told
from gemini_server.rest.endpoint import JsonObject

ToolMode = Literal["auto", "any", "none", "validated"]
SafetyPolicy = Literal[
    "financial_transactions", "sensitive_data_modification", "communication_tool", "account_creation",
    "data_modification", "user_consent_management", "legal_terms_and_agreements",
]  # fmt: skip
RetrievalType = Literal["vertex_ai_search", "rag_store", "exa_ai_search", "parallel_ai_search"]


class Function(Told):
    """A function that the caller runs."""

    type: Literal["function"] = "function"
    name: str = Field(min_length=1)
    description: str | None = None
    short_description: str | None = None
    parameters: JsonObject | None = Field(default=None, description="JSON Schema")
    defer_loading: bool | None = Field(default=None, description="only found by tool_search")


class GoogleSearch(Told):
    """The web."""

    type: Literal["google_search"] = "google_search"
    search_types: list[Literal["web_search", "image_search", "enterprise_web_search"]] | None = None


class GoogleMaps(Told):
    """Places, near a point."""

    type: Literal["google_maps"] = "google_maps"
    enable_widget: bool | None = None
    latitude: float | None = None
    longitude: float | None = None


class UrlContext(Told):
    """Pages that the input names."""

    type: Literal["url_context"] = "url_context"


class CodeExecution(Told):
    """Programs that Google runs."""

    type: Literal["code_execution"] = "code_execution"


class FileSearch(Told):
    """Documents in File Search stores."""

    type: Literal["file_search"] = "file_search"
    file_search_store_names: list[str] | None = None
    metadata_filter: str | None = None
    top_k: int | None = None


class AllowedTools(Told):
    """Which tools may be used, and whether one must be."""

    mode: ToolMode | None = None
    tools: list[str] | None = None


class McpServer(Told):
    """A remote MCP server that Google calls; `headers` may hold its token, and are never shown."""

    type: Literal["mcp_server"] = "mcp_server"
    name: str | None = None
    url: str | None = None
    headers: dict[str, str] | None = Field(default=None, repr=False)
    allowed_tools: list[AllowedTools] | None = None


class ComputerUse(Told):
    """Actions on a screen, which the caller carries out."""

    type: Literal["computer_use"] = "computer_use"
    environment: Literal["browser", "mobile", "desktop"] | None = None
    excluded_predefined_functions: list[str] | None = None
    disabled_safety_policies: list[SafetyPolicy] | None = None
    enable_prompt_injection_detection: bool | None = None


class ToolSearch(Told):
    """Finds functions that are declared with `defer_loading`."""

    type: Literal["tool_search"] = "tool_search"
    name: str | None = None
    description: str | None = None
    execution: Literal["server", "client"] | None = None
    parameters: JsonObject | None = None


class VertexAiSearch(Told):
    """Where Vertex AI Search looks."""

    datastores: list[str] | None = None
    engine: str | None = None


class ExaSearch(Told):
    """Access to Exa."""

    api_key: str = Field(repr=False)
    custom_config: JsonObject | None = None


class ParallelSearch(Told):
    """Access to Parallel."""

    api_key: str | None = Field(default=None, repr=False)
    custom_config: JsonObject | None = None


class RagResource(Told):
    """A corpus of Vertex's RAG engine, or some of its files."""

    rag_corpus: str | None = None
    rag_file_ids: list[str] | None = None


class RagFilter(Told):
    """Which passages count."""

    metadata_filter: str | None = None
    vector_distance_threshold: float | None = None
    vector_similarity_threshold: float | None = None


class HybridSearch(Told):
    """How words and meaning are weighed, 0 to 1."""

    alpha: float | None = None


class RankService(Told):
    """The service that ranks."""

    model_name: str | None = None


class Ranking(Told):
    """How passages are ranked."""

    ranking_config: Literal["rank_service"] = "rank_service"
    rank_service: RankService | None = None
    model_name: str | None = None


class RagRetrieval(Told):
    """How the RAG engine looks."""

    filter: RagFilter | None = None
    hybrid_search: HybridSearch | None = None
    ranking: Ranking | None = None
    top_k: int | None = None


class RagStore(Told):
    """Where the RAG engine looks."""

    rag_resources: list[RagResource] | None = None
    rag_retrieval_config: RagRetrieval | None = None


class Retrieval(Told):
    """Stores and search engines outside the Gemini API."""

    type: Literal["retrieval"] = "retrieval"
    retrieval_types: list[RetrievalType] | None = None
    vertex_ai_search_config: VertexAiSearch | None = None
    rag_store_config: RagStore | None = None
    exa_ai_search_config: ExaSearch | None = None
    parallel_ai_search_config: ParallelSearch | None = None


InteractionTool = Annotated[
    Function | GoogleSearch | GoogleMaps | UrlContext | CodeExecution | FileSearch | McpServer | ComputerUse
    | ToolSearch | Retrieval,
    Field(discriminator="type"),
]  # fmt: skip

TYPES = (
    "function", "google_search", "google_maps", "url_context", "code_execution", "file_search", "mcp_server",
    "computer_use", "tool_search", "retrieval",
)  # fmt: skip
"""The kinds of tools by their names on the wire."""
