"""A place for uploads, in a process of its own, that keeps of the bytes what Google gives back of them: their digest.

It speaks the resumable protocol of the Files API, one upload at a time, and takes anything at `/raw`.

    sink.py MIB_PER_SECOND DELAY    reads no faster than a line of that speed (0: as fast as it can), answers so many
                                    seconds late, as a server does that is some way off

Prints its port and serves until its stdin is closed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys

BUFFER = 256 * 1024
MIB = 1024 * 1024
SLACK = 0.001  # seconds that the line catches up after a pause
SPEED, DELAY = (float(one) for one in (*sys.argv[1:], "0", "0")[:2])


def _answer(body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    kind = "content-type: application/json\r\n" if body else ""
    return f"HTTP/1.1 200 OK\r\n{kind}{''.join(lines)}content-length: {len(body)}\r\n\r\n".encode() + body


FILE = {"name": "files/sink", "uri": "https://sink.example/files/sink", "mimeType": "video/mp4", "state": "ACTIVE"}


class Connection(asyncio.BufferedProtocol):
    """One kept-alive connection."""

    digest = hashlib.sha256()  # of the upload that is under way

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(BUFFER))
        self.head = bytearray()
        self.missing = 0
        self.command = ""
        self.line = 0.0  # up to when the line is busy with what has come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if SPEED:
            loop = asyncio.get_running_loop()
            self.line = max(self.line, loop.time() - SLACK) + nbytes / MIB / SPEED
            if self.line > loop.time():
                self.transport.pause_reading()
                loop.call_at(self.line, self._go_on)
        at = 0
        while at < nbytes:
            if not self.missing:
                self.head += self.buffer[at:nbytes]
                end = self.head.find(b"\r\n\r\n")
                if end < 0:
                    return
                at = nbytes - (len(self.head) - end - 4)
                self._read(self.head[:end].decode("latin-1"))
                self.head.clear()
            taken = min(self.missing, nbytes - at)
            Connection.digest.update(self.buffer[at : at + taken])
            self.missing -= taken
            self.size += taken
            at += taken
            if not self.missing:
                self._reply()

    def _go_on(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def _read(self, head: str) -> None:
        line, *rest = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        self.target = line.split(" ")[1]
        self.host = headers.get("host", "")
        self.command = headers.get("x-goog-upload-command", "")
        self.offset = int(headers.get("x-goog-upload-offset", 0))
        self.missing = int(headers.get("content-length", 0))
        self.size = 0

    def _reply(self) -> None:
        asyncio.get_running_loop().call_later(DELAY, self.transport.write, self._answered())

    def _answered(self) -> bytes:
        end = str(self.offset + self.size)
        if self.command == "start":
            Connection.digest = hashlib.sha256()
            url = f"http://{self.host}/upload/v1beta/files?upload_id=sink-session-0123456789"
            return _answer(
                x_goog_upload_status="active", x_goog_upload_url=url, x_goog_upload_chunk_granularity="262144"
            )
        if "finalize" in self.command:
            digest = base64.b64encode(Connection.digest.hexdigest().encode()).decode()
            body = json.dumps({"file": {**FILE, "sizeBytes": end, "sha256Hash": digest}}).encode()
            return _answer(body, x_goog_upload_status="final", x_goog_upload_size_received=end)
        if self.command:
            return _answer(x_goog_upload_status="active", x_goog_upload_size_received=end)
        return _answer(b"{}")


async def main() -> None:
    """Serve until stdin is closed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
