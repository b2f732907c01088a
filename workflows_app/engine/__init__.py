"""Verbs on workflows: start, claim, run, finish, retry, recover, control."""
