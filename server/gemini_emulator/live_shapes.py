"""The messages of the Live API and of ephemeral tokens, in the notation of `shapes`.

Source: the v1beta discovery document of August 2026 (`AuthToken`, `BidiGenerateContentSetup`), the WebSockets API
reference of the Live API, and the newer fields that the official SDK of November 2026 sends.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "BidiGenerateContentClientMessage": """setup:BidiGenerateContentSetup
        clientContent:BidiGenerateContentClientContent realtimeInput:BidiGenerateContentRealtimeInput
        toolResponse:BidiGenerateContentToolResponse contextUpdate:BidiGenerateContentContextUpdate""",
    "BidiGenerateContentSetup": """model:str generationConfig:GenerationConfig systemInstruction:Content tools:[Tool]
        realtimeInputConfig:RealtimeInputConfig sessionResumption:SessionResumptionConfig
        contextWindowCompression:ContextWindowCompressionConfig inputAudioTranscription:AudioTranscriptionConfig
        outputAudioTranscription:AudioTranscriptionConfig historyConfig:HistoryConfig proactivity:ProactivityConfig
        safetySettings:[SafetySetting] labels:{str}""",
    "BidiGenerateContentClientContent": "turns:[Content] turnComplete:bool",
    "BidiGenerateContentRealtimeInput": """mediaChunks:[Blob] audio:Blob video:Blob text:str audioStreamEnd:bool
        activityStart:ActivityStart activityEnd:ActivityEnd""",
    "BidiGenerateContentToolResponse": "functionResponses:[FunctionResponse]",
    "BidiGenerateContentContextUpdate": "systemInstruction:Content tools:ContextUpdateTools",
    "ContextUpdateTools": "tools:[Tool]",
    "ActivityStart": "",
    "ActivityEnd": "",
    "RealtimeInputConfig": """automaticActivityDetection:AutomaticActivityDetection
        activityHandling:#ActivityHandling turnCoverage:#TurnCoverage""",
    "AutomaticActivityDetection": """disabled:bool startOfSpeechSensitivity:#StartSensitivity
        endOfSpeechSensitivity:#EndSensitivity prefixPaddingMs:int32 silenceDurationMs:int32""",
    "SessionResumptionConfig": "handle:str",
    "ContextWindowCompressionConfig": "triggerTokens:int64 slidingWindow:SlidingWindow",
    "SlidingWindow": "targetTokens:int64",
    "HistoryConfig": "initialHistoryInClientContent:bool",
    "ProactivityConfig": "proactiveAudio:bool",
    "AuthToken": """name:str uses:int32 expireTime:timestamp newSessionExpireTime:timestamp fieldMask:str
        bidiGenerateContentSetup:BidiGenerateContentSetup""",
}

ONE_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "BidiGenerateContentClientMessage": (
        "message_type",
        ("setup", "clientContent", "realtimeInput", "toolResponse", "contextUpdate"),
    ),
}

ENUMS: dict[str, str] = {
    "ActivityHandling": "ACTIVITY_HANDLING_UNSPECIFIED START_OF_ACTIVITY_INTERRUPTS NO_INTERRUPTION",
    "TurnCoverage": """TURN_COVERAGE_UNSPECIFIED TURN_INCLUDES_ONLY_ACTIVITY TURN_INCLUDES_ALL_INPUT
        TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO""",
    "StartSensitivity": "START_SENSITIVITY_UNSPECIFIED START_SENSITIVITY_HIGH START_SENSITIVITY_LOW",
    "EndSensitivity": "END_SENSITIVITY_UNSPECIFIED END_SENSITIVITY_HIGH END_SENSITIVITY_LOW",
}
