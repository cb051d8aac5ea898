"""The command `gemini-toolserver`. `serve` starts with argparse alone; the other commands load what they need."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    # A client starts the server without arguments, or with flags only.
    if not arguments or arguments[0] == "serve" or (arguments[0].startswith("--") and arguments[0] not in _TOP_FLAGS):
        from gemini_server.cli.serve import serve

        sys.exit(serve(arguments[1:] if arguments and arguments[0] == "serve" else arguments))
    from gemini_server.cli.commands import run

    run(arguments)


_TOP_FLAGS = ("--help", "--version")
