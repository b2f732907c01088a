"""Moved to `workflows_app.dialects.params`."""

from workflows_app.dialects.params import PARAMS_SCHEMA, InvalidParams, accept

__all__ = ["PARAMS_SCHEMA", "InvalidParams", "accept"]
