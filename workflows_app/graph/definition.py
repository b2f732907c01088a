"""The compiled graph that every dialect becomes: nodes, edges, policies; immutable and content-addressed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from workflows_app.graph.readiness import TriggerRule

Json = Any
PRIORITIES: Mapping[str, int] = {"high": 0, "normal": 5, "low": 9}
MAX_NODES = 10_000


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`None` means the setting of CONTRACT.md section 8. Delays are seconds; `on` lists the kinds of
    failure worth another try (`timeout`, `"5xx"`, `429`, ...), `None` all that the action calls retryable."""

    retries: int | None = None
    initial_delay: float | None = None
    max_delay: float | None = None
    jitter: bool = True
    on: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `needs` are upstream ids; `references` the upstream ids whose outputs its configuration reads, `secrets` the
    names of the stored secrets. `body` is what a `map` does with each element; its id is that of the map."""

    id: str
    action: str
    name: str = ""
    needs: tuple[str, ...] = ()
    config: Mapping[str, Json] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    retry: RetryPolicy = RetryPolicy()
    priority: int = PRIORITIES["normal"]
    run_if: Json = None
    trigger_rule: TriggerRule = "all_success"
    on_failure: Literal["fail", "continue"] = "fail"
    concurrency_key: str = ""
    concurrency_limit: int = 0
    secrets: tuple[str, ...] = ()
    body: Node | None = None


@dataclass(frozen=True)
class Definition:
    """A validated graph; `nodes` are in the author's order."""

    nodes: tuple[Node, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.nodes}

    @cached_property
    def positions(self) -> Mapping[str, int]:
        return {node.id: position for position, node in enumerate(self.nodes)}

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {node.id: [] for node in self.nodes}
        for node in self.nodes:
            for need in node.needs:
                found[need].append(node.id)
        return {id: tuple(ids) for id, ids in found.items()}

    @cached_property
    def roots(self) -> tuple[str, ...]:
        return tuple(node.id for node in self.nodes if not node.needs)

    def node(self, step_id: str) -> Node:
        """The node of a step: for an element of a map (`fetch[3]`), the map's body under the element's id."""
        if not step_id.endswith("]"):
            return self.by_id[step_id]
        body = self.by_id[step_id[: step_id.rindex("[")]].body
        if body is None:
            raise KeyError(step_id)
        return replace(body, id=step_id)

    @cached_property
    def text(self) -> str:
        """Canonical JSON: what is stored and what the digest is taken of."""
        return json.dumps({"nodes": [_pack(node) for node in self.nodes]}, sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def from_json(cls, body: Mapping[str, Json]) -> Definition:
        return cls(nodes=tuple(_unpack(node) for node in body["nodes"]))


_DEFAULT = asdict(Node(id="", action=""))


def _pack(node: Node) -> dict[str, Json]:
    """Only what differs from a default, so that equal graphs have equal text."""
    packed = {key: value for key, value in asdict(node).items() if value != _DEFAULT[key]}
    if node.body is not None:
        packed["body"] = _pack(node.body)
    return packed | {"id": node.id, "action": node.action}


def _unpack(body: Mapping[str, Json]) -> Node:
    values = dict(body)
    retry = dict(values.pop("retry", {}))
    if retry.get("on") is not None:
        retry["on"] = tuple(retry["on"])
    for key in ("needs", "references", "secrets"):
        values[key] = tuple(values.get(key, ()))
    if values.get("body") is not None:
        values["body"] = _unpack(values["body"])
    return Node(**values, retry=RetryPolicy(**retry))
