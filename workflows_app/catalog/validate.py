"""Checking a draft: does it compile, with the actions this installation has?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from workflows_app import actions
from workflows_app.dialects import DIALECTS
from workflows_app.dialects.compiled import Compiled
from workflows_app.graph.problems import DefinitionError, Problem


class UnknownDialect(LookupError):
    """There is no such dialect; the message lists the known ones."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown dialect '{name}'; known: {', '.join(sorted(DIALECTS))}")


def validate(source: str | Mapping[str, Any], dialect: str = "template") -> Compiled:
    """What the source compiles to. Raises DefinitionError with every problem, UnknownDialect."""
    if dialect not in DIALECTS:
        raise UnknownDialect(dialect)
    compiled = DIALECTS[dialect](source, actions=actions.shapes())
    count, most = len(compiled.definition.nodes), settings.ENV.max_nodes
    if count > most:
        raise DefinitionError([Problem(f"there are {count:,} steps; the limit here is {most:,} (MAX_NODES)")])
    return compiled
