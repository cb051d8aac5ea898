"""What can be typed: every command, its flags and its examples. What a command does is in the module of its name.

Only this module knows typer, and it is imported for every command but `serve`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from gemini_server.cli.choices import Choices, described, flag
from gemini_server.cli.serve import names
from gemini_server.errors import ToolserverError

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells expect it."""

app = typer.Typer(
    name="gemini-toolserver",
    help="Google's Gemini models as MCP tools. Without a command: serve over stdio, as clients start it.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Examples:\n\n\b\n"
        "  gemini-toolserver demo                                   see it work, with or without a key\n"
        "  gemini-toolserver call generate_text prompt='Say hello'  one tool, from a shell\n"
        "  gemini-toolserver print-config claude-desktop            what to put into your client\n"
        "  gemini-toolserver doctor                                 what is wrong when calls fail"
    ),
)


class Client(StrEnum):
    """The clients whose configuration is known."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"
    GEMINI_CLI = "gemini-cli"


class Output(StrEnum):
    """What `call` prints."""

    TEXT = "text"
    JSON = "json"


Emulate = Annotated[bool, typer.Option(flag("emulate"), help=described("emulate"))]
AllowDir = Annotated[
    list[Path] | None, typer.Option(flag("allow_dirs"), metavar="DIR", help=described("allow_dirs"), show_default=False)
]
StateDir = Annotated[Path | None, typer.Option(flag("state_dir"), metavar="DIR", help=described("state_dir"))]
OutputDir = Annotated[Path | None, typer.Option(flag("output_dir"), metavar="DIR", help=described("output_dir"))]
Toolsets = Annotated[str, typer.Option(flag("toolsets"), metavar="A,B", help=described("toolsets"), show_default=False)]
Tools = Annotated[str, typer.Option(flag("tools"), metavar="A,B", help=described("tools"), show_default=False)]
ExcludeTools = Annotated[
    str, typer.Option(flag("exclude_tools"), metavar="A,B", help=described("exclude_tools"), show_default=False)
]
ReadOnly = Annotated[bool, typer.Option(flag("read_only"), help=described("read_only"))]


def run(arguments: list[str]) -> None:
    """Run a command and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character must not stop a command.
            stream.reconfigure(errors="replace")
    app(args=arguments, prog_name="gemini-toolserver")


def _finish(work: Callable[[], int]) -> NoReturn:
    try:
        status = work()
    except ToolserverError as error:
        print(f"gemini-toolserver: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = INTERRUPTED
    raise typer.Exit(status)


def _examples(*lines: str) -> str:
    return "Examples:\n\n\b\n" + "\n".join(f"  gemini-toolserver {line}" for line in lines)


def _show_version(wanted: bool) -> None:
    if wanted:
        from gemini_server.version import package_version

        print(f"gemini-toolserver {package_version()}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The flags before a command."""


@app.command(
    "serve",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    short_help="Serve over stdio, or over HTTP with --http HOST:PORT.",
    help="Serve Gemini's tools over stdio, or over HTTP with --http HOST:PORT (endpoint /mcp).",
)
def serve(context: typer.Context) -> None:
    """Listed for `--help`; `main` runs it without loading typer."""
    from gemini_server.cli.serve import serve as run_server

    raise typer.Exit(run_server(context.args))


@app.command(
    "call",
    short_help="Call one tool and print its answer.",
    epilog=_examples(
        "call generate_text prompt='Name three rivers' --emulate",
        "call generate_text prompt='What is on them?' attachments=a.png attachments=b.png",
        "call generate_text prompt=- thinking=low < question.txt",
        """call generate_text --json '{"prompt": "Hello", "use": ["search"]}' --output json""",
        "call server_status --url http://127.0.0.1:8765/mcp",
    ),
)
def call(
    tool: Annotated[
        str, typer.Argument(metavar="TOOL", help="The tool; `gemini-toolserver tools` lists them.", show_default=False)
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE",
            help="Text as it stands, JSON for everything else; repeat KEY for a list; KEY=- reads stdin.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        str,
        typer.Option(
            "--json", metavar="OBJECT", help="Arguments as one JSON object; - reads stdin.", show_default=False
        ),
    ] = "",
    output: Annotated[
        Output, typer.Option("--output", help="text: the answer; json: the structured result alone.")
    ] = Output.TEXT,
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the whole MCP result as JSON, also when the tool failed.")
    ] = False,
    emulate: Emulate = False,
    allow_dir: AllowDir = None,
    output_dir: OutputDir = None,
    state_dir: StateDir = None,
    url: Annotated[
        str,
        typer.Option(
            "--url", metavar="URL", help="Call a running HTTP server instead of starting one.", show_default=False
        ),
    ] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help="The bearer token for --url; or the variable GEMINI_TOOLSERVER_TOKEN."
        ),
    ] = None,
) -> None:
    """Call one tool through a real MCP client. The answer goes to stdout, progress and warnings to stderr.

    Exit status: 0 the tool succeeded, 1 it failed, 2 it could not be called as asked, 130 after Ctrl-C.
    """
    from gemini_server.cli import call as command

    choices = Choices(emulate=emulate, allow_dirs=tuple(allow_dir or ()), output_dir=output_dir, state_dir=state_dir)
    shape: command.Shape = "raw" if raw else "json" if output is Output.JSON else "text"
    _finish(lambda: command.run(command.Wanted(tool, tuple(arguments or ()), json, shape, choices, url, token_file)))


@app.command(
    "tools",
    short_help="What is on, and what it costs in bytes.",
    epilog=_examples("tools", "tools --toolsets all", "tools --toolsets text --read-only --json"),
)
def tools(
    toolsets: Toolsets = "",
    tools: Tools = "",
    exclude_tools: ExcludeTools = "",
    read_only: ReadOnly = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the tools that are on and what they cost a model's context, in bytes."""
    from gemini_server.cli import tools as command

    choices = Choices(
        toolsets=names(toolsets), tools=names(tools), exclude_tools=names(exclude_tools), read_only=read_only
    )
    _finish(lambda: command.run(choices, as_json=json))


@app.command(
    "doctor",
    short_help="Check everything that must be right.",
    epilog=_examples("doctor", "doctor --emulate", "doctor --offline --json"),
)
def doctor(
    emulate: Emulate = False,
    offline: Annotated[bool, typer.Option("--offline", help="Send nothing over the network.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    allow_dir: AllowDir = None,
    output_dir: OutputDir = None,
    state_dir: StateDir = None,
) -> None:
    """Check the key, Gemini, the directories, the ledger, the server itself and the clients' configurations.

    Exit status: 0 when nothing failed, 1 otherwise. The key is never printed.
    """
    from gemini_server.cli import doctor as command

    choices = Choices(emulate=emulate, allow_dirs=tuple(allow_dir or ()), output_dir=output_dir, state_dir=state_dir)
    _finish(lambda: command.run(choices, offline=offline, as_json=json))


@app.command(
    "emulator",
    short_help="Run the Gemini emulator for any SDK.",
    epilog=_examples("emulator", "emulator --port 9000 --prefix /gemini --log requests.jsonl"),
)
def emulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8080,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on; it asks for no real key.")
    ] = "127.0.0.1",
    prefix: Annotated[
        str, typer.Option("--prefix", metavar="PATH", help="A path in front of every route.", show_default=False)
    ] = "",
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="Append each request as a line of JSON.")
    ] = None,
    legacy_media: Annotated[
        bool, typer.Option("--legacy-media", help="Serve Imagen and Veo too, as some gateways still do.")
    ] = False,
    legacy_services: Annotated[
        bool, typer.Option("--legacy-services", help="Serve PaLM, AQA, tuned models and corpora too.")
    ] = False,
    dialect: Annotated[
        Literal["google", "openai", "enterprise"],
        typer.Option(
            "--dialect", help="Who answers: Google, a gateway in OpenAI's dialect, or the Enterprise platform."
        ),
    ] = "google",
) -> None:
    """Run the Gemini emulator for any SDK, until Ctrl-C: no key, no network, no cost; every answer says [emulated]."""
    from gemini_server.cli import emulator as command

    _finish(
        lambda: command.run(
            host=host,
            port=port,
            prefix=prefix,
            log=log,
            legacy_media=legacy_media,
            legacy_services=legacy_services,
            dialect=dialect,
        )
    )


@app.command(
    "print-config",
    short_help="Print the JSON that adds this server to a client.",
    epilog=_examples(
        "print-config claude-desktop --allow-dir ~/Pictures",
        "print-config claude-code > .mcp.json",
        "print-config vscode --emulate > .vscode/mcp.json",
    ),
)
def print_config(
    client: Annotated[Client, typer.Argument(help="The client.", show_default=False)],
    emulate: Emulate = False,
    allow_dir: AllowDir = None,
    read_only: ReadOnly = False,
    toolsets: Toolsets = "",
) -> None:
    """Print the JSON that adds this server to a client. The key is never written into it.

    Only JSON goes to stdout; where it belongs is said on stderr.
    """
    from gemini_server.cli import print_config as command

    choices = Choices(emulate=emulate, allow_dirs=tuple(allow_dir or ()), read_only=read_only, toolsets=names(toolsets))
    _finish(lambda: command.run(client.value, choices))


@app.command(
    "demo",
    short_help="See what it can do, with or without a key.",
    epilog=_examples("demo", "demo --emulate --output-dir /tmp/demo"),
)
def demo(
    emulate: Emulate = False,
    output_dir: OutputDir = None,
    media: Annotated[
        bool, typer.Option("--media", help="With a key: make a picture, a video, speech and music too, for $0.50.")
    ] = False,
) -> None:
    """Show what the server can do, in half a minute: against Gemini with a key, against the emulator without.

    Exit status: 0 when every section worked. What it makes is kept, and it says where.
    """
    from gemini_server.cli import demo as command

    _finish(lambda: command.run(emulate=emulate, output_dir=output_dir, media=media))
