"""`AuthTokenService.CreateToken`: short-lived tokens that open Live sessions and nothing else.

Source: `AuthToken` in the discovery document of August 2026, and "Ephemeral tokens" of the Gemini API.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .errors import ApiError, invalid
from .exchange import Call, Reply, Route, Service
from .grounding import moment
from .live_store import Token
from .schema import camel, check
from .shapes import FIELDS
from .wire import Object

_LONGEST = timedelta(hours=20)
_USUAL = timedelta(minutes=30)
_USUAL_SESSIONS = timedelta(minutes=1)


def create(service: Service, call: Call) -> Reply:
    """`auth_tokens.create`."""
    if call.version == "v1":
        raise ApiError(404, "Method not found.")
    body = check("AuthToken", call.body if call.body is not None else {}, call.version)
    uses: int = body.get("uses", 1)
    if uses < 0:
        raise invalid("* CreateAuthTokenRequest.auth_token.uses: must not be negative\n")
    now = service.clock()
    until = _time(body, "expireTime", now, _USUAL)
    setup: Object | None = body.get("bidiGenerateContentSetup")
    token = Token(
        uses=uses or None,
        until=until,
        sessions_until=_time(body, "newSessionExpireTime", now, _USUAL_SESSIONS),
        setup=setup,
        mask=_mask(body.get("fieldMask", "")),
    )
    return Reply({"name": service.tokens.add(token)})


def _time(body: Object, name: str, now: datetime, usual: timedelta) -> datetime:
    if name not in body:
        return now + usual
    place = (
        f"* CreateAuthTokenRequest.auth_token.{'expire_time' if name == 'expireTime' else 'new_session_expire_time'}"
    )
    try:
        asked = moment(body[name])
    except ValueError:
        raise invalid(f"{place}: Invalid time.\n") from None
    if asked <= now:
        raise invalid(f"{place}: must be in the future\n")
    if asked >= now + _LONGEST:
        raise invalid(f"{place}: must be less than 20 hours in the future\n")
    return asked


def _mask(text: str) -> tuple[str, ...]:
    """The paths of a field mask, in camelCase; as deep as the messages are known."""
    paths: list[str] = []
    for given in filter(None, (one.strip() for one in text.split(","))):
        names = [camel(name) for name in given.split(".")]
        kind = "BidiGenerateContentSetup"
        for name in names:
            if kind not in FIELDS:
                break
            if name not in FIELDS[kind]:
                raise invalid(f"* CreateAuthTokenRequest.auth_token.field_mask: unknown path {given}\n")
            kind = FIELDS[kind][name].strip("[]")
        paths.append(".".join(names))
    return tuple(paths)


ROUTES = (Route("POST", "auth_tokens", create),)
