"""A file that another request refers to by its name: the input of a batch, or what is imported into a store.

Source: "Files" of the API reference, and the messages of the live service.
"""

from __future__ import annotations

from .errors import ApiError
from .exchange import Service
from .wire import Object


def active_file(service: Service, name: str) -> tuple[Object, bytes]:
    """The `File` resource and its bytes.

    Raises:
        ApiError: 403 for a file that is unknown or has expired, 400 for one that is not, or not yet, ACTIVE.
    """
    ident = name.removeprefix("files/")
    try:
        file, content = service.files.content(name)
    except ApiError as error:
        if error.status != 403:
            raise
        raise ApiError(403, f"You do not have permission to access the File {ident} or it may not exist.") from None
    if file.get("state") != "ACTIVE":
        message = f"The File {ident} is not in an ACTIVE state and usage is not allowed."
        raise ApiError(400, message, name="FAILED_PRECONDITION")
    return file, content.part(0, content.size)
