"""Decisions, in pure Python: neither pulumi nor a provider is imported here, so they test in milliseconds."""
