"""The names that expressions and conditions may read: which are reserved, which belong to a step."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import islice

RESERVED = frozenset(
    {"params", "input", "payload", "steps", "workflow", "engine", "item", "index", "secrets", "true", "false", "none", "null"}
)
STEP_FIELDS = ("output", "status", "error")
STEP_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
MAX_STEP_ID = 200
MAX_COMPARED = 300
NEARNESS = 0.6

_PARAMS = {"params", "input"}


def reference(path: Sequence[str | int]) -> str:
    """What a path reads: `params.day`, `params` (all of them), `payload`, `workflow`, `engine`, `steps` (all) or a step's id."""
    first = str(path[0])
    if first in _PARAMS:
        return f"params.{path[1]}" if len(path) > 1 else "params"
    if first == "steps" and len(path) > 1:
        return str(path[1])
    return first


def step_field(path: Sequence[str | int]) -> str | None:
    """The part of a step that a path reads (`output` in `fetch.output.body`); `None` for other names and whole steps."""
    rest = path[1:] if str(path[0]) == "steps" else path
    if not rest or (rest is path and str(rest[0]) in RESERVED):
        return None
    return str(rest[1]) if len(rest) > 1 else None


def is_step(name: str) -> bool:
    """Whether a reference names a step, as opposed to a parameter or a built-in name."""
    return name.partition(".")[0] not in RESERVED


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'url'?"` when something known is near, else an empty text. Comparing is slow: it looks at MAX_COMPARED names
    of a length that can be near, and at none when the word is long."""
    alike = (name for name in known if 2 * min(len(name), len(word)) >= NEARNESS * (len(name) + len(word)))
    near = difflib.get_close_matches(word, list(islice(alike, MAX_COMPARED if len(word) <= 60 else 0)), n=1, cutoff=NEARNESS)
    return f"; did you mean '{near[0]}'?" if near else ""
