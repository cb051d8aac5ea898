"""The machinery that speaks HTTP to Gemini: it knows no resource by name and nothing of MCP."""
