"""Google Maps grounding: places around a point, in the language that is asked for.

Source: "Grounding with Google Maps" of the Gemini API.
"""

from __future__ import annotations

import math
from urllib.parse import urlencode

from .grounding import Claim, Grounding
from .prompt import Prompt
from .wire import Object

_PLACES = ("Café Zürichsee", "Bäckerei Müller", "寿司 Sakura")
_METRES_PER_DEGREE = 111_320
_SENTENCES = {
    "en": "{name} near {where} is rated {rating} ⭐, {metres} m away.",
    "de": "{name} bei {where} ist mit {rating} ⭐ bewertet und {metres} m entfernt.",
    "ja": "{name}は{where}の近くで、評価は{rating} ⭐、{metres} m先です。",
    "fr": "{name}, près de {where}, est noté {rating} ⭐, à {metres} m.",
    "es": "{name}, cerca de {where}, tiene {rating} ⭐ y está a {metres} m.",
}
_TEXTS = {
    "en": "{name}, rated {rating}, {metres} m away, at {point}",
    "de": "{name}, mit {rating} bewertet, {metres} m entfernt, bei {point}",
    "ja": "{name}、評価{rating}、{metres} m先、{point}",
    "fr": "{name}, noté {rating}, à {metres} m, à {point}",
    "es": "{name}, con {rating}, a {metres} m, en {point}",
}
_HERE = {"en": "the area", "de": "der Umgebung", "ja": "この場所", "fr": "vous", "es": "la zona"}


def maps(prompt: Prompt) -> Grounding:
    """The answer to a prompt with `googleMaps`."""
    rng = prompt.rng("maps")
    config: Object = prompt.request.get("toolConfig", {}).get("retrievalConfig", {})
    code: str = config.get("languageCode", "en")
    language = code.partition("-")[0].lower()
    language = language if language in _SENTENCES else "en"
    point: Object | None = config.get("latLng")
    where = prompt.facts.names[0] if prompt.facts.names else _HERE[language]
    chunks: list[Object] = []
    claims: list[Claim] = []
    for index, name in enumerate(_PLACES):
        rating, metres = rng.randint(38, 49) / 10, rng.randint(4, 80) * 10
        query: dict[str, object] = {"cid": rng.getrandbits(60)}
        shown = where
        if point is not None:
            latitude, longitude = _beside(point, metres, rng.uniform(0, 2 * math.pi))
            shown = f"{latitude:.5f}, {longitude:.5f}"
            query["ll"] = f"{latitude:.5f},{longitude:.5f}"
        if "languageCode" in config:
            query["hl"] = code
        told = {"name": name, "rating": rating, "metres": metres, "where": where, "point": shown}
        chunks.append(
            {
                "maps": {
                    "uri": f"https://maps.example/?{urlencode(query)}",
                    "title": name,
                    "placeId": f"places/emulated{rng.getrandbits(64):016x}",
                    "text": _TEXTS[language].format(**told),
                }
            }
        )
        claims.append(Claim(_SENTENCES[language].format(**told), (index,)))
    asked = (prompt.tool("googleMaps") or {}).get("enableWidget")
    widget = f"widgetcontent/emulated{rng.getrandbits(64):016x}" if asked else ""
    return Grounding(tuple(claims), tuple(chunks), widget=widget)


def _beside(point: Object, metres: int, direction: float) -> tuple[float, float]:
    """A point at a distance; a missing coordinate is zero, as in every protobuf message."""
    latitude, longitude = float(point.get("latitude", 0)), float(point.get("longitude", 0))
    shrink = max(0.01, math.cos(math.radians(latitude)))
    north, east = metres * math.cos(direction), metres * math.sin(direction)
    moved = longitude + east / (_METRES_PER_DEGREE * shrink)
    return max(-90.0, min(90.0, latitude + north / _METRES_PER_DEGREE)), (moved + 180) % 360 - 180
