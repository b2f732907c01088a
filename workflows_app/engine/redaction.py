"""Redaction: the values of secrets that a step was given do not get into what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

MARK = "•••"
SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Redaction:
    """Replaces `hidden` texts, the longest first."""

    hidden: tuple[str, ...]

    def text(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, MARK)
        return text

    def value(self, value: Any) -> Any:
        """The same in JSON, and in what an action returns instead of JSON."""
        return self._clean(value) if self.hidden else value

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self._clean(key): self._clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self._clean, value)) if type(value) in (list, tuple) else [self._clean(item) for item in value]
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{field.name: self._clean(getattr(value, field.name)) for field in fields(value)})
        return value


NOTHING = Redaction(())


def of(secrets: Collection[str]) -> Redaction:
    """Of these values. One of fewer than SHORTEST characters would hide everything."""
    if not secrets:
        return NOTHING
    texts = {spelling for secret in secrets for spelling in _spellings(secret) if len(spelling) >= SHORTEST}
    return Redaction(tuple(sorted(texts, key=len, reverse=True)))


def _spellings(secret: str) -> tuple[str, ...]:
    """As it is, and as it stands inside JSON and inside what Python says of a text."""
    return secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]
