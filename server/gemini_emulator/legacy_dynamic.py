"""`dynamic/{id}:generateContent`: a model by a name that is looked up with each call.

The API reference does not say what such a name may be; here it is the id of a model. Source: the `dynamic` bindings of
`generateContent` and `streamGenerateContent` in the v1beta discovery document.
"""

from __future__ import annotations

from .exchange import Route
from .model_service import generate_content, stream_generate_content

ROUTES = (
    Route("POST", "dynamic/{model}:generateContent", generate_content, slow=True),
    Route("POST", "dynamic/{model}:streamGenerateContent", stream_generate_content, slow=True),
)
