"""Compiled definitions for a page of workflows: those not met before come in one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workflows_app.graph import definition as graph
from workflows_app.models import Definition

MAX_KEPT = 256
_kept: dict[str, graph.Definition] = {}


def compiled(digests: Iterable[str]) -> Mapping[str, graph.Definition]:
    """The graph of each digest. Content never changes under a digest, so what is kept is never wrong."""
    known = {digest: _kept.get(digest) for digest in set(digests)}
    missing = [digest for digest, graph_ in known.items() if graph_ is None]
    fresh = _load(missing) if missing else {}
    return {digest: graph_ or fresh[digest] for digest, graph_ in known.items()}


def _load(digests: list[str]) -> dict[str, graph.Definition]:
    fresh = {row.digest: row.compiled() for row in Definition.objects.filter(digest__in=digests)}
    if len(_kept) + len(fresh) > MAX_KEPT:
        _kept.clear()
    _kept.update(fresh)
    return fresh
