"""The voices that come with Gemini, and how a voice is named in a request.

Source: "Voice options" of the speech generation guide (ai.google.dev); the words are Google's. Voices that were
designed, replicated or found in the voice library go by an id (`voice_…`, `voicekey_…`).
"""

from __future__ import annotations

import difflib
import re

from gemini_server.api.config import PrebuiltVoiceConfig, VoiceConfig

DEFAULT = "Kore"

PREBUILT = {
    "Zephyr": "bright", "Puck": "upbeat", "Charon": "informative", "Kore": "firm", "Fenrir": "excitable",
    "Leda": "youthful", "Orus": "firm", "Aoede": "breezy", "Callirrhoe": "easy-going", "Autonoe": "bright",
    "Enceladus": "breathy", "Iapetus": "clear", "Umbriel": "easy-going", "Algieba": "smooth", "Despina": "smooth",
    "Erinome": "clear", "Algenib": "gravelly", "Rasalgethi": "informative", "Laomedeia": "upbeat",
    "Achernar": "soft", "Alnilam": "firm", "Schedar": "even", "Gacrux": "mature", "Pulcherrima": "forward",
    "Achird": "friendly", "Zubenelgenubi": "casual", "Vindemiatrix": "gentle", "Sadachbia": "lively",
    "Sadaltager": "knowledgeable", "Sulafat": "warm",
}  # fmt: skip
"""Each voice and its character."""

_BY_LOWER = {name.lower(): name for name in PREBUILT}
_ID = re.compile(r"(?:voices/)?([A-Za-z0-9][A-Za-z0-9_.\-]{0,4095})", re.ASCII)


def config(named: str) -> VoiceConfig | None:
    """A voice as a request names it; None where it is neither one of these nor an id."""
    known = _BY_LOWER.get(named.strip().lower())
    if known is not None:
        return VoiceConfig(prebuilt_voice_config=PrebuiltVoiceConfig(voice_name=known))
    found = _ID.fullmatch(named.strip())
    # An id has something that no name has; a mere word is a name that was mistaken.
    if found and (named.startswith("voices/") or not found[1].isalpha()):
        return VoiceConfig(voice=found[1])
    return None


def nearest(named: str) -> list[str]:
    """Voices that were perhaps meant: by their name, or by their character."""
    word = named.strip().lower()
    close = [_BY_LOWER[name] for name in difflib.get_close_matches(word, _BY_LOWER, n=3, cutoff=0.5)]
    alike = [name for name, character in PREBUILT.items() if word and word in character]
    return [*close, *(name for name in alike if name not in close)][:5]
