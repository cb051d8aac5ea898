"""The environment that an agent works in, and the definitions of the user's agents: where the two families meet.

Source: "Agent environments" and "Managed agents" of the Gemini API: `environment` is `remote` for a new one, the id of
one that exists, or a description; a turn that names none goes on in that of the turn before.
"""

from __future__ import annotations

from collections.abc import Callable

from .environment_rules import check_environment, files_of
from .exchange import Service
from .interaction_errors import InteractionError
from .interaction_store import Interaction
from .wire import Object, is_object

_NEW = "remote"


def definition_of(service: Service, ident: str) -> Object | None:
    """The definition of a user's agent, its `base_agent` being one of Google's; None when there is no such agent."""
    try:
        found = service.agents.get(ident)
    except InteractionError:
        return None
    return {**found, "base_agent": service.agents.base_of(ident)}


def environment_of(service: Service, body: Object, previous: Interaction | None) -> Callable[[], str]:
    """What opens the environment for a turn and gives its id; a new one is made only then.

    Raises:
        InteractionError: 404 for one that does not exist, 400 for one that has expired or a description that makes no
            sense.
    """
    given: object = body.get("environment", previous.environment if previous else "") or _NEW
    described: Object = given if is_object(given) else {}
    check_environment(described, service.credentials, "environment")
    files = files_of(described.get("sources", []))
    named = given if isinstance(given, str) and given != _NEW else described.get("environment_id", "")
    ident = str(named).removeprefix("environments/")
    if not ident:
        settings: Object = {name: described[name] for name in ("network", "sources") if name in described}
        return lambda: str(service.environments.create(settings, files)["id"])
    # Looking at the files is a use, which an expired environment refuses.
    service.environments.listing(ident, "", recursive=False)

    def reopened() -> str:
        if files:
            service.environments.put(ident, files, overwrite=True)
        return ident

    return reopened
