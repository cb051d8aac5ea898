"""All endpoints of the services that Google has shut down, or is about to, and of a few that hardly anybody uses."""

from __future__ import annotations

from . import (
    answer_service,
    chunk_service,
    corpora_service,
    corpus_document_service,
    legacy_dynamic,
    legacy_generated_files,
    palm_embedding_service,
    palm_message_service,
    palm_text_service,
    permission_service,
    tuned_answer_service,
    tuned_model_service,
    tuned_operation_service,
)
from .exchange import Route

ROUTES: tuple[Route, ...] = (
    *corpora_service.ROUTES,
    *corpus_document_service.ROUTES,
    *chunk_service.ROUTES,
    *permission_service.ROUTES,
    *tuned_model_service.ROUTES,
    *tuned_operation_service.ROUTES,
    *tuned_answer_service.ROUTES,
    *palm_text_service.ROUTES,
    *palm_message_service.ROUTES,
    *palm_embedding_service.ROUTES,
    *answer_service.ROUTES,
    *legacy_generated_files.ROUTES,
    *legacy_dynamic.ROUTES,
)
