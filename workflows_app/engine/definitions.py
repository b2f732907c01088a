"""Definitions in the database: stored once per content, compiled once per process."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache

from workflows_app.graph import definition as graph
from workflows_app.models import Definition

REBUILT = "_rebuilt"  # in the metadata of a workflow that was imported without its definition: its graph has no configuration


def store(*, definition: graph.Definition, now: datetime) -> Definition:
    """The row of this content, made if it is new."""
    row, _ = Definition.objects.get_or_create(
        digest=definition.digest,
        defaults={"body": json.loads(definition.text), "node_count": len(definition.nodes), "created_at": now},
    )
    return row


def keep(row: Definition) -> None:
    """See that the row is there: one that nothing referred to may have been removed just before it was to be used again."""
    values = {"body": row.body, "node_count": row.node_count, "created_at": row.created_at}
    Definition.objects.get_or_create(digest=row.digest, defaults=values)


UNREADABLE = graph.Definition((graph.Node("unreadable", "made by a newer release"),))


def readable(digest: str) -> graph.Definition:
    """The compiled graph, or UNREADABLE in a process that is older than who wrote it: it has to leave those steps to others."""
    try:
        return compiled(digest)
    except (TypeError, KeyError):  # a field that this release does not know
        return UNREADABLE


def is_readable(digest: str) -> bool:
    return readable(digest) is not UNREADABLE


@lru_cache(maxsize=256)
def compiled(digest: str) -> graph.Definition:
    """The compiled graph of a stored definition. Content never changes under a digest, so the cache is never wrong."""
    return Definition.objects.get(digest=digest).compiled()
