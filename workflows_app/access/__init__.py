"""Verbs on who may call: API tokens, and the local user of local mode."""
