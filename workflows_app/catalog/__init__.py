"""Verbs on templates: publish, import, export, start."""
