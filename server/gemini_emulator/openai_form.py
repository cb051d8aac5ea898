"""A `multipart/form-data` body as the object that the same fields would be in JSON.

Source: RFC 7578. A field with a file name is a file: an object of `filename`, `content_type` and `data` in base64.
"""

from __future__ import annotations

import base64
import re

from .wire import Object

_BOUNDARY = re.compile(r'(?i)^multipart/form-data\s*;.*\bboundary=("?)([^";]{1,70})\1')
_NAME = re.compile(r'(?i)\bname="([^"]*)"')
_FILE = re.compile(r'(?i)\bfilename="([^"]*)"')
_TYPE = re.compile(r"(?im)^content-type:\s*(\S+)")


def is_form(content_type: str) -> bool:
    """Whether a body is such a form."""
    return content_type.lower().startswith("multipart/form-data")


def form_of(content_type: str, raw: bytes | bytearray) -> Object:
    """The fields of a form; the last one counts where a name comes twice.

    Raises:
        ValueError: it cannot be taken apart.
    """
    found = _BOUNDARY.search(content_type)
    pieces = (b"\r\n" + raw).split(b"\r\n--" + found[2].encode())[1:] if found else []
    if not pieces or not pieces[-1].startswith(b"--"):
        raise ValueError("the form has no boundary, or does not end with one")
    fields: Object = {}
    for piece in pieces[:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = head.decode("utf-8", "replace")
        name = _NAME.search(re.sub(r'(?i)filename="[^"]*"', "", headers))
        if name is None:
            raise ValueError("a part of the form has no name")
        file, kind = _FILE.search(headers), _TYPE.search(headers)
        fields[name[1]] = data.decode("utf-8", "replace") if file is None else {
            "filename": file[1],
            "content_type": kind[1].partition(";")[0] if kind else "application/octet-stream",
            "data": base64.b64encode(data).decode(),
        }  # fmt: skip
    return fields
