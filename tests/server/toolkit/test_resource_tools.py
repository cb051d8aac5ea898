"""The factory of resource tools, for both families of the API, against a Gemini that says what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field, model_validator

from gemini_server.api.config import Written
from gemini_server.api.interaction_wire import DISCLOSED, Read, Secret, Told
from gemini_server.errors import ArgumentError, NotFound, QuotaExhausted, RequestRefused, ToolserverError
from gemini_server.redaction import redact
from gemini_server.rest.endpoint import Empty, Endpoint, JsonObject, Wire
from gemini_server.settings import Settings
from gemini_server.toolkit.call import Call
from gemini_server.toolkit.resource_tools import Name, ResourceTools
from gemini_server.toolkit.runtime import Runtime
from gemini_server.toolkit.toolset import Toolset
from tests.front.conftest import FakeGemini, Reply
from tests.server.toolkit.working import TODAY

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
Ask = Callable[..., Any]

TOOLSET = Toolset("made", "Tools that were made.")


# -- one kind of resource of each family ------------------------------------------------------------------------------


class NewLamp(Told):
    kind: Literal["lamp"] = "lamp"
    id: str = Field(description="of your choice")
    colour: Literal["red", "blue"] | None = Field(None, description="of its light")
    token: Secret | None = Field(None, description="that opens it")

    @model_validator(mode="after")
    def _fits(self) -> NewLamp:
        if self.colour == "blue" and self.token is None:
            raise ValueError("a blue lamp needs a token")
        return self


class LampChange(Told):
    colour: Literal["red", "blue"] | None = Field(None, description="of its light")
    token: Secret | None = Field(None, description="that opens it")


class Lamp(Read):
    id: str | None = None
    colour: str | None = None
    note: str | None = None
    tools: list[JsonObject] | None = None
    new_secret: Annotated[str | None, DISCLOSED] = Field(None, repr=False)
    sample: str | None = Field(None, exclude=True)


class Lamps(Read):
    lamps: list[Lamp] | None = None
    next_page_token: str | None = None


class Spark(Read):
    at: str | None = None


class Filter(Told):
    colour: Literal["red", "blue"] | None = Field(None, description="of their light")


def lamp(method: str, path: str, answer: Any, *query: str, repeat: Any = "read") -> Endpoint[Any]:
    return Endpoint(method, f"{{version}}/lamps{path}", answer, query=query, repeat=repeat, family="interactions")


LAMPS = ResourceTools(TOOLSET, "lamp", Lamp, Name("id", "lamps/*", "lamp id"))
LAMPS.created(lamp("POST", "", Lamp, repeat="background"), "Create a lamp. Billed.", body=NewLamp, billed=True)
LAMPS.listed(
    lamp("GET", "", Lamps, "page_size", "page_token", "colour"), "List lamps. Free.",
    get=lamp("GET", "/{id}", Lamp), queries=Filter,
)  # fmt: skip
LAMPS.updated(lamp("PATCH", "/{id}", Lamp, "update_mask"), "Change a lamp. Free.", body=LampChange)
LAMPS.deleted(lamp("DELETE", "/{id}", Empty), "Delete a lamp. Free.")
LAMPS.acted(lamp("POST", "/{id}:blink", Empty), "Blink. Free.", tool="run_lamp", member="blinked")
LAMPS.acted(lamp("POST", "/{id}/sparks", Spark), "Spark. Free.", tool="start_spark", member="spark")


class Piece(Wire):
    name: str = ""
    piece_text: str | None = None
    relevance_score: float | None = None


class Pieces(Wire):
    pieces: list[Piece] | None = None
    next_page_token: str | None = None


class Part(Written):
    part_text: str = Field(description="words")


class NewPiece(Written):
    piece_text: str = Field(description="its words")
    parts: list[Part] | None = Field(None, description="of it")


class PieceChange(Written):
    piece_text: str | None = Field(None, description="its words")
    display_name: str | None = Field(None, description="label")


class NewPieces(Written):
    pieces: list[NewPiece] = Field(description="one or more")


class OneOfMany(Written):
    parent: str
    piece: NewPiece


class BatchRequest(Written):
    requests: list[OneOfMany]


class Force(Told):
    force: bool | None = Field(None, description="with all that is in it")


def batch(body: Any, parent: str) -> BatchRequest:
    return BatchRequest(requests=[OneOfMany(parent=parent, piece=piece) for piece in body.pieces])


PAGE = ("pageSize", "pageToken")
BOOK = Name("book", "books/*")
PIECES = ResourceTools(
    TOOLSET, "piece", Piece, Name("name", "books/*/pieces/*"), parent=BOOK, retired="Google has shut books down: use x."
)
PIECES.created(Endpoint("POST", "{version}/{book}/pieces", Piece, repeat="background"), "Create. Free.", body=NewPiece)
PIECES.listed(
    Endpoint("GET", "{version}/{book}/pieces", Pieces, query=PAGE), "List. Free.",
    get=Endpoint("GET", "{version}/{name}", Piece), page=2, most=3,
)  # fmt: skip
PIECES.updated(Endpoint("PATCH", "{version}/{name}", Piece, query=("updateMask",)), "Change. Free.", body=PieceChange)
PIECES.deleted(Endpoint("DELETE", "{version}/{name}", Empty, query=("force",)), "Delete. Free.", queries=Force)
PIECES.acted(
    Endpoint("POST", "{version}/{book}/pieces:batchCreate", Pieces, repeat="background"), "Many. Free.",
    tool="create_pieces", member="pieces", items="pieces", on=BOOK, body=NewPieces, request=batch,
)  # fmt: skip


@pytest.fixture(name="gemini")
async def gemini_on_loopback() -> AsyncGenerator[FakeGemini]:
    gemini = FakeGemini()
    server = await asyncio.start_server(gemini.serve, "127.0.0.1", 0)
    gemini.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield gemini


@pytest.fixture
async def ask(gemini: FakeGemini, tmp_path: Path) -> AsyncGenerator[Ask]:
    settings = Settings(key="test-key", base_url=gemini.url, state_dir=tmp_path)
    runtime = Runtime(settings, today=lambda: TODAY)

    async def asked(tool: str, *answers: Json | Reply, **arguments: Any) -> Json:
        """The result of a made tool, which fits its schema; Gemini answers with these."""
        if answers:
            gemini.say(*answers)
        made = TOOLSET.tools[tool]
        result = (await made.function(call=Call(runtime), **made.parse(arguments))).structured()
        Draft202012Validator(made.surface()["outputSchema"]).validate(result)  # pyright: ignore[reportUnknownMemberType]
        return result

    yield asked
    await runtime.aclose()


def asked_for(gemini: FakeGemini) -> tuple[str, Json]:
    """Path and query of the last request."""
    parts = urlsplit(gemini.paths[-1])
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


# -- the Interactions family ------------------------------------------------------------------------------------------


async def test_members_of_the_body_are_arguments_and_the_resource_comes_back(ask: Ask, gemini: FakeGemini) -> None:
    result = await ask("create_lamp", {"id": "desk", "colour": "red"}, id="desk", colour="red")
    assert result == {"lamp": {"id": "desk", "colour": "red"}}
    assert gemini.requests == [{"kind": "lamp", "id": "desk", "colour": "red"}], "one literal is no argument, but sent"
    schema = TOOLSET.tools["create_lamp"].surface()["inputSchema"]
    assert list(schema["properties"]) == ["id", "colour", "token"]
    assert schema["required"] == ["id"]
    assert schema["properties"]["colour"] == {
        "enum": ["red", "blue"], "type": "string", "description": "of its light"
    }  # fmt: skip
    assert TOOLSET.tools["create_lamp"].description == "Create a lamp. Billed."


async def test_a_body_that_does_not_fit_together_is_refused_before_sending(ask: Ask, gemini: FakeGemini) -> None:
    with pytest.raises(ArgumentError, match=r"^a blue lamp needs a token. Nothing was sent.$"):
        await ask("create_lamp", id="desk", colour="blue")
    assert not gemini.paths


async def test_a_secret_argument_is_sent_and_hidden_everywhere_else(ask: Ask, gemini: FakeGemini) -> None:
    answer = {"id": "desk", "note": "opens with tok-1234567890", "token": "tok-1234567890"}
    result = await ask("create_lamp", answer, id="desk", token="tok-1234567890")
    assert gemini.requests[0]["token"] == "tok-1234567890"
    assert result == {"lamp": {"id": "desk", "note": "opens with [hidden]"}}, "undeclared members are not shown"
    assert redact("x tok-1234567890") == "x [hidden]"
    parsed = TOOLSET.tools["create_lamp"].parse({"id": "desk", "token": "tok-1234567890"})
    assert "tok-1234567890" not in repr(parsed)


async def test_what_is_given_away_once_comes_as_it_is_and_other_members_are_cleaned(ask: Ask) -> None:
    tools = [{"type": "mcp_server", "headers": {"Authorization": "s3cr3t"}, "url": None}]
    answer = {
        "id": "desk", "note": "a\u200b<script>", "new_secret": "whsec_abc", "tools": tools, "sample": "AAAA",
    }  # fmt: skip
    assert await ask("create_lamp", answer, id="desk") == {
        "lamp": {
            "id": "desk",
            "note": "a‹script>",
            "new_secret": "whsec_abc",
            "tools": [{"type": "mcp_server", "headers": {"Authorization": "[hidden]"}}],
        }
    }


async def test_a_creation_of_which_nobody_knows_says_where_to_look(ask: Ask, gemini: FakeGemini) -> None:
    with pytest.raises(ToolserverError, match="It may exist: see list_lamps") as caught:
        await ask("create_lamp", Reply({"error": {"code": "api_error", "message": "x"}}, status=500), id="desk")
    assert caught.value.retries == 0
    assert len(gemini.paths) == 1


async def test_the_cap_of_the_day_holds_for_what_is_billed(gemini: FakeGemini, tmp_path: Path) -> None:
    settings = Settings(key="test-key", base_url=gemini.url, state_dir=tmp_path, daily_cap=0)  # type: ignore[arg-type]
    runtime = Runtime(settings, today=lambda: TODAY)
    try:
        with pytest.raises(QuotaExhausted):
            await TOOLSET.tools["create_lamp"].function(call=Call(runtime), id="desk")
    finally:
        await runtime.aclose()
    assert not gemini.paths


async def test_a_list_is_read_page_after_page_and_one_is_asked_for_by_its_id(ask: Ask, gemini: FakeGemini) -> None:
    pages = ({"lamps": [{"id": "a"}], "next_page_token": "t"}, {"lamps": [{"id": "b"}]})
    assert await ask("list_lamps", *pages, colour="red") == {"lamps": [{"id": "a"}, {"id": "b"}]}
    assert asked_for(gemini) == ("/v1beta/lamps", {"colour": "red", "page_size": "100", "page_token": "t"})
    for identifier in ("a", "lamps/a"):
        assert await ask("list_lamps", {"id": "a"}, id=identifier) == {"lamps": [{"id": "a"}]}
        assert asked_for(gemini) == ("/v1beta/lamps/a", {})
    with pytest.raises(ArgumentError, match="colour cannot choose among it"):
        await ask("list_lamps", id="a", colour="red")


async def test_the_mask_of_an_update_names_what_was_given(ask: Ask, gemini: FakeGemini) -> None:
    assert await ask("update_lamp", {"id": "a"}, id="a", colour="red") == {"lamp": {"id": "a"}}
    assert asked_for(gemini) == ("/v1beta/lamps/a", {"update_mask": "colour"})
    assert gemini.requests == [{"colour": "red"}]
    with pytest.raises(
        ArgumentError, match=r"Nothing is given that is to change; nothing was sent. Give colour or tok"
    ):
        await ask("update_lamp", id="a")


@pytest.mark.parametrize(
    ("tool", "expected", "path"),
    [("delete_lamp", {"deleted": "a"}, ""), ("run_lamp", {"blinked": "a"}, ":blink")],
)
async def test_what_answers_nothing_is_said_by_name(
    ask: Ask, gemini: FakeGemini, tool: str, expected: Json, path: str
) -> None:
    assert await ask(tool, {}, id="lamps/a") == expected
    assert gemini.paths == [f"/v1beta/lamps/a{path}"]


async def test_an_action_gives_what_it_made(ask: Ask) -> None:
    assert await ask("start_spark", {"at": "2026-11-22T12:00:00Z"}, id="a") == {"spark": {"at": "2026-11-22T12:00:00Z"}}


@pytest.mark.parametrize("given", ["../x", "lamps/a/b", "a b", "", "lamps/", "agents/a", "a?b"])
async def test_what_is_no_name_reaches_no_path(ask: Ask, gemini: FakeGemini, given: str) -> None:
    with pytest.raises(ArgumentError, match="Give lamp id"):
        await ask("delete_lamp", id=given)
    assert not gemini.paths


async def test_what_is_not_there_says_where_to_look(ask: Ask) -> None:
    gone = Reply({"error": {"code": "not_found", "message": "x"}}, status=404)
    for tool in ("delete_lamp", "list_lamps", "run_lamp"):
        with pytest.raises(NotFound, match=r"There is no lamps/a for this key.* list_lamps shows what there is"):
            await ask(tool, gone, id="a")


# -- the generateContent family ---------------------------------------------------------------------------------------


async def test_nested_names_and_members_go_out_as_google_spells_them(ask: Ask, gemini: FakeGemini) -> None:
    answer = {"name": "books/b/pieces/p", "pieceText": "x", "relevanceScore": 0.5}
    shown = {"piece": {"name": "books/b/pieces/p", "piece_text": "x", "relevance_score": 0.5}}
    assert await ask("create_piece", answer, book="b", piece_text="x", parts=[{"part_text": "y"}]) == shown
    assert gemini.paths == ["/v1beta/books/b/pieces"]
    assert gemini.requests == [{"pieceText": "x", "parts": [{"partText": "y"}]}]
    schema = TOOLSET.tools["create_piece"].surface()["inputSchema"]
    assert list(schema["properties"]) == ["book", "piece_text", "parts"]
    assert list(schema["properties"]["parts"]["items"]["properties"]) == ["part_text"]


async def test_a_list_has_its_parent_and_ends_where_it_is_long_enough(ask: Ask, gemini: FakeGemini) -> None:
    page = {"pieces": [{"name": "1"}, {"name": "2"}], "nextPageToken": "t"}
    more = await ask("list_pieces", page, {**page, "nextPageToken": "u"}, book="books/b")
    assert [len(more["pieces"]), more["truncated"]] == [3, True]
    assert asked_for(gemini) == ("/v1beta/books/b/pieces", {"pageSize": "2", "pageToken": "t"})
    for name in ("p", "books/b/pieces/p"):
        await ask("list_pieces", {"name": "p"}, book="b", name=name)
        assert asked_for(gemini) == ("/v1beta/books/b/pieces/p", {})
    with pytest.raises(ArgumentError, match="is not in books/b"):
        await ask("list_pieces", book="b", name="books/c/pieces/p")


async def test_an_update_mask_a_query_and_a_batch_are_spelled_as_google_does(ask: Ask, gemini: FakeGemini) -> None:
    name = "books/b/pieces/p"
    await ask("update_piece", {"name": name}, name=name, piece_text="x", display_name="y")
    assert asked_for(gemini) == (f"/v1beta/{name}", {"updateMask": "pieceText,displayName"})
    assert await ask("delete_piece", {}, name=name, force=True) == {"deleted": name}
    assert asked_for(gemini) == (f"/v1beta/{name}", {"force": "true"})
    made = await ask("create_pieces", {"pieces": [{"name": name}]}, book="b", pieces=[{"piece_text": "x"}])
    assert made == {"pieces": [{"name": name}]}
    assert gemini.paths[-1] == "/v1beta/books/b/pieces:batchCreate"
    assert gemini.requests[-1] == {"requests": [{"parent": "books/b", "piece": {"pieceText": "x"}}]}


async def test_a_retired_service_says_so_and_names_what_to_use(ask: Ask) -> None:
    for tool in ("create_piece", "delete_piece"):
        assert TOOLSET.tools[tool].description.endswith(" Free. Google has shut books down: use x.")
    gone = Reply({"error": {"code": 404, "status": "NOT_FOUND", "message": "Method not found."}}, status=404)
    refusal = Reply({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no"}}, status=400)
    with pytest.raises(NotFound, match=r"Method not found.*Google has shut books down: use x\.$"):
        await ask("create_piece", gone, book="b", piece_text="x")
    with pytest.raises(RequestRefused, match=r"use x\.$"):
        await ask("delete_piece", refusal, name="books/b/pieces/p")


# -- what all of them are ---------------------------------------------------------------------------------------------


def test_the_hints_are_set_on_purpose() -> None:
    hints = {
        name: "".join(
            letter if on else "-"
            for letter, on in zip(
                "rdio", (tool.read_only, tool.destructive, tool.idempotent, tool.open_world), strict=True
            )
        )
        for name, tool in TOOLSET.tools.items()
    }
    assert hints == {
        "create_lamp": "---o", "list_lamps": "r-io", "update_lamp": "-dio", "delete_lamp": "-dio", "run_lamp": "---o",
        "start_spark": "---o", "create_piece": "---o", "list_pieces": "r-io", "update_piece": "-dio",
        "delete_piece": "-dio", "create_pieces": "---o",
    }  # fmt: skip


def test_every_schema_is_one_that_clients_take() -> None:
    for tool in TOOLSET.tools.values():
        surface = json.dumps(tool.surface())
        for avoided in ('"$ref"', '"null"', '"title": "', '"default"'):
            assert avoided not in surface, tool.name


def test_a_body_without_descriptions_is_a_bug() -> None:
    class Bare(Told):
        x: int

    with pytest.raises(TypeError, match="has no description"):
        LAMPS.created(lamp("POST", "", Lamp), "x.", body=Bare, tool="create_bare")
