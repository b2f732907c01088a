"""What every dialect compiles to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows_app.graph.definition import Definition


@dataclass(frozen=True)
class Compiled:
    """A definition with what its author says about it. `params_schema` is a JSON Schema of an object; `trigger` is the JSONLogic
    that an event has to satisfy to start it (`None`: no event does). Its ended workflows are kept for `retention_days` (`None`: as long as
    the installation says; 0: for ever)."""

    name: str
    description: str
    tags: tuple[str, ...]
    params_schema: Mapping[str, Any]
    definition: Definition
    trigger: Any = None
    retention_days: int | None = None
