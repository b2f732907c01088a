"""How large a JSON value is at least, told without writing it out: what is far too large is refused before it costs memory twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 200
BITS_PER_DIGIT = 3.4


class TooDeep(ValueError):
    """Lists and objects in one another without end, or nearly so."""

    def __init__(self) -> None:
        super().__init__(f"it nests more than {MAX_DEPTH} deep, or holds itself")


def is_over(value: Any, limit: int) -> bool:
    """Whether the JSON text of the value has more than `limit` bytes for certain; stops counting there. What it holds twice counts
    twice, as in the text. What is not JSON counts as nothing: whoever writes it says so. Raises TooDeep."""
    return _left(value, limit, MAX_DEPTH) < 0


def _left(value: Any, left: int, depth: int) -> int:
    """What is left of the limit after this value. Commas and colons count with the parts; the last one too many pays for a bracket."""
    if isinstance(value, str):
        return left - len(value) - 2
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101  the first is far quicker
        return _left_after(value.values(), _left_after(value, left - 1, depth), depth)
    if isinstance(value, list | tuple):
        return _left_after(value, left - 1, depth)
    if isinstance(value, int):
        return left - max(1, int(value.bit_length() / BITS_PER_DIGIT))
    return left - 1


def _left_after(parts: Any, left: int, depth: int) -> int:
    if depth == 0:
        raise TooDeep
    for part in parts:
        if left < 0:
            return left
        left = _left(part, left, depth - 1) - 1
    return left
