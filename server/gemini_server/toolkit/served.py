"""Models that Google has shut down are refused here, with their replacement, before anything is sent.

That holds for Google's own Developer API and for the embedded emulator, which stands in for it. Whatever else the base
URL names (a gateway, the Enterprise platform) may serve a model for longer: it is asked, and may refuse itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from gemini_server.errors import NotFound
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.runtime import Runtime

DEVELOPER_API = "generativelanguage.googleapis.com"


def check_served(where: Call | Runtime, model: str) -> None:
    """See that a model may still answer; one that Google answers for with another is no failure.

    Raises:
        NotFound: it was shut down; the message names what to use instead. Nothing was sent.
    """
    runtime = where.runtime if isinstance(where, Call) else where
    own = runtime.emulated or urlsplit(runtime.settings.base_url).hostname == DEVELOPER_API
    if not (own and runtime.backend.ends_models):
        return
    end = runtime.catalogue.retirement(model, runtime.today())
    if end is None or end.shutdown is None or end.shutdown > runtime.today() or end.rerouted_to:
        return
    remedy = f"Use {end.replacement} instead." if end.replacement else "list_models shows what this key can use."
    raise NotFound(f"Google has shut {end.id} down on {end.shutdown}; nothing was sent.", remedy, code="model_retired")
