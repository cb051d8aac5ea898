"""Reading files that a model names: what gets through, and what must not."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemini_server.errors import FileRefused, UnsafeSetting
from gemini_server.rest.body import MediaSource
from gemini_server.toolkit.disk import AllowedDirectories
from gemini_server.toolkit.open_file import OpenFile
from gemini_server.toolkit.paths import Spelling, spell
from gemini_server.toolkit.walk import Wanted, open_by_name

pytestmark = pytest.mark.anyio

CANARY = b"CANARY-3f1c-must-never-be-read"
INSIDE = b"an ordinary file\n"
LIMIT = 1 << 20
OUTSIDE = "outside the allowed directories"
LINK = "symbolic link"
CREDENTIAL = "--allow-sensitive"
# fmt: off
SENSITIVE_NAMES = [
    ".env", ".env.local", ".ENV", ".envrc", "id_ed25519", "id_github",
    "id_rsa.bak", "service-account.json", "Service_Account-7.JSON", "a.pem", "TLS.KEY", "a.p12",
    "a.pfx", "a.jks", "a.kdbx", "aws-credentials.csv", ".netrc", ".npmrc",
    ".pypirc", ".git-credentials", "login.keychain-db", ".ssh/config", ".AWS/config", ".gnupg/a",
    ".azure/a", ".kube/config", ".docker/config.json", ".config/gcloud/a",
]
# fmt: on


@dataclass
class Place:
    """An allowed directory `data` with everything in it that must be refused, and canaries around it."""

    top: Path
    home: Path
    root: Path
    outside: Path
    disk: AllowedDirectories

    def path(self, template: str) -> str:
        return template.format(top=self.top, home=self.home, root=self.root, outside=self.outside)


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def furnish(top: Path) -> Place:
    home, root, outside = top / "home", top / "data", top / "outside"
    secret = write(outside / "secret.txt", CANARY)
    write(home / ".ssh" / "id_rsa", CANARY)
    write(home / ".aws" / "credentials", CANARY)
    write(top / "data-evil" / "x", CANARY)
    for name in ("ok.txt", "sub/deep.txt", "id_rsa.pub", "id_card.png", "100%.txt", "~$draft.txt", "keys.txt"):
        write(root / name, INSIDE)
    for name in SENSITIVE_NAMES:
        write(root / name, CANARY)
    write(root / "notes.txt", b"# mine\n-----BEGIN OPENSSH PRIVATE KEY-----\n" + CANARY)
    write(root / "bot.json", b'{"type": "service_account", "private_key" : "' + CANARY + b'"}')
    write(root / "empty.png", b"")
    with (root / "huge.mp4").open("wb") as file:
        file.truncate(2**31 + 1)
    (root / "link.txt").symlink_to(secret)
    (root / "inner-link.txt").symlink_to(root / "ok.txt")
    (root / "folder-link").symlink_to(outside)
    (root / "chain1").symlink_to("chain2")
    (root / "chain2").symlink_to("chain3")
    (root / "chain3").symlink_to(secret)
    (root / "loop").symlink_to("loop")
    (root / "zero").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe")
    return Place(top, home, root, outside, AllowedDirectories([root], refused=[root / "state", root / "server.toml"]))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = furnish(tmp_path)
    monkeypatch.setenv("HOME", str(place.home))
    return place


async def read(disk: AllowedDirectories, path: str, max_bytes: int = LIMIT) -> bytes:
    async with await disk.open(path, max_bytes=max_bytes) as file:
        return b"".join([chunk async for chunk in file.chunks(65536)])


async def refusal(disk: AllowedDirectories, path: str, max_bytes: int = LIMIT) -> str:
    """The text of the refusal; checks what every refusal has in common."""
    start = time.monotonic()
    with pytest.raises(FileRefused) as caught:
        await read(disk, path, max_bytes)
    text = str(caught.value)
    assert time.monotonic() - start < 2
    assert caught.value.what
    assert caught.value.remedy
    assert CANARY.decode() not in "".join(traceback.format_exception(caught.value))
    assert "Traceback" not in text
    assert "Errno" not in text
    assert text.isprintable()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return text


ATTACKS = [
    ("1 an absolute path outside", "/etc/passwd", OUTSIDE),
    ("1 the canary itself", "{outside}/secret.txt", OUTSIDE),
    ("1 nothing there outside", "{outside}/no-such-file", OUTSIDE),
    ("2 dots to the top", "../../../../etc/passwd", OUTSIDE),
    ("2 dots in the middle", "sub/../../outside/secret.txt", OUTSIDE),
    ("2 dots that stay inside", "sub/../ok.txt", OUTSIDE),
    ("2 dots after the root", "{root}/../outside/secret.txt", OUTSIDE),
    ("3 home", "~/.ssh/id_rsa", "taken literally"),
    ("3 home of a user", "~root/.ssh/id_rsa", "taken literally"),
    ("3 variable", "$HOME/.aws/credentials", "taken literally"),
    ("3 variable in braces", "${{HOME}}/.aws/credentials", "taken literally"),
    ("3 home written out", "{home}/.ssh/id_rsa", OUTSIDE),
    ("3 pattern", "*.txt", "taken literally"),
    ("4 a directory with the same beginning", "{top}/data-evil/x", OUTSIDE),
    ("5 link to a file", "link.txt", LINK),
    ("5 link to a file, absolute", "{root}/link.txt", LINK),
    ("5 link that stays inside", "inner-link.txt", LINK),
    ("5 link to itself", "loop", LINK),
    ("6 link to a directory", "folder-link/secret.txt", LINK),
    ("6 the linked directory itself", "folder-link", LINK),
    ("7 chain of three links", "chain1", LINK),
    ("11 NUL byte", "ok.txt\0/../../x", "NUL byte"),
    ("11 line break", "ok.txt\nx", "control character"),
    ("11 escape sequence", "\x1b[2Jok.txt", "control character"),
    ("11 separator", "ok\u2028.txt", "control character"),
    ("12 file URL", "file:///etc/passwd", "Give a plain path"),
    ("12 file URL with host", "file://localhost/etc/passwd", "Give a plain path"),
    ("12 file URL in capitals", "FILE:/etc/passwd", "Give a plain path"),
    ("12 file URL after a space", " File:///etc/passwd", "Give a plain path"),
    ("12 other URL", "ftp://example.org/x", "Give a plain path"),
    ("13 percent-encoded", "%2e%2e/%2fetc/passwd", "There is no file"),
    ("13 percent-encoded dots", "%2e%2e%2foutside%2fsecret.txt", "taken literally"),
    ("14 fullwidth dots", "．．/outside/secret.txt", "imitate dots"),
    ("14 fullwidth dots and slash", "．．／outside", "imitate dots"),
    ("14 two dot leader", "‥/outside", "imitate dots"),
    ("14 overlong dots", "\udcc0\udcae\udcc0\udcae/outside", "not valid Unicode"),
    ("14 backslash", "..\\outside\\secret.txt", "backslash"),
    ("14 drive", "C:\\Windows\\win.ini", "Windows"),
    ("14 drive with slashes", "c:/Windows/win.ini", "Windows"),
    ("14 drive-relative", "C:foo", "Windows"),
    ("14 share", "\\\\srv\\share", "network path"),
    ("14 share with slashes", "//srv/share", "network path"),
    ("14 device NUL", "NUL", "device on Windows"),
    ("14 device con.png", "con.png", "device on Windows"),
    ("14 device in a folder", "sub/Aux.tar.gz", "device on Windows"),
    ("14 device with superscript", "COM¹", "device on Windows"),
    ("15 environment", "/proc/self/environ", "never read"),
    ("15 descriptor", "/proc/self/fd/3", "never read"),
    ("15 zeros", "/dev/zero", "never read"),
    ("15 system settings", "/sys/kernel/mm/hugepages", "never read"),
    ("15 named pipe", "pipe", "named pipe"),
    ("15 directory", "sub", "is a directory"),
    ("15 the root", "{root}", "is a directory"),
    ("15 the root as a dot", ".", "is a directory"),
    ("15 link to a device", "zero", LINK),
    ("18 nothing in it", "empty.png", "0 bytes"),
    ("18 too large", "huge.mp4", f"2147483649 bytes; {LIMIT}"),
    ("19 path of 5,000 characters", "a/" * 2500, "has 5000 bytes; 4096"),
    ("19 name of 300 bytes", "b" * 300, "has 300 bytes"),
    ("19 name of 300 bytes in 100 characters", "\u20ac" * 100, "has 300 bytes"),
    ("19 lone surrogate", "ok\udcff.txt", "not valid Unicode"),
    ("empty", "", "is empty"),
    ("blank", "  ", "is empty"),
    ("not there", "no/such.txt", "There is no file"),
    ("a file as a directory", "ok.txt/x", "There is no file"),
]
SENSITIVE = [*SENSITIVE_NAMES, "notes.txt", "bot.json"]


@pytest.mark.parametrize(("path", "expected"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
async def test_an_attack_is_refused_with_a_text_that_helps(place: Place, path: str, expected: str) -> None:
    given_path = place.path(path)
    text = await refusal(place.disk, given_path)
    assert expected in text
    rest = text.replace(given_path, "").replace(str(place.root), "")
    assert str(place.top) not in rest


@pytest.mark.parametrize("name", SENSITIVE)
async def test_credentials_inside_an_allowed_directory_are_refused(place: Place, name: str) -> None:
    assert CREDENTIAL in await refusal(place.disk, name)
    assert CREDENTIAL in await refusal(place.disk, f"{place.root}/{name}")


async def test_a_credential_is_refused_before_anyone_learns_whether_it_exists(place: Place) -> None:
    (place.root / "sub" / ".env").symlink_to(place.outside / "secret.txt")
    there, not_there = await refusal(place.disk, "sub/.env"), await refusal(place.disk, "sub/deeper/.env")
    assert there == not_there


async def test_every_credential_is_read_when_the_operator_allows_it(place: Place) -> None:
    disk = AllowedDirectories([place.root], allow_sensitive=True)
    for name in SENSITIVE:
        assert CANARY in await read(disk, name)
    assert "never read" in await refusal(disk, "/proc/self/environ")


async def test_what_lies_outside_gives_the_same_text_whether_or_not_it_exists(place: Place) -> None:
    there = await refusal(place.disk, f"{place.outside}/secret.txt")
    assert there.replace("secret.txt", "nothing.md") == await refusal(place.disk, f"{place.outside}/nothing.md")
    assert "--allow-dir DIR" in there


async def test_a_socket_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.root)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("sock")
        assert "is a socket" in await refusal(place.disk, "sock")


async def test_a_device_file_inside_an_allowed_directory_is_refused(place: Place) -> None:
    try:
        os.mknod(place.root / "zeros", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")
    assert "is a device" in await refusal(place.disk, "zeros")


async def test_without_allowed_directories_the_refusal_names_the_setting_and_the_alternatives() -> None:
    text = await refusal(AllowedDirectories([]), "/etc/passwd")
    for word in ("--allow-dir DIR", "https://", "gs://", "files/", "gemini://artifacts/", "data:"):
        assert word in text


async def test_the_servers_own_files_are_refused_under_every_name(place: Place) -> None:
    write(place.root / "state" / "ledger.db", CANARY)
    own = write(place.root / "server.toml", CANARY)
    (place.root / "innocent.txt").hardlink_to(own)
    for path in ("state/ledger.db", "STATE/ledger.db", "state/nothing", "server.toml", "innocent.txt", "state"):
        assert "belongs to this server" in await refusal(place.disk, path)


async def test_a_root_inside_the_servers_own_directory_is_refused(place: Place) -> None:
    disk = AllowedDirectories([place.root / "sub"], refused=[place.root])
    assert "belongs to this server" in await refusal(disk, "deep.txt")


@pytest.mark.parametrize("name", ["ok.txt", "./sub//deep.txt", "id_rsa.pub", "id_card.png", "100%.txt", "~$draft.txt"])
async def test_an_ordinary_file_is_read_by_relative_and_by_absolute_path(place: Place, name: str) -> None:
    assert await read(place.disk, name) == INSIDE
    assert await read(place.disk, f"{place.root}/{name}") == INSIDE


async def test_relative_paths_start_at_the_first_directory_only(place: Place) -> None:
    write(place.top / "second" / "b.txt", INSIDE)
    disk = AllowedDirectories([place.root, place.top / "second"])
    assert await read(disk, f"{place.top}/second/b.txt") == INSIDE
    assert f"Relative paths start at {place.root}" in await refusal(disk, "b.txt")


async def test_a_root_that_is_a_link_is_resolved_once_and_both_spellings_work(place: Place) -> None:
    alias = place.top / "alias"
    alias.symlink_to(place.root)
    disk = AllowedDirectories([alias])
    assert disk.roots == (place.root,)
    assert await read(disk, f"{alias}/ok.txt") == INSIDE
    assert await read(disk, f"{place.root}/ok.txt") == INSIDE
    alias.unlink()
    alias.symlink_to(place.outside)
    write(place.outside / "ok.txt", CANARY)
    assert await read(disk, f"{alias}/ok.txt") == INSIDE


async def test_a_root_replaced_by_a_link_later_is_noticed(place: Place) -> None:
    place.root.rename(place.top / "moved")
    place.root.symlink_to(place.outside)
    assert "no longer what it was" in await refusal(place.disk, "secret.txt")


async def test_a_root_made_anew_is_read(place: Place) -> None:
    place.root.rename(place.top / "moved")
    write(place.root / "new.txt", INSIDE)
    assert await read(place.disk, "new.txt") == INSIDE


@pytest.mark.parametrize("root", ["{top}/missing", "{root}/ok.txt", "{root}/loop", "/proc/self", "/dev"])
async def test_a_root_that_cannot_be_allowed_stops_the_start(place: Place, root: str) -> None:
    with pytest.raises(UnsafeSetting):
        AllowedDirectories([Path(place.path(root))])


async def test_a_file_that_the_system_protects_is_refused(place: Place) -> None:
    (place.root / "ok.txt").chmod(0)
    if os.access(place.root / "ok.txt", os.R_OK):
        pytest.skip("this user may read everything")
    assert "does not let this server read" in await refusal(place.disk, "ok.txt")


async def test_a_hard_link_is_read_and_leaves_a_trace(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """A residual risk, documented: nothing tells which of two names a file had first."""
    secret = place.outside / "secret.txt"
    secret.chmod(0o600)
    (place.root / "hard.txt").hardlink_to(secret)
    with caplog.at_level(logging.INFO, "gemini_server.toolkit.disk"):
        assert await read(place.disk, "hard.txt") == CANARY
    found = secret.stat()
    trace = caplog.text
    for word in ("hard.txt", f"{found.st_size} bytes", f"{found.st_dev}:{found.st_ino}", "2 link(s)"):
        assert word in trace
    assert CANARY.decode() not in trace


@contextmanager
def flipping(once: Callable[[], None]) -> Generator[list[int]]:
    """Repeats something in a thread while the block runs; counts how often."""
    stop, count = threading.Event(), [0]

    def work() -> None:
        while not stop.is_set():
            once()
            count[0] += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield count
    finally:
        stop.set()
        thread.join()


async def outcomes(place: Place, path: str, count: list[int]) -> tuple[int, int]:
    """How often the file was read and how often refused, while something flips."""
    seen, refused = 0, 0
    end = time.monotonic() + 20
    while (min(seen, refused) < 100 or count[0] < 10_000) and time.monotonic() < end:
        try:
            assert await read(place.disk, path) == INSIDE
            seen += 1
        except FileRefused:
            refused += 1
    return seen, refused


@pytest.mark.parametrize("other", ["link", "pipe"])
async def test_a_file_that_keeps_turning_into_something_else_yields_only_itself(place: Place, other: str) -> None:
    victim, spare = place.root / "victim.txt", place.root / "spare"

    def flip() -> None:
        spare.hardlink_to(place.root / "ok.txt")
        spare.replace(victim)
        if other == "link":
            spare.symlink_to(place.outside / "secret.txt")
        else:
            os.mkfifo(spare)
        spare.replace(victim)

    with flipping(flip) as count:
        seen, refused = await outcomes(place, "victim.txt", count)
    assert min(seen, refused) > 0


async def test_a_directory_that_keeps_turning_into_a_link_never_yields_the_link(place: Place) -> None:
    write(place.outside / "deep.txt", CANARY)
    folder, away, link = place.root / "sub", place.root / "away", place.root / "folder-link"

    def flip() -> None:
        folder.rename(away)
        link.rename(folder)
        folder.rename(link)
        away.rename(folder)

    with flipping(flip) as count:
        seen, refused = await outcomes(place, "sub/deep.txt", count)
    assert min(seen, refused) > 0


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, 3)


def rewrite(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("change", [grow, shrink, rewrite])
async def test_a_file_that_changes_while_it_is_read_is_refused(place: Place, change: Callable[[Path], None]) -> None:
    path = write(place.root / "film.txt", b"0123456789")
    os.utime(path, (0, 0))
    async with await place.disk.open("film.txt", max_bytes=LIMIT) as file:
        chunks = file.chunks(4)
        assert await anext(chunks) == b"0123"
        change(path)
        with pytest.raises(FileRefused, match="changed while it was being read"):
            await anext(chunks)
        with pytest.raises(FileRefused, match="changed while it was being read"):
            await file.read_text(LIMIT)


async def test_a_file_replaced_under_its_name_is_read_as_it_was(place: Place) -> None:
    async with await place.disk.open("ok.txt", max_bytes=LIMIT) as file:
        write(place.root / "other.tmp", CANARY).replace(place.root / "ok.txt")
        assert await file.read_text(LIMIT) == INSIDE.decode()


@pytest.mark.parametrize("size", [1, 7, 100, 512, 999, 1000, 1001])
async def test_chunks_have_exactly_the_size_asked_for_and_start_over_each_time(place: Place, size: int) -> None:
    content = os.urandom(1000)
    write(place.root / "data.bin", content)
    async with await place.disk.open("data.bin", max_bytes=1000) as file:
        source: MediaSource = file
        for _ in range(3):
            chunks = [chunk async for chunk in source.chunks(size)]
            assert b"".join(chunks) == content
            assert {len(chunk) for chunk in chunks[:-1]} <= {size}
            assert 0 < len(chunks[-1]) <= size


async def test_two_readers_at_once_do_not_disturb_each_other(place: Place) -> None:
    content = os.urandom(200_000)
    write(place.root / "data.bin", content)
    results: list[bytes] = []

    async def reader(file: OpenFile, size: int) -> None:
        results.append(b"".join([chunk async for chunk in file.chunks(size)]))

    async with await place.disk.open("data.bin", max_bytes=LIMIT) as file, anyio.create_task_group() as group:
        for size in (1000, 1777):
            group.start_soon(reader, file, size)
    assert results == [content, content]


async def test_an_open_file_tells_name_size_type_and_head(place: Place) -> None:
    content = b"\x89PNG\r\n\x1a\n" + bytes(20_000)
    write(place.root / "Screen\u202fshot.txt", content)
    async with await place.disk.open("Screen\u202fshot.txt", max_bytes=LIMIT) as file:
        assert (file.name, file.size, file.mime_type) == ("Screen_shot.txt", 20_008, "image/png")
        for n in (0, 8, 8192, 10_000, 30_000):
            assert await file.head(n) == content[:n]
        with pytest.raises(FileRefused, match="20008 bytes; as text, 100"):
            await file.read_text(100)
        with pytest.raises(FileRefused, match="not UTF-8 text"):
            await file.read_text(LIMIT)
        with pytest.raises(ValueError, match="at least one"):
            await anext(file.chunks(0))


async def test_a_closed_file_is_not_read_and_closes_again_quietly(place: Place) -> None:
    file = await place.disk.open("ok.txt", max_bytes=LIMIT)
    chunks = file.chunks(4)
    await anext(chunks)
    file.close()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        await anext(chunks)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of descriptors")
async def test_no_descriptor_stays_open_after_refusals_or_reads(place: Place) -> None:
    async def everything() -> None:
        for path in [row[1] for row in ATTACKS] + SENSITIVE + ["ok.txt"]:
            with suppress(FileRefused):
                await read(place.disk, place.path(path))
        await place.disk.open("ok.txt", max_bytes=LIMIT)  # dropped without being closed

    await everything()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    await everything()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


PIECES = ["..", ".", "", "ok.txt", "sub", "deep.txt", "link.txt", "folder-link", "secret.txt", "~", "%2e", "．．", "\0"]


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return furnish(tmp_path_factory.mktemp("fuzz"))


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    path=st.one_of(
        st.text(st.characters(exclude_categories=())),
        st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=6).map("/".join),
    ),
    absolute=st.booleans(),
)
def test_any_string_is_refused_or_is_a_file_inside(shared_place: Place, path: str, absolute: bool) -> None:
    whole = f"{shared_place.root}/{path}" if absolute else path
    with suppress(FileRefused):
        assert anyio.run(read, shared_place.disk, whole) == INSIDE


def allow_anything(_: object) -> None:
    """Refuses nothing."""


def wanted(place: Place, *parts: str) -> Wanted:
    return Wanted(place.root, parts, '"it"', "Look again.", allow_anything, allow_anything)


async def test_the_fallback_by_name_reads_what_is_inside(place: Place) -> None:
    descriptor = open_by_name(wanted(place, "sub", "deep.txt"))
    try:
        assert os.read(descriptor, 100) == INSIDE
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("link.txt",), LINK),
        (("folder-link", "secret.txt"), LINK),
        (("chain1",), LINK),
        (("pipe",), "named pipe"),
        (("sub",), "is a directory"),
        ((), "is a directory"),
        (("nothing",), "There is no file"),
    ],
)
async def test_the_fallback_by_name_refuses_what_leads_outside(
    place: Place, parts: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(FileRefused, match=expected):
        open_by_name(wanted(place, *parts))


async def test_the_fallback_by_name_looks_again_at_what_it_opened(place: Place) -> None:
    with pytest.raises(FileRefused, match=LINK):
        open_by_name(wanted(place, "ok.txt"), lambda _: place.outside / "secret.txt")


async def test_windows_paths_are_taken_apart_on_windows() -> None:
    assert spell("c:\\Users\\me\\a.png", windows=True) == Spelling("C:\\", ("Users", "me", "a.png"))
    assert spell("pictures\\a.png", windows=True) == Spelling("", ("pictures", "a.png"))
    for path in (
        "C:a.png",
        "\\\\srv\\share\\a",
        "\\Windows",
        "a.txt:stream",
        "a.txt.",
        "..\\a",
        "\\\\?\\C:\\a",
        "nul.txt",
    ):
        with pytest.raises(FileRefused):
            spell(path, windows=True)
