"""The messages of the Interactions API as data: fields, types and enums, for closed validation of requests.

A line reads `field:type`, separated by blanks; `field!:type` is required. A type is a scalar (`str`, `bool`, `int`,
`num`), `any`, `map` (a free JSON object), a message of this table, `@Union` (messages told apart by their `type`),
`#Enum`, `[type]`, `{type}` (an object with values of that type), or alternatives for several JSON forms, `str/Message`.
A message with the field `*` takes fields of any name.

Source: the schema of the official SDK of November 2026 and the Interactions API reference.
"""

from __future__ import annotations

from . import (
    agent_shapes,
    credential_shapes,
    decision_shapes,
    environment_shapes,
    interaction_agent_shapes,
    trigger_shapes,
    voice_shapes,
    webhook_shapes,
)

_ANNOTATED = "start_index:int end_index:int"
_CALL = "id!:str signature:str"
_RESULT = "call_id!:str signature:str"
_BLOB = "data:str uri:str"

MESSAGES: dict[str, str] = {
    "CreateModelInteraction": """model!:str background:bool cached_content:str continuation_token:str environment:any
        generation_config:GenerationConfig input:str/@Content/[@Input] labels:{str} previous_interaction_id:str
        response_format:map/[map] response_mime_type:str response_modalities:[#Modality]
        safety_settings:[SafetySetting] service_tier:#ServiceTier store:bool stream:bool system_instruction:str
        tools:[@Tool] webhook_config:WebhookConfig""",
    "WebhookConfig": "uris:[str] user_metadata:map",
    "SafetySetting": "type!:#HarmCategory threshold!:#HarmThreshold method:#HarmMethod",
    "GenerationConfig": """image_config:ImageConfig max_output_tokens:int seed:int
        speech_config:SpeakerConfig/[SpeechConfig] stop_sequences:[str] temperature:num thinking_level:#ThinkingLevel
        thinking_summaries:#Summaries tool_choice:#Choice/ToolChoiceConfig top_p:num
        transcription_config:TranscriptionConfig video_config:VideoConfig""",
    "ImageConfig": "aspect_ratio:#AspectRatio image_size:#ImageSize",
    "SpeakerConfig": "speakers:[SpeechConfig]",
    "SpeechConfig": "language:str speaker:str voice:str",
    "ToolChoiceConfig": "allowed_tools:AllowedTools",
    "AllowedTools": "mode:#Choice tools:[str]",
    "TranscriptionConfig": """adaptation_phrases:[str] custom_vocabulary:[str] diarization_mode:str language_codes:[str]
        language_hints:[str] mode:#Transcription/@TranscriptionMode timestamp_granularities:[str]""",
    "SmartTranscription": "source_text:str",
    "VerbatimTranscription": "diarization_mode:str timestamp_granularities:[str]",
    "VideoConfig": "task:#VideoTask",
    "TextFormat": "mime_type:#TextMime schema:map",
    "ImageFormat": "aspect_ratio:#AspectRatio delivery:#Delivery image_size:#ImageSize mime_type:#PictureMime",
    "AudioFormat": "bit_rate:int delivery:#Delivery mime_type:#SoundMime sample_rate:int",
    "VideoFormat": """aspect_ratio:#VideoAspectRatio delivery:#Delivery duration:str gcs_uri:str
        resolution:#VideoResolution""",
    "Function": "defer_loading:bool description:str name:str parameters:map short_description:str",
    "GoogleSearch": "search_types:[#SearchType]",
    "GoogleMaps": "enable_widget:bool latitude:num longitude:num",
    "UrlContext": "",
    "CodeExecution": "",
    "FileSearch": "file_search_store_names:[str] metadata_filter:str top_k:int",
    "McpServer": "allowed_tools:[AllowedTools] headers:{str} name:str url:str",
    "ComputerUse": """disabled_safety_policies:[#SafetyPolicy] enable_prompt_injection_detection:bool
        environment:#ComputerEnvironment excluded_predefined_functions:[str]""",
    "ToolSearch": "description:str execution:#Execution name:str parameters:map",
    "Retrieval": """exa_ai_search_config:map parallel_ai_search_config:map rag_store_config:map
        retrieval_types:[str] vertex_ai_search_config:map""",
    "TextContent": "text!:str annotations:[@Annotation]",
    "ImageContent": f"{_BLOB} mime_type:#ImageMime resolution:#MediaResolution",
    "AudioContent": f"{_BLOB} mime_type:#AudioMime channels:int sample_rate:int processing:#Static/@AudioProcessing",
    "DocumentContent": f"""{_BLOB} mime_type:#DocumentMime resolution:#MediaResolution
        processing:#Static/@DocumentProcessing""",
    "VideoContent": f"""{_BLOB} mime_type:#VideoMime name:str resolution:#MediaResolution
        processing:#Processing/@VideoProcessing""",
    "StaticAudio": "start_offset:str end_offset:str",
    "StaticDocument": "page_options:PageOptions spreadsheet_options:SpreadsheetOptions",
    "StaticVideo": "content_layers:[#VideoLayer] start_offset:str end_offset:str fps:num",
    "PageOptions": "content_layers:[#PageLayer] start_page:int end_page:int",
    "SpreadsheetOptions": "content_layers:[#SheetLayer] sheet_index:int visible_cells:str",
    "UrlCitation": f"{_ANNOTATED} title:str url:str",
    "FileCitation": f"""{_ANNOTATED} custom_metadata:map document_uri:str file_name:str media_id:str page_number:int
        source:str""",
    "PlaceCitation": f"{_ANNOTATED} name:str place_id:str review_snippets:[map] url:str",
    "SpeechAnnotation": f"{_ANNOTATED} speaker:str style:str",
    "WordInfo": f"{_ANNOTATED} start_offset:str end_offset:str speaker:str text:str",
    "UserInput": "content:[@Content]",
    "ModelOutput": "content:[@Content] error:map",
    "Thought": "signature:str summary:[@Summary]",
    "FunctionCall": "id!:str name!:str arguments!:map",
    "FunctionResult": "call_id!:str result!:str/map/[@ResultContent] is_error:bool name:str",
    "CodeCall": f"{_CALL} arguments!:CodeArguments",
    "CodeArguments": "code:str language:#CodeLanguage",
    "CodeResult": f"{_RESULT} result!:str/[@Content] is_error:bool",
    "SearchCall": f"{_CALL} arguments!:Queries search_type:#SearchType",
    "SearchResult": f"{_RESULT} result!:[SearchSuggestions] is_error:bool",
    "SearchSuggestions": "search_suggestions:str",
    "Queries": "queries:[str]",
    "MapsCall": f"{_CALL} arguments:Queries",
    "MapsResult": f"{_RESULT} result!:[MapsPlaces]",
    "MapsPlaces": "places:[MapsPlace] widget_context_token:str",
    "MapsPlace": "name:str place_id:str review_snippets:[map] url:str",
    "UrlCall": f"{_CALL} arguments!:Urls",
    "Urls": "urls:[str]",
    "UrlResult": f"{_RESULT} result!:[UrlStatus] is_error:bool",
    "UrlStatus": "status:#UrlStatus url:str",
    "PlainCall": _CALL,
    "PlainResult": f"{_RESULT} is_error:bool",
    "FileSearchResult": _RESULT,
    "McpCall": "id!:str name!:str server_name!:str arguments!:map",
    "McpResult": "call_id!:str result!:str/map/[@ResultContent] name:str server_name:str",
    "ToolSearchCall": f"{_CALL} arguments!:FunctionNames",
    "FunctionNames": "function_names:[str]",
    "ToolSearchResult": f"{_RESULT} result:[@ResultContent]",
    "RetrievalCall": f"{_CALL} arguments!:Queries retrieval_type:str",
    **interaction_agent_shapes.MESSAGES,
    **trigger_shapes.MESSAGES,
    **webhook_shapes.MESSAGES,
    **agent_shapes.MESSAGES,
    **environment_shapes.MESSAGES,
    **voice_shapes.MESSAGES,
    **decision_shapes.MESSAGES,
    **credential_shapes.MESSAGES,
}

_CONTENT = """text=TextContent image=ImageContent audio=AudioContent document=DocumentContent video=VideoContent"""
_STEP = """user_input=UserInput model_output=ModelOutput thought=Thought function_call=FunctionCall
    function_result=FunctionResult code_execution_call=CodeCall code_execution_result=CodeResult
    google_search_call=SearchCall google_search_result=SearchResult google_maps_call=MapsCall
    google_maps_result=MapsResult url_context_call=UrlCall url_context_result=UrlResult file_search_call=PlainCall
    file_search_result=FileSearchResult mcp_server_tool_call=McpCall mcp_server_tool_result=McpResult
    tool_search_call=ToolSearchCall tool_search_result=ToolSearchResult processing_call=PlainCall
    processing_result=FileSearchResult retrieval_call=RetrievalCall retrieval_result=PlainResult"""

_UNIONS: dict[str, str] = {
    "Content": _CONTENT,
    "Step": _STEP,
    "Input": f"{_CONTENT} {_STEP}",
    "ResultContent": f"{_CONTENT} function=Function",
    "Summary": "text=TextContent image=ImageContent",
    "Annotation": """url_citation=UrlCitation file_citation=FileCitation place_citation=PlaceCitation
        speech_metadata=SpeechAnnotation word_info=WordInfo""",
    "Tool": """function=Function google_search=GoogleSearch google_maps=GoogleMaps url_context=UrlContext
        code_execution=CodeExecution file_search=FileSearch mcp_server=McpServer computer_use=ComputerUse
        tool_search=ToolSearch retrieval=Retrieval""",
    "ResponseFormat": "text=TextFormat image=ImageFormat audio=AudioFormat video=VideoFormat",
    "TranscriptionMode": "smart=SmartTranscription verbatim=VerbatimTranscription",
    "AudioProcessing": "static=StaticAudio",
    "DocumentProcessing": "static=StaticDocument",
    "VideoProcessing": "static=StaticVideo",
    **interaction_agent_shapes.UNIONS,
    **agent_shapes.UNIONS,
    **decision_shapes.UNIONS,
    **credential_shapes.UNIONS,
}

_ENUMS: dict[str, str] = {
    "Modality": "text image audio video document",
    "ServiceTier": "flex standard priority deferred",
    "ThinkingLevel": "minimal low medium high xhigh",
    "Summaries": "auto none",
    "Choice": "auto any none validated",
    "Transcription": "verbatim smart",
    "VideoTask": "text_to_video image_to_video reference_to_video edit extend upscale",
    "TextMime": "application/json text/plain",
    "PictureMime": "image/jpeg",
    "SoundMime": "audio/mp3 audio/ogg_opus audio/l16 audio/wav audio/alaw audio/mulaw",
    "Delivery": "inline uri",
    "AspectRatio": "1:1 2:3 3:2 3:4 4:3 4:5 5:4 9:16 16:9 21:9 1:8 8:1 1:4 4:1",
    "ImageSize": "512 1K 2K 4K",
    "VideoAspectRatio": "16:9 9:16",
    "VideoResolution": "360p 720p 1080p 4k",
    "SearchType": "web_search image_search enterprise_web_search",
    "Execution": "server client",
    "ComputerEnvironment": "browser mobile desktop",
    "SafetyPolicy": """financial_transactions sensitive_data_modification communication_tool account_creation
        data_modification user_consent_management legal_terms_and_agreements""",
    "HarmCategory": """hate_speech dangerous_content harassment sexually_explicit civic_integrity image_hate
        image_dangerous_content image_harassment image_sexually_explicit jailbreak""",
    "HarmThreshold": "block_low_and_above block_medium_and_above block_only_high block_none off",
    "HarmMethod": "severity probability",
    "MediaResolution": "low medium high ultra_high",
    "Static": "static",
    "Processing": "static agentic",
    "VideoLayer": "frames audio transcript",
    "PageLayer": "page_image page_text",
    "SheetLayer": "visual data formulas",
    "CodeLanguage": "python bash",
    "UrlStatus": "success error paywall unsafe",
    "ImageMime": "image/png image/jpeg image/webp image/heic image/heif image/gif image/bmp image/tiff",
    "AudioMime": """audio/wav audio/mp3 audio/aiff audio/aac audio/ogg audio/flac audio/mpeg audio/m4a audio/l16
        audio/opus audio/alaw audio/mulaw audio/webm""",
    "VideoMime": """video/mp4 video/mpeg video/mpg video/mov video/avi video/x-flv video/webm video/wmv video/3gpp""",
    "DocumentMime": """application/pdf text/csv
        application/vnd.openxmlformats-officedocument.presentationml.presentation application/vnd.ms-powerpoint
        application/vnd.oasis.opendocument.presentation
        application/vnd.openxmlformats-officedocument.wordprocessingml.document application/msword
        application/vnd.openxmlformats-officedocument.wordprocessingml.template
        application/vnd.oasis.opendocument.text application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
        application/vnd.ms-excel application/vnd.oasis.opendocument.spreadsheet""",
    **interaction_agent_shapes.ENUMS,
    **trigger_shapes.ENUMS,
    **webhook_shapes.ENUMS,
    **environment_shapes.ENUMS,
    **voice_shapes.ENUMS,
    **credential_shapes.ENUMS,
}

ENUMS: dict[str, tuple[str, ...]] = {name: tuple(values.split()) for name, values in _ENUMS.items()}

UNIONS: dict[str, dict[str, str]] = {
    name: {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs.split()} for name, pairs in _UNIONS.items()
}

FIELDS: dict[str, dict[str, str]] = {
    message: {pair.partition(":")[0].rstrip("!"): pair.partition(":")[2] for pair in fields.split()}
    for message, fields in MESSAGES.items()
}

REQUIRED: dict[str, tuple[str, ...]] = {
    message: tuple(pair.partition(":")[0].rstrip("!") for pair in fields.split() if "!:" in pair)
    for message, fields in MESSAGES.items()
}
