"""The path of a method that is called by name, from what a caller says of it.

models.generateContent                 "gemini-3.8-flash", "models/gemini-3.8-flash", {"model": "gemini-3.8-flash"}
corpora.documents.list                 "corpora/a", {"corpus": "a"}, {"parent": "corpora/a"}
fileSearchStores.documents.get         "fileSearchStores/s/documents/d", {"fileSearchStore": "s", "document": "d"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gemini_server.api.reference import Method
from gemini_server.errors import ArgumentError
from gemini_server.rest.route import FilePath, check_name, check_path

_ANY_ID = r"[^/:]+"
_LONG = ("path", "blob", "operation")
"""The parameters that may have slashes in them."""


def path_of(method: Method, said: str | Mapping[str, str] | None) -> dict[str, str]:
    """The values of the parameters of a method's path.

    Args:
        method: the method.
        said: a resource name, or a value for each parameter, or a resource name under a key such as `name`, `parent`.

    Raises:
        ArgumentError: one is missing, unknown, or not of the form that the path has.
    """
    wanted = method.parameters
    if not said:
        if wanted:
            raise ArgumentError(f"{method.name} needs a path: {_form(method)}.", _example(method))
        return {}
    if not wanted:
        raise ArgumentError(f"{method.name} has no parameters in its path {_form(method)}.", "Leave path out.")
    if isinstance(said, str):
        return _checked(_taken_apart(method, said))
    if set(said) != set(wanted) and len(said) == 1:
        return _checked(_taken_apart(method, next(iter(said.values()))))
    unknown, missing = sorted(set(said) - set(wanted)), [name for name in wanted if name not in said]
    if unknown or missing:
        what = f"does not take {', '.join(unknown)}" if unknown else f"needs {', '.join(missing)}"
        raise ArgumentError(f"The path of {method.name} {what}.", _example(method))
    collections = _collections(method)
    values = {name: said[name].strip().removeprefix(f"{collections[name]}/") for name in wanted}
    for name, value in values.items():
        if name not in _LONG and not re.fullmatch(_ANY_ID, value):
            raise ArgumentError(
                f"{value[:80]!r} is no {name}: it is an id, without a slash or colon.", _example(method)
            )
    return _checked(values)


def _checked(values: dict[str, str]) -> dict[str, str]:
    """The values as a URL takes them; in a workspace files may have any name, and its root has none."""
    for name, value in values.items():
        if name == "path":
            check_path(name, value)
        else:
            check_name(name, value)
    return {name: FilePath(value) if name == "path" else value for name, value in values.items()}


def _taken_apart(method: Method, said: str) -> dict[str, str]:
    name = said.strip().strip("/")
    if method.parameters[-1] == "path" and re.fullmatch(r"environments/[^/:]+/files", name):
        name += "/"
    wanted = method.parameters
    form = _resource(method)
    pattern = re.escape(form)
    for parameter in wanted:
        inside = ".*" if parameter == "path" else ".+" if parameter in _LONG else _ANY_ID
        pattern = pattern.replace(re.escape(f"{{{parameter}}}"), f"(?P<{parameter}>{inside})")
    found = re.fullmatch(pattern, name)
    if found:
        return found.groupdict()
    if len(wanted) == 1 and re.fullmatch(_ANY_ID, name):
        return {wanted[0]: name}
    raise ArgumentError(f"{name[:80]!r} is not of the form {form}, which {method.name} needs.", _example(method))


def _resource(method: Method) -> str:
    """The path as far as the last parameter: what Google calls the name of the resource."""
    path = method.path.partition("{version}/")[2]
    return path[: path.rindex("}") + 1]


def _form(method: Method) -> str:
    return method.path.partition("{version}/")[2].partition(":")[0]


def _collections(method: Method) -> dict[str, str]:
    parts = _resource(method).split("/")
    return {part[1:-1]: parts[at - 1] for at, part in enumerate(parts) if part.startswith("{")}


def _example(method: Method) -> str:
    if not method.parameters:
        return "Leave path out."
    members = ", ".join(f'"{name}": "…"' for name in method.parameters)
    return f'Give path as "{_resource(method)}" with the ids in place, or as {{{members}}}.'
