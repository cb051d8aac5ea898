"""The messages of batches, in the notation of `shapes`.

Source: the v1beta discovery document of August 2026, and `webhookConfig` as the official SDK of November 2026 sends it.
A line of an input file is no message of that document; the Batch API guide describes it.
"""

from __future__ import annotations

_BATCH = """name:str model:str displayName:str priority:int64 state:str createTime:timestamp endTime:timestamp
    updateTime:timestamp batchStats:struct output:struct webhookConfig:WebhookConfig"""

MESSAGES: dict[str, str] = {
    "BatchGenerateContentRequest": "batch:GenerateContentBatch",
    "GenerateContentBatch": f"{_BATCH} inputConfig:InputConfig",
    "InputConfig": "requests:InlinedRequests fileName:str",
    "InlinedRequests": "requests:[InlinedRequest]",
    "InlinedRequest": "request:GenerateContentRequest metadata:struct",
    "GenerateContentLine": "key:str request:GenerateContentRequest metadata:struct",
    "AsyncBatchEmbedContentRequest": "batch:EmbedContentBatch",
    "EmbedContentBatch": f"{_BATCH} inputConfig:InputEmbedContentConfig",
    "InputEmbedContentConfig": "requests:InlinedEmbedContentRequests fileName:str",
    "InlinedEmbedContentRequests": "requests:[InlinedEmbedContentRequest]",
    "InlinedEmbedContentRequest": "request:EmbedContentRequest metadata:struct",
    "EmbedContentLine": "key:str request:EmbedContentRequest metadata:struct",
}

ONE_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "InputConfig": ("source", ("requests", "fileName")),
    "InputEmbedContentConfig": ("source", ("requests", "fileName")),
}
