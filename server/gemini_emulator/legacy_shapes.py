"""The messages of PaLM, AQA, tuned models and the Semantic Retriever, in the notation of `shapes`.

Source: the v1beta discovery document of January 2026, and for documents and chunks, which it lacks, the public v1beta
protos of December 2025.
"""

from __future__ import annotations

_NAMED = "name:str createTime:timestamp updateTime:timestamp"
_SAMPLING = "temperature:float topP:float topK:int32"

MESSAGES: dict[str, str] = {
    "Corpus": f"{_NAMED} displayName:str",
    "CorpusDocument": f"{_NAMED} displayName:str customMetadata:[CustomMetadata]",
    "Chunk": f"{_NAMED} data:ChunkData customMetadata:[CustomMetadata] state:#ChunkState",
    "ChunkData": "stringValue:str",
    "QueryCorpusRequest": "name:str query:str metadataFilters:[MetadataFilter] resultsCount:int32",
    "QueryDocumentRequest": "name:str query:str metadataFilters:[MetadataFilter] resultsCount:int32",
    "MetadataFilter": "key:str conditions:[Condition]",
    "Condition": "stringValue:str numericValue:float operation:#ConditionOperator",
    "BatchCreateChunksRequest": "parent:str requests:[CreateChunkRequest]",
    "CreateChunkRequest": "parent:str chunk:Chunk",
    "BatchUpdateChunksRequest": "parent:str requests:[UpdateChunkRequest]",
    "UpdateChunkRequest": "chunk:Chunk updateMask:str",
    "BatchDeleteChunksRequest": "parent:str requests:[DeleteChunkRequest]",
    "DeleteChunkRequest": "name:str",
    "Permission": "name:str granteeType:#GranteeType emailAddress:str role:#PermissionRole",
    "TransferOwnershipRequest": "name:str emailAddress:str",
    "TunedModel": f"""{_NAMED} {_SAMPLING} displayName:str description:str tunedModelSource:TunedModelSource
        baseModel:str state:#TunedModelState tuningTask:TuningTask readerProjectNumbers:[int64]""",
    "TunedModelSource": "tunedModel:str baseModel:str",
    "TuningTask": """startTime:timestamp completeTime:timestamp snapshots:[TuningSnapshot] trainingData:Dataset
        hyperparameters:Hyperparameters""",
    "TuningSnapshot": "step:int32 epoch:int32 meanLoss:float computeTime:timestamp",
    "Dataset": "examples:TuningExamples",
    "TuningExamples": "examples:[TuningExample]",
    "TuningExample": "textInput:str output:str",
    "Hyperparameters": "learningRate:float learningRateMultiplier:float epochCount:int32 batchSize:int32",
    "GenerateTextRequest": f"""model:str prompt:TextPrompt {_SAMPLING} candidateCount:int32 maxOutputTokens:int32
        safetySettings:[SafetySetting] stopSequences:[str]""",
    "TextPrompt": "text:str",
    "CountTextTokensRequest": "model:str prompt:TextPrompt",
    "EmbedTextRequest": "model:str text:str",
    "BatchEmbedTextRequest": "model:str texts:[str] requests:[EmbedTextRequest]",
    "GenerateMessageRequest": f"model:str prompt:MessagePrompt {_SAMPLING} candidateCount:int32",
    "CountMessageTokensRequest": "model:str prompt:MessagePrompt",
    "MessagePrompt": "context:str examples:[Example] messages:[Message]",
    "Example": "input:Message output:Message",
    "Message": "author:str content:str citationMetadata:struct",
    "GenerateAnswerRequest": """model:str contents:[Content] answerStyle:#AnswerStyle temperature:float
        safetySettings:[SafetySetting] inlinePassages:GroundingPassages semanticRetriever:SemanticRetrieverConfig""",
    "GroundingPassages": "passages:[GroundingPassage]",
    "GroundingPassage": "id:str content:Content",
    "SemanticRetrieverConfig": """source:str query:Content metadataFilters:[MetadataFilter] maxChunksCount:int32
        minimumRelevanceScore:float""",
}

ONE_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "Condition": ("value", ("stringValue", "numericValue")),
    "TunedModel": ("source_model", ("baseModel", "tunedModelSource")),
    "Hyperparameters": ("learning_rate_option", ("learningRate", "learningRateMultiplier")),
    "GenerateAnswerRequest": ("grounding_source", ("inlinePassages", "semanticRetriever")),
}

ENUMS: dict[str, str] = {
    "ChunkState": "STATE_UNSPECIFIED STATE_PENDING_PROCESSING STATE_ACTIVE STATE_FAILED",
    "ConditionOperator": """OPERATOR_UNSPECIFIED LESS LESS_EQUAL EQUAL GREATER_EQUAL GREATER NOT_EQUAL INCLUDES
        EXCLUDES""",
    "GranteeType": "GRANTEE_TYPE_UNSPECIFIED USER GROUP EVERYONE",
    "PermissionRole": "ROLE_UNSPECIFIED OWNER WRITER READER",
    "TunedModelState": "STATE_UNSPECIFIED CREATING ACTIVE FAILED",
    "AnswerStyle": "ANSWER_STYLE_UNSPECIFIED ABSTRACTIVE EXTRACTIVE VERBOSE",
}
