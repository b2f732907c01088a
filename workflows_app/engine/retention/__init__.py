"""Retention: what ended long ago is removed with all it recorded, a little at a time, and its space given back (docs/retention.md)."""

from workflows_app.engine.retention.pruner import Pruner, in_words
from workflows_app.engine.retention.pruning import Pruned, Pruning, count_old
from workflows_app.engine.retention.turn import Busy, turn

__all__ = ["Busy", "Pruned", "Pruner", "Pruning", "count_old", "in_words", "turn"]
