"""Gemini as data: one module per REST resource, its types first and then its endpoints as values."""
