"""Where the steps of a definition are drawn: made at the first look, kept in the database and in this process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.db import DatabaseError
from django.utils import timezone

from workflows_app.engine.definitions import compiled
from workflows_app.engine.report import dot
from workflows_app.engine.sql.transaction import write
from workflows_app.graph.layout import layers, sizes
from workflows_app.graph.layout.folding import fold
from workflows_app.graph.layout.shapes import Direction, Folding, Plan
from workflows_app.models import Layout

RELEASE = 1  # of the code that draws: what an earlier one drew is not used any more
MOST_KEPT_OPEN = 1  # groups open in a drawing that is kept: more are a passing look


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which drawing: of which definition, which way it runs, which groups (by their numbers) are open."""

    digest: str
    direction: Direction = "LR"
    opened: tuple[int, ...] = ()

    @property
    def variant(self) -> str:
        """Another one where there is no Graphviz: it may be installed later."""
        maker = "dot" if dot.path() else "own"
        return f"{RELEASE}-{maker}-{self.direction}-{'.'.join(map(str, self.opened))}"[:100]

    @property
    def key(self) -> str:
        """Names the drawing in a page: the same key, the same drawing."""
        return hashlib.sha256(f"{self.digest}{self.variant}{self.opened}".encode()).hexdigest()[:12]


@lru_cache(maxsize=128)
def folding(digest: str, opened: tuple[int, ...]) -> Folding:
    """What is drawn as one box."""
    definition = compiled(digest)
    needs = [tuple(definition.positions[need] for need in node.needs) for node in definition.nodes]
    return fold(needs, [node.action for node in definition.nodes], opened=opened)


def wanted(digest: str, direction: Direction, opened: Iterable[int]) -> Wanted:
    """Numbers that name no group are left out: each would be another drawing to make and to keep."""
    groups = {item.number for item in folding(digest, ()).items if item.kind != "step"}
    return Wanted(digest, direction, tuple(sorted(groups.intersection(opened))))


@lru_cache(maxsize=64)
def plan(wanted: Wanted) -> Plan:
    """Where it is drawn. Two processes that look at once draw the same, and one of them keeps it."""
    if len(wanted.opened) > MOST_KEPT_OPEN:
        return _drawn(wanted)
    found = Layout.objects.filter(definition_id=wanted.digest, variant=wanted.variant).values_list("body", flat=True).first()
    if found is not None:
        return Plan.unpacked(found)
    drawn = _drawn(wanted)
    _keep(wanted, drawn)
    return drawn


def _drawn(wanted: Wanted) -> Plan:
    found = folding(wanted.digest, wanted.opened)
    measures = sizes.sizes_of(found, _maps(wanted.digest))
    try:
        return dot.place(measures, found.joins, wanted.direction)
    except dot.NoDrawing:
        return layers.place(measures, found.joins, wanted.direction)


def _maps(digest: str) -> frozenset[int]:
    return frozenset(position for position, node in enumerate(compiled(digest).nodes) if node.body is not None)


def _keep(wanted: Wanted, drawn: Plan) -> None:
    """It is only kept to save time: a database that cannot be written to now does without."""
    row = Layout(definition_id=wanted.digest, variant=wanted.variant, body=drawn.packed(), created_at=timezone.now())
    try:
        with write():
            Layout.objects.bulk_create([row], ignore_conflicts=True)
    except DatabaseError:
        pass
