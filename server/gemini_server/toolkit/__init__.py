"""What a capability file imports, and nothing else: the only bridge between MCP and the REST client."""
