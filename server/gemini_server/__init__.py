"""The server: how Gemini is published over MCP. It knows no capability by name; those live in `gemini_tools`.

This module imports nothing, so that `gemini_server` and `gemini_tools` can import from each other's packages without a
cycle and the command starts fast.
"""
