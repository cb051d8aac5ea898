"""The messages of `voices.create`, in the notation of `interaction_shapes`.

Source: `CreateVoiceRequest` and `VoiceInput` in the schema of the official SDK of November 2026.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "CreateVoiceRequest": "voice!:Voice store:bool",
    "Voice": """type!:#VoiceType accent:str context:str description:str display_name:str gender:str language_code:str
        model:str persona:str pitch:#Pitch prompted:PromptedVoice region_code:str replicated:ReplicatedVoice
        sample_audio:AudioData""",
    "PromptedVoice": "input!:str base_voice:str",
    "ReplicatedVoice": "consent_audio!:AudioData source_audio!:AudioData",
    "AudioData": "data!:str mime_type!:str",
}

ENUMS: dict[str, str] = {
    "VoiceType": "replicated prompted prebuilt",
    "Pitch": "low medium high",
}
