"""`python -m gemini_server`: the command line."""

from gemini_server.cli import main

main()
