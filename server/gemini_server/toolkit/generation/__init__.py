"""Asking a model: from what the caller says to a request, from what Gemini sends to a result or an error."""
