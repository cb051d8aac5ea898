"""What the API refuses about searching: intervals, kinds of search, points on the map.

Source: the API reference of `GoogleSearch`, `Interval` and `LatLng`.
"""

from __future__ import annotations

from .errors import invalid
from .grounding import moment
from .models import ModelCard
from .wire import Object


def check_grounding(request: Object, card: ModelCard) -> None:
    """Refuse options of search and maps that make no sense."""
    for at, tool in enumerate(request.get("tools", [])):
        search: Object = tool.get("googleSearch", {})
        if search.get("timeRangeFilter"):
            _interval(
                search["timeRangeFilter"], f"* GenerateContentRequest.tools[{at}].google_search.time_range_filter"
            )
        if "imageSearch" in search.get("searchTypes", {}) and card.generation < 3:
            raise invalid("Image search is not supported for this model.")
    point: Object = request.get("toolConfig", {}).get("retrievalConfig", {}).get("latLng", {})
    place = "* GenerateContentRequest.tool_config.retrieval_config.lat_lng"
    for name, most in (("latitude", 90), ("longitude", 180)):
        if not -most <= point.get(name, 0) <= most:
            raise invalid(f"{place}.{name}: must be in the range [-{most}.0, +{most}.0].\n")


def _interval(interval: Object, place: str) -> None:
    if "startTime" not in interval or "endTime" not in interval:
        raise invalid(f"{place}: start_time and end_time must both be set, or neither.\n")
    try:
        start, end = moment(interval["startTime"]), moment(interval["endTime"])
    except ValueError:
        raise invalid(f"{place}: Invalid time.\n") from None
    if start > end:
        raise invalid(f"{place}: start_time must be less than or equal to end_time.\n")
