"""All files of one emulator: those that were uploaded or registered, beside those that its models made.

An uploaded recording, film or PDF is PROCESSING at first and becomes ACTIVE after a number of reads, so that tests
need no waiting; whoever does not read it but waits finds it ready after ten seconds. Source: "Files" of the API
reference, "Files API" of the guides, and the messages of the live service.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from .errors import ApiError, invalid
from .file_making import READ, STORAGE, Kept, Usable, Whole, full, kept_of, resource_of
from .generated_files import KEPT, Content, GeneratedFiles
from .measuring import duration
from .store import Clock, timestamp, utc_now
from .upload_session import Received
from .wire import Object

_GCS = re.compile(r"gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/[^\s]+")


class Files(GeneratedFiles):
    """The files of one emulator.

    Args:
        clock: what their expiry goes by.
        storage: how many bytes may be uploaded in all.
    """

    def __init__(self, clock: Clock = utc_now, storage: int = STORAGE) -> None:
        super().__init__(clock)
        self._storage = storage
        self._kept: dict[str, Kept] = {}

    def upload(self, received: Received, described: Object, base_url: str, *, raw_digest: bool = False) -> Object:
        """Keep an upload that is complete.

        Args:
            received: the bytes.
            described: the `File` that the client sent.
            base_url: where the emulator is reached, with the API version.
            raw_digest: whether the digest is given as base64 of its bytes, and not of its hexadecimal form.

        Raises:
            ApiError: 409 for a name that is taken, 429 when there is no room.
        """
        expires = timestamp(self._clock() + KEPT)
        resource = {**resource_of(received, described, raw_digest=raw_digest), "expirationTime": expires}
        kept = kept_of(received, resource, self._clock())
        with self._lock:
            self._sweep()
            if sum(one.blob.size for one in self._kept.values()) + kept.blob.size > self._storage:
                raise full(self._storage)
            name = self._named(resource, described.get("name", ""), base_url)
            self._kept[name] = kept
            return self._look(name)

    def describe(self, described: Object, base_url: str) -> Object:
        """A file of which only the description was sent; it has no bytes and no type.

        Raises:
            ApiError: 409 for a name that is taken.
        """
        resource: Object = {"expirationTime": timestamp(self._clock() + KEPT), "state": "ACTIVE", "source": "UPLOADED"}
        if "displayName" in described:
            resource["displayName"] = described["displayName"]
        with self._lock:
            return self._store.get(self._named(resource, described.get("name", ""), base_url))

    def register(self, uris: list[str], base_url: str) -> list[Object]:
        """Make files of objects in Cloud Storage, all or none; their bytes stay where they are.

        Raises:
            ApiError: 400 for an address that is not one of Cloud Storage.
        """
        for uri in uris:
            if not _GCS.fullmatch(uri):
                raise invalid(f"* RegisterFilesRequest.uris: {uri!r} is not of the form gs://bucket/object.\n")
        files: list[Object] = []
        for uri in uris:
            guessed = mimetypes.guess_type(uri)[0]
            resource: Object = {"state": "ACTIVE", "source": "REGISTERED", **({"mimeType": guessed} if guessed else {})}
            with self._lock:
                files.append(self._store.get(self._named(resource, "", base_url)))
        return files

    def get(self, name: str) -> Object:
        """The `File` resource; a file that is PROCESSING comes one read nearer to its end.

        Raises:
            ApiError: 403 for a file that is unknown or has expired; Google does not say which.
        """
        with self._lock, _discreet(name):
            found = self._look(name)
            if name in self._kept:
                self._kept[name].polls = max(0, self._kept[name].polls - 1)
            return found

    def content(self, name: str) -> tuple[Object, Content]:
        """The resource and all bytes of a file; this is no read. What was only registered has none.

        Raises:
            ApiError: as `get`.
        """
        with self._lock, _discreet(name):
            file = self._look(name)
            kept, content = self._kept.get(name), self._contents.get(name)
            whole = kept.blob.read(0, kept.blob.size) if kept else b""
        return file, content or Whole(whole, len(whole))

    def check_download(self, name: str) -> None:
        """Refuse to hand out a file that no model made.

        Raises:
            ApiError: as `get`; 400 for such a file.
        """
        with self._lock, _discreet(name):
            source: str = self._store.get(name)["source"]
        if source != "GENERATED":
            raise invalid(f"The File {_ident(name)} cannot be downloaded: only generated files can be.")

    def grow(self, name: str, size: int) -> None:
        """Make a generated file larger; others stay as they are.

        Raises:
            ApiError: as `get`.
        """
        with self._lock, _discreet(name):
            generated = self._store.get(name)["source"] == "GENERATED"
        if generated:
            super().grow(name, size)

    def usable(self, name: str) -> Usable:
        """A file for a prompt.

        Raises:
            ApiError: as `get`; 400 for one that is not ACTIVE.
        """
        with self._lock, _discreet(name):
            file = self._look(name)
            kept, content = self._kept.get(name), self._contents.get(name)
        if file["state"] != "ACTIVE":
            message = f"The File {_ident(name)} is not in an ACTIVE state and usage is not allowed."
            raise ApiError(400, message, name="FAILED_PRECONDITION")
        mime_type: str = file.get("mimeType", "")
        if kept is None:
            # What was only described has no bytes; what was registered has them elsewhere.
            return Usable(mime_type, content.data if content else None if file["source"] == "REGISTERED" else b"")
        long = kept.seconds and kept.blob.size > READ
        return Usable(mime_type, None if long else kept.blob.read(0, READ), kept.seconds)

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a text file of any size, without their ends.

        Raises:
            ApiError: as `usable`.
        """
        self.usable(name)
        with self._lock:
            kept, content = self._kept.get(name), self._contents.get(name)
        rest = b""
        for piece in kept.blob.pieces() if kept else [content.data] if content else []:
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest

    def list_page(self, page_size: int | None, page_token: str) -> tuple[list[Object], str]:
        """One page of resources, and the token of the next; this is no read."""
        with self._lock:
            files, token = self._store.list_page(page_size, page_token)
            return [self._look(file["name"]) for file in files], token

    def delete(self, name: str) -> None:
        """Remove a file.

        Raises:
            ApiError: as `get`.
        """
        with self._lock, _discreet(name):
            self._store.delete(name)
            self._sweep()

    def close(self) -> None:
        """Let go of all bytes."""
        for kept in self._kept.values():
            kept.blob.close()

    def _look(self, name: str) -> Object:
        """The resource as it is now."""
        file, kept = self._store.get(name), self._kept.get(name)
        if kept is None or file["state"] != "PROCESSING":
            return file
        if kept.polls > 0 and (kept.ready is None or self._clock() < kept.ready):
            return file
        if kept.failure:
            return self._store.set(name, state="FAILED", error=kept.failure)
        measured = {"videoMetadata": {"videoDuration": duration(kept.film)}} if kept.film else {}
        return self._store.set(name, state="ACTIVE", **measured)

    def _named(self, resource: Object, wanted: str, base_url: str) -> str:
        """Add a resource; its name."""
        self._sweep()
        try:
            name: str = self._store.create(resource, ident=_ident(wanted))["name"]
        except ApiError:
            raise ApiError(409, f"{_ident(wanted)} already exists.", name="ALREADY_EXISTS") from None
        self._store.set(name, uri=f"{base_url}/{name}")
        return name

    def _sweep(self) -> None:
        """Give up the bytes of files that are gone."""
        alive = self._store.names()
        for name in self._contents.keys() - alive:
            del self._contents[name]
        for name in self._kept.keys() - alive:
            self._kept.pop(name).blob.close()


@contextmanager
def _discreet(name: str) -> Generator[None]:
    """Word a refusal as Google does: without telling whether the file exists."""
    try:
        yield
    except ApiError as error:
        if error.status != 403:
            raise
        message = f"You do not have permission to access the File {_ident(name)} or it may not exist."
        raise ApiError(403, message) from None


def _ident(name: str) -> str:
    return name.removeprefix("files/")
