"""Where two JSON values differ, by path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Any
MOST_OF_TEXT = 300
DEEPEST = 60


class Missing:
    """Stands for a value that one side does not have."""


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """Texts of both sides; None where a side has no such value."""

    path: str
    before: str | None
    after: str | None


def differences(before: Json, after: Json, path: str = "", depth: int = 0) -> Iterator[Difference]:
    """Objects by key, lists by place; anything else as a whole. `1`, `1.0` and `true` are three values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping) and depth < DEEPEST:
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key, MISSING), after.get(key, MISSING), f"{path}.{key}" if path else str(key), depth + 1)
    elif _is_list(before) and _is_list(after) and depth < DEEPEST:
        for place in range(max(len(before), len(after))):
            yield from differences(_at(before, place), _at(after, place), f"{path}[{place}]", depth + 1)
    elif _text(before) != _text(after):
        yield Difference(path, _shown(before), _shown(after))


def _is_list(value: Json) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _at(values: Sequence[Json], place: int) -> Json:
    return values[place] if place < len(values) else MISSING


def _text(value: Json) -> str | None:
    return None if value is MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _shown(value: Json) -> str | None:
    text = _text(value)
    return text if text is None or len(text) <= MOST_OF_TEXT else f"{text[:MOST_OF_TEXT]}… ({len(text):,} characters)"
