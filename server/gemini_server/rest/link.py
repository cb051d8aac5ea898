"""Links in answers: what names a file that Gemini made, turned into the URL that is asked for it.

Four forms come: a URL of the API (`https://generativelanguage.googleapis.com/v1beta/files/ID:download?alt=media`), a
signed URL of another Google host, and a bare resource name (`files/ID`, or a file in a workspace, quoted:
`environments/ID/files/a%20b`); and of the Enterprise backend an object in Cloud Storage (`gs://bucket/object`), which
is asked for over its JSON API. A URL of the API is asked of the base URL, under its path prefix: behind a gateway
Google's own host may be out of reach, and it would not know the gateway's credential. No other host is ever rewritten.

Whether the URL may be asked at all, and with the key, is decided by `redirect.Gate`, before anything is connected.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import httpx2

from gemini_server.errors import ArgumentError, BadAnswer

from .config import VERSION
from .redirect import OBJECTS
from .route import Routes, check_name, check_path

GOOGLE = "generativelanguage.googleapis.com"
"""The one host whose links are asked of the base URL instead."""

_LONGEST = 16_384  # a signed URL has a few thousand characters
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # ASCII without spaces, control characters and the backslash
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//")
_NAME = re.compile(rf"/?(?P<before>(?:download/)?{VERSION}/)?(?P<name>[^?:]+)(?P<verb>:download)?(?:\?alt=media)?")
_FILE = re.compile(rf"/(?:download/)?{VERSION}/(?:files|generatedFiles)/[\w.\-]+(?::download)?", re.ASCII)
_WORKSPACE = re.compile(r"(?P<environment>environments/[\w.\-]+)/files/(?P<path>[^?#]+)", re.ASCII)
_OBJECT = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])/(?P<path>\S{1,1024})", re.ASCII)
_DOTS = re.compile(r"/(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)


class Links:
    """Resolves the links of one client.

    Args:
        home: the base URL.
        routes: its prefix and API version.
        storage: where the objects are that are named `gs://bucket/object`; empty where they cannot be had.
    """

    def __init__(self, home: httpx2.URL, routes: Routes, storage: str = "") -> None:
        self._home = home
        self._storage = storage
        self._root = routes.root
        self._prefix = httpx2.URL(routes.root).raw_path.decode("ascii").rstrip("/")
        self._version = routes.version

    def url(self, uri: str) -> httpx2.URL:
        """The URL behind a link; `alt=media` is added where the API would answer with a description of the file.

        Args:
            uri: a URL, or a resource name with or without API version and `:download`.

        Raises:
            BadAnswer: it is neither.
        """
        if len(uri) > _LONGEST or not _PLAIN.fullmatch(uri):
            raise _bad("it is no plain URL")
        if stored := _OBJECT.fullmatch(uri):
            return self._object(stored["bucket"], stored["path"])
        if not _URL.match(uri):
            return httpx2.URL(self._named(uri))
        try:
            url = httpx2.URL(uri).copy_with(fragment=None)
        except (httpx2.InvalidURL, ValueError) as exc:
            raise _bad("it is no URL") from exc
        if url.scheme not in ("http", "https") or not url.host:
            raise _bad("it is no URL of the web")
        if url.scheme == "https" and url.port == 443:
            url = url.copy_with(port=None)
        if _DOTS.search(uri.partition("?")[0]):
            raise _bad("its path climbs")
        path = url.raw_path.decode("ascii")
        if (url.scheme, url.host, url.port) == ("https", GOOGLE, None):
            return _media(httpx2.URL(f"{self._root}{path}"), path)
        if (url.scheme, url.host, url.port) == (self._home.scheme, self._home.host, self._home.port):
            return _media(url, path.removeprefix(self._prefix))
        return url

    def _object(self, bucket: str, path: str) -> httpx2.URL:
        if not self._storage:
            raise _bad("it lies in Cloud Storage, to which this server has no access")
        return httpx2.URL(f"{self._storage}{OBJECTS}{bucket}/o/{quote(path, safe='')}?alt=media")

    def _named(self, uri: str) -> str:
        inside = _WORKSPACE.fullmatch(uri)
        if inside:
            environment = check_name("uri", inside["environment"])
            path = check_path("uri", unquote(inside["path"]))
            return f"{self._root}/{self._version}/{environment}/files/{path}?alt=media"
        found = _NAME.fullmatch(uri)
        try:
            name = check_name("uri", found["name"]) if found else ""
        except ArgumentError:
            name = ""
        if not found or not name:
            raise _bad("it is no name of a file")
        return f"{self._root}/{found['before'] or f'{self._version}/'}{name}{found['verb'] or ''}?alt=media"


def _media(url: httpx2.URL, path: str) -> httpx2.URL:
    path = path.partition("?")[0]
    return url.copy_merge_params({"alt": "media"}) if _FILE.fullmatch(path) and "alt" not in url.params else url


def _bad(why: str) -> BadAnswer:
    return BadAnswer(
        f"The link to a file is not one that this server follows: {why}. Nothing was sent.",
        "If the link came from Gemini, this server may be older than the API: update it.",
        code="bad_link",
    )
