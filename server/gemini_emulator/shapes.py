"""The messages of the generateContent family, as a closed table of field names and types.

Notation: `name:type` pairs separated by blanks. A type is a scalar (`str`, `bool`, `int32`, `int64`, `float`, `bytes`,
`duration`, `timestamp`), `any` (a free JSON value), `struct` (a free JSON object), a message of this table (upper-case
initial), `#Enum` (a set below), `[type]` (repeated) or `{type}` (a map with string keys).

Source: the v1beta discovery document of August 2026, and the newer fields that the official SDK of November 2026 sends
(labels, continuationToken, the part metadata, voice, authConfig, thinking level XHIGH).
"""

from __future__ import annotations

from . import batch_shapes, legacy_shapes, live_shapes, search_store_shapes

MESSAGES: dict[str, str] = {
    "GenerateContentRequest": """model:str contents:[Content] systemInstruction:Content tools:[Tool]
        toolConfig:ToolConfig safetySettings:[SafetySetting] generationConfig:GenerationConfig cachedContent:str
        store:bool serviceTier:#ServiceTier labels:{str} continuationToken:bytes""",
    "EmbedContentRequest": """model:str content:Content taskType:#TaskType title:str outputDimensionality:int32
        embedContentConfig:EmbedContentConfig""",
    "EmbedContentConfig": """taskType:#TaskType title:str outputDimensionality:int32 autoTruncate:bool
        documentOcr:bool audioTrackExtraction:bool""",
    "BatchEmbedContentsRequest": "requests:[EmbedContentRequest]",
    "CreateFileRequest": "file:File",
    "File": """name:str displayName:str mimeType:str sizeBytes:int64 createTime:timestamp updateTime:timestamp
        expirationTime:timestamp sha256Hash:bytes uri:str downloadUri:str state:#FileState source:#FileSource
        error:Status videoMetadata:VideoFileMetadata""",
    "Status": "code:int32 message:str details:[struct]",
    "VideoFileMetadata": "videoDuration:duration",
    "RegisterFilesRequest": "uris:[str]",
    "CachedContent": """name:str model:str displayName:str contents:[Content] systemInstruction:Content tools:[Tool]
        toolConfig:ToolConfig ttl:duration expireTime:timestamp createTime:timestamp updateTime:timestamp
        usageMetadata:CachedContentUsageMetadata""",
    "CachedContentUsageMetadata": "totalTokenCount:int32",
    "PredictRequest": "instances:[any] parameters:any labels:{str}",
    "PredictLongRunningRequest": "instances:[any] parameters:any labels:{str} webhookConfig:WebhookConfig",
    "WebhookConfig": "uris:[str] userMetadata:struct",
    "CountTokensRequest": "contents:[Content] generateContentRequest:GenerateContentRequest",
    "Content": "role:str parts:[Part]",
    "Part": """text:str inlineData:Blob fileData:FileData functionCall:FunctionCall functionResponse:FunctionResponse
        executableCode:ExecutableCode codeExecutionResult:CodeExecutionResult toolCall:ToolCall
        toolResponse:ToolResponse thought:bool thoughtSignature:bytes videoMetadata:VideoMetadata
        mediaResolution:PartMediaResolution mediaProcessing:#MediaProcessing partMetadata:struct
        audioTranscription:Transcription speechMetadata:SpeechMetadata documentMetadata:DocumentMetadata
        spreadsheetMetadata:SpreadsheetMetadata audioMetadata:AudioMetadata""",
    "Blob": "mimeType:str data:bytes",
    "FileData": "mimeType:str fileUri:str",
    "FunctionCall": "id:str name:str args:struct",
    "FunctionResponse": """id:str name:str response:struct parts:[FunctionResponsePart] willContinue:bool
        scheduling:#Scheduling""",
    "FunctionResponsePart": "inlineData:FunctionResponseBlob",
    "FunctionResponseBlob": "mimeType:str data:bytes",
    "ExecutableCode": "id:str language:#CodeLanguage code:str",
    "CodeExecutionResult": "id:str outcome:#Outcome output:str",
    "ToolCall": "id:str toolName:str toolType:#ToolType args:struct",
    "ToolResponse": "id:str toolType:#ToolType response:struct",
    "VideoMetadata": "startOffset:duration endOffset:duration fps:float",
    "PartMediaResolution": "level:#PartMediaResolutionLevel",
    "Transcription": """text:str finished:bool languageCode:str speakerLabel:str words:[struct] startOffset:duration
        endOffset:duration""",
    "SpeechMetadata": "speaker:str style:str",
    "DocumentMetadata": "startPage:int32 endPage:int32 contentLayers:[#DocumentLayer]",
    "SpreadsheetMetadata": "visibleCells:str sheetIndex:int32 contentLayers:[#SpreadsheetLayer]",
    "AudioMetadata": "startOffset:duration endOffset:duration",
    "Tool": """functionDeclarations:[FunctionDeclaration] googleSearch:GoogleSearch
        googleSearchRetrieval:GoogleSearchRetrieval googleMaps:GoogleMaps urlContext:UrlContext
        codeExecution:CodeExecution fileSearch:FileSearch computerUse:ComputerUse mcpServers:[McpServer]""",
    "FunctionDeclaration": """name:str description:str parameters:Schema parametersJsonSchema:any response:Schema
        responseJsonSchema:any behavior:#Behavior""",
    "GoogleSearch": "searchTypes:SearchTypes timeRangeFilter:Interval",
    "SearchTypes": "webSearch:WebSearch imageSearch:ImageSearch",
    "WebSearch": "",
    "ImageSearch": "",
    "Interval": "startTime:timestamp endTime:timestamp",
    "GoogleSearchRetrieval": "dynamicRetrievalConfig:DynamicRetrievalConfig",
    "DynamicRetrievalConfig": "mode:#DynamicMode dynamicThreshold:float",
    "GoogleMaps": "enableWidget:bool authConfig:MapsAuthConfig",
    "MapsAuthConfig": "apiKey:str",
    "UrlContext": "",
    "CodeExecution": "",
    "FileSearch": "fileSearchStoreNames:[str] topK:int32 metadataFilter:str",
    "ComputerUse": """environment:#ComputerEnvironment excludedPredefinedFunctions:[str]
        enablePromptInjectionDetection:bool disabledSafetyPolicies:[#SafetyPolicy]""",
    "McpServer": "name:str streamableHttpTransport:StreamableHttpTransport",
    "StreamableHttpTransport": """url:str headers:{str} timeout:duration sseReadTimeout:duration
        terminateOnClose:bool""",
    "ToolConfig": """functionCallingConfig:FunctionCallingConfig includeServerSideToolInvocations:bool
        retrievalConfig:RetrievalConfig""",
    "FunctionCallingConfig": "mode:#CallingMode allowedFunctionNames:[str]",
    "RetrievalConfig": "latLng:LatLng languageCode:str",
    "LatLng": "latitude:float longitude:float",
    "SafetySetting": "category:#HarmCategory threshold:#HarmThreshold",
    "GenerationConfig": """temperature:float topP:float topK:int32 candidateCount:int32 maxOutputTokens:int32
        stopSequences:[str] seed:int32 presencePenalty:float frequencyPenalty:float responseLogprobs:bool
        logprobs:int32 responseMimeType:str responseSchema:Schema responseJsonSchema:any
        responseFormat:ResponseFormat responseModalities:[#Modality] mediaResolution:#MediaResolution
        speechConfig:SpeechConfig imageConfig:ImageConfig thinkingConfig:ThinkingConfig
        audioTranscriptionConfig:AudioTranscriptionConfig translationConfig:TranslationConfig
        enableEnhancedCivicAnswers:bool enableAffectiveDialog:bool""",
    "ResponseFormat": "text:TextFormat image:ImageFormat audio:AudioFormat",
    "TextFormat": "mimeType:#TextMime schema:any",
    "ImageFormat": "aspectRatio:#AspectRatio imageSize:#ImageSize mimeType:#ImageMime delivery:#Delivery",
    "AudioFormat": "mimeType:#AudioMime bitRate:int32 sampleRate:int32 delivery:#Delivery",
    "SpeechConfig": "voiceConfig:VoiceConfig multiSpeakerVoiceConfig:MultiSpeakerVoiceConfig languageCode:str",
    "VoiceConfig": """prebuiltVoiceConfig:PrebuiltVoiceConfig voice:str
        replicatedVoiceConfig:ReplicatedVoiceConfig""",
    "PrebuiltVoiceConfig": "voiceName:str",
    "ReplicatedVoiceConfig": """mimeType:str voiceSampleAudio:bytes consentAudio:bytes
        voiceConsentSignature:VoiceConsentSignature""",
    "VoiceConsentSignature": "signature:str",
    "MultiSpeakerVoiceConfig": "speakerVoiceConfigs:[SpeakerVoiceConfig]",
    "SpeakerVoiceConfig": "speaker:str voiceConfig:VoiceConfig",
    "ImageConfig": "aspectRatio:str imageSize:str",
    "ThinkingConfig": "includeThoughts:bool thinkingBudget:int32 thinkingLevel:#ThinkingLevel",
    "AudioTranscriptionConfig": """languageCodes:[str] languageHints:LanguageHints languageAuto:LanguageAuto
        adaptationPhrases:[str] diarization:bool wordTimestamp:bool customVocabulary:[str] mode:#TranscriptionMode
        sourceText:str""",
    "LanguageHints": "languageCodes:[str]",
    "LanguageAuto": "",
    "TranslationConfig": "targetLanguageCode:str echoTargetLanguage:bool",
    "Schema": """type:#SchemaType format:str title:str description:str nullable:bool enum:[str] items:Schema
        maxItems:int64 minItems:int64 properties:{Schema} required:[str] minProperties:int64 maxProperties:int64
        minLength:int64 maxLength:int64 pattern:str example:any anyOf:[Schema] propertyOrdering:[str] default:any
        minimum:float maximum:float""",
    **batch_shapes.MESSAGES,
    **search_store_shapes.MESSAGES,
    **live_shapes.MESSAGES,
    **legacy_shapes.MESSAGES,
}

REQUIRED: dict[str, tuple[str, ...]] = {
    "FileData": ("fileUri",),
    "FunctionCall": ("name",),
    "FunctionDeclaration": ("name",),
    "FileSearch": ("fileSearchStoreNames",),
    "SafetySetting": ("category", "threshold"),
    "SpeakerVoiceConfig": ("speaker", "voiceConfig"),
    "MultiSpeakerVoiceConfig": ("speakerVoiceConfigs",),
    "ComputerUse": ("environment",),
    "TranslationConfig": ("targetLanguageCode",),
    "LanguageHints": ("languageCodes",),
    "ToolCall": ("toolType",),
    "ToolResponse": ("toolType",),
    "ExecutableCode": ("code", "language"),
    "CodeExecutionResult": ("outcome",),
}
"""Fields that the API demands although they are optional on the wire; `response` is checked with its turn."""

ONE_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "Part": (
        "data",
        (
            "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
            "codeExecutionResult", "toolCall", "toolResponse", "audioTranscription",
        ),
    ),
    "SpeechConfig": ("speech_config", ("voiceConfig", "multiSpeakerVoiceConfig")),
    "CachedContent": ("expiration", ("ttl", "expireTime")),
    **batch_shapes.ONE_OF,
    **search_store_shapes.ONE_OF,
    **live_shapes.ONE_OF,
    **legacy_shapes.ONE_OF,
}  # fmt: skip
"""Groups of which at most one field may be set."""


def _with_prefix(prefix: str, names: str) -> str:
    return " ".join(prefix + name for name in names.split())


_ENUMS: dict[str, str] = {
    "FileState": "STATE_UNSPECIFIED PROCESSING ACTIVE FAILED",
    "FileSource": "SOURCE_UNSPECIFIED UPLOADED GENERATED REGISTERED",
    "ServiceTier": "SERVICE_TIER_UNSPECIFIED unspecified standard flex priority",
    "MediaProcessing": "MEDIA_PROCESSING_UNSPECIFIED STATIC AGENTIC",
    "Scheduling": "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT",
    "CodeLanguage": "LANGUAGE_UNSPECIFIED PYTHON",
    "Outcome": _with_prefix("OUTCOME_", "UNSPECIFIED OK FAILED DEADLINE_EXCEEDED"),
    "ToolType": "TOOL_TYPE_UNSPECIFIED GOOGLE_SEARCH_WEB GOOGLE_SEARCH_IMAGE URL_CONTEXT GOOGLE_MAPS FILE_SEARCH",
    "PartMediaResolutionLevel": _with_prefix("MEDIA_RESOLUTION_", "UNSPECIFIED LOW MEDIUM HIGH ULTRA_HIGH"),
    "MediaResolution": _with_prefix("MEDIA_RESOLUTION_", "UNSPECIFIED LOW MEDIUM HIGH"),
    "DocumentLayer": "CONTENT_LAYER_UNSPECIFIED PAGE_IMAGE PAGE_TEXT",
    "SpreadsheetLayer": "CONTENT_LAYER_UNSPECIFIED DATA FORMULAS VISUAL",
    "Behavior": "UNSPECIFIED BLOCKING NON_BLOCKING",
    "DynamicMode": "MODE_UNSPECIFIED MODE_DYNAMIC",
    "ComputerEnvironment": _with_prefix("ENVIRONMENT_", "UNSPECIFIED BROWSER MOBILE DESKTOP"),
    "SafetyPolicy": """SAFETY_POLICY_UNSPECIFIED FINANCIAL_TRANSACTIONS SENSITIVE_DATA_MODIFICATION COMMUNICATION_TOOL
        ACCOUNT_CREATION DATA_MODIFICATION USER_CONSENT_MANAGEMENT LEGAL_TERMS_AND_AGREEMENTS""",
    "CallingMode": "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED",
    "HarmCategory": _with_prefix(
        "HARM_CATEGORY_",
        """UNSPECIFIED DEROGATORY TOXICITY VIOLENCE SEXUAL MEDICAL DANGEROUS HARASSMENT HATE_SPEECH SEXUALLY_EXPLICIT
        DANGEROUS_CONTENT CIVIC_INTEGRITY JAILBREAK IMAGE_HATE IMAGE_DANGEROUS_CONTENT IMAGE_HARASSMENT
        IMAGE_SEXUALLY_EXPLICIT""",
    ),
    "HarmThreshold": """HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH
        BLOCK_NONE OFF""",
    "Modality": "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO",
    "TextMime": "MIME_TYPE_UNSPECIFIED APPLICATION_JSON TEXT_PLAIN",
    "ImageMime": "MIME_TYPE_UNSPECIFIED IMAGE_JPEG",
    "AudioMime": "MIME_TYPE_UNSPECIFIED AUDIO_MP3 AUDIO_OGG_OPUS AUDIO_L16 AUDIO_WAV AUDIO_ALAW AUDIO_MULAW",
    "Delivery": "DELIVERY_UNSPECIFIED INLINE URI",
    "AspectRatio": _with_prefix(
        "ASPECT_RATIO_",
        """UNSPECIFIED ONE_BY_ONE TWO_BY_THREE THREE_BY_TWO THREE_BY_FOUR FOUR_BY_THREE FOUR_BY_FIVE FIVE_BY_FOUR
        NINE_BY_SIXTEEN SIXTEEN_BY_NINE TWENTY_ONE_BY_NINE ONE_BY_EIGHT EIGHT_BY_ONE ONE_BY_FOUR FOUR_BY_ONE""",
    ),
    "ImageSize": _with_prefix("IMAGE_SIZE_", "UNSPECIFIED FIVE_TWELVE ONE_K TWO_K FOUR_K"),
    "ThinkingLevel": "THINKING_LEVEL_UNSPECIFIED MINIMAL LOW MEDIUM HIGH XHIGH",
    "TranscriptionMode": "MODE_UNSPECIFIED VERBATIM SMART",
    "TaskType": """TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION
        CLUSTERING QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY""",
    "SchemaType": "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL",
    **live_shapes.ENUMS,
    **legacy_shapes.ENUMS,
}

ENUMS: dict[str, tuple[str, ...]] = {name: tuple(values.split()) for name, values in _ENUMS.items()}

FIELDS: dict[str, dict[str, str]] = {
    message: {field.partition(":")[0]: field.partition(":")[2] for field in fields.split()}
    for message, fields in MESSAGES.items()
}
