"""What work in the background costs as a rule, so that the daily cap holds its price back before it is known.

A turn of a model has no typical price; an hour of research and a film have one.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from gemini_server.rest.endpoint import JsonObject
from gemini_server.rest.json_values import object_of, objects_of
from gemini_server.toolkit import research_request
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.film_request import SECONDS

_DURATION = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)s")
_MOST_FILMS = 100
_MOST_SECONDS = 3600


def of_interaction(call: Call, name: str, response_format: Any) -> Decimal | None:
    """What an interaction costs as a rule; None where nobody can say.

    Args:
        call: the call.
        name: of the model or agent.
        response_format: what is wanted of it, as the API has it.
    """
    catalogue, today = call.runtime.catalogue, call.runtime.today()
    if name.startswith(research_request.FAMILY):
        return research_request.estimate(catalogue, name, today, plan=False)
    films = [one for one in (object_of(response_format), *objects_of(response_format)) if one.get("type") == "video"]
    if not (films or _makes_films(call, name)):
        return None
    wanted = films[0] if films else {}
    said = _DURATION.fullmatch(str(wanted.get("duration")))
    return _film(call, name, float(said[1]) if said else SECONDS, wanted.get("resolution"))


def of_operation(call: Call, name: str, body: JsonObject | None) -> Decimal | None:
    """What `models.predictLongRunning` costs as a rule; None where nobody can say."""
    if not _makes_films(call, name):
        return None
    said = object_of((body or {}).get("parameters"))
    seconds, count = said.get("durationSeconds"), said.get("sampleCount")
    # Nothing else is a length; below zero it would make room under the cap.
    told = float(seconds) if isinstance(seconds, int | float) and 0 < seconds <= _MOST_SECONDS else SECONDS
    cost = _film(call, name, told, said.get("resolution"))
    films = min(count, _MOST_FILMS) if isinstance(count, int) and count > 0 else 1
    return None if cost is None else cost * films


def _makes_films(call: Call, name: str) -> bool:
    facts = call.runtime.catalogue.get(name)
    return facts is not None and "video" in facts.capabilities


def _film(call: Call, name: str, seconds: float, resolution: object) -> Decimal | None:
    shown = resolution if isinstance(resolution, str) else "720p"
    cost, _ = call.runtime.catalogue.cost(name, on=call.runtime.today(), seconds=seconds, resolution=shown)
    return cost
