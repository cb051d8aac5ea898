"""The messages of File Search stores, in the notation of `shapes`.

Source: the v1beta discovery document of August 2026.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "FileSearchStore": """name:str displayName:str embeddingModel:str createTime:timestamp updateTime:timestamp
        activeDocumentsCount:int64 pendingDocumentsCount:int64 failedDocumentsCount:int64 sizeBytes:int64""",
    "ImportFileRequest": "fileName:str customMetadata:[CustomMetadata] chunkingConfig:ChunkingConfig",
    "UploadToFileSearchStoreRequest": """displayName:str mimeType:str customMetadata:[CustomMetadata]
        chunkingConfig:ChunkingConfig""",
    "CustomMetadata": "key:str stringValue:str numericValue:float stringListValue:StringList",
    "StringList": "values:[str]",
    "ChunkingConfig": "whiteSpaceConfig:WhiteSpaceConfig",
    "WhiteSpaceConfig": "maxTokensPerChunk:int32 maxOverlapTokens:int32",
}

ONE_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "CustomMetadata": ("value", ("stringValue", "numericValue", "stringListValue")),
}
