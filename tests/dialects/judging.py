"""What a dialect makes of a source, and what it says against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from workflows_app import actions
from workflows_app.dialects import DIALECTS
from workflows_app.dialects.compiled import Compiled
from workflows_app.graph.definition import Node
from workflows_app.graph.problems import DefinitionError, Problem


class Judge:
    """One dialect, with every action of the product."""

    def __init__(self, dialect: str) -> None:
        self.compile = DIALECTS[dialect]

    def compiled(self, source: str | Mapping[str, Any]) -> Compiled:
        return self.compile(source, actions=actions.shapes())

    def nodes(self, source: str | Mapping[str, Any]) -> Mapping[str, Node]:
        return self.compiled(source).definition.by_id

    def problems(self, source: str | Mapping[str, Any]) -> list[Problem]:
        with pytest.raises(DefinitionError) as caught:
            self.compiled(source)
        return list(caught.value.problems)

    def only(self, source: str | Mapping[str, Any]) -> Problem:
        found = self.problems(source)
        assert len(found) == 1, found
        return found[0]

    def refuses(self, source: Mapping[str, Any], path: str, node: str, message: str) -> None:
        """Refused for one reason alone, given as a mapping and as text, then also with the line."""
        for given in (source, json.dumps(source, indent=1)):
            problem = self.only(given)
            assert (problem.path, problem.node) == (path, node)
            assert message in problem.message
        assert problem.line is not None


def shape_of(nodes: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Who needs whom."""
    return {id: node.needs for id, node in nodes.items()}
