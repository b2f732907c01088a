"""Redaction: the values of secrets that a step was given do not get into what is kept of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import takewhile
from typing import Any
from urllib.parse import quote

MARK = "•••"
SHORTEST = 3
BEGINNING = 8
CUT = ("…", "...", "'", '"')  # what stands where a text was cut: `'sk-live-4f…`, `'sk-live-4f' is not a number`


@dataclass(frozen=True, slots=True)
class Redaction:
    """Replaces `hidden` texts, the longest first, and what `quoted` finds: the same as they stand in a url."""

    hidden: tuple[str, ...]
    quoted: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, MARK)
        return self.quoted.sub(MARK, text) if self.quoted and ("%" in text or "+" in text) else text

    def message(self, text: str) -> str:
        """The same for a log line or an error, which may have been cut in the middle of a secret."""
        text = self.text(text)
        for secret in self.hidden:
            if len(secret) > BEGINNING and secret[:BEGINNING] in text:
                text = _without_beginnings(secret, text)
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
    quoted = [_in_url(text) for text in sorted(secrets, key=len, reverse=True) if len(text) >= SHORTEST and not _PLAIN.fullmatch(text)]
    return Redaction(tuple(sorted(texts, key=len, reverse=True)), re.compile("|".join(quoted)) if quoted else None)


def _without_beginnings(secret: str, text: str) -> str:
    """Hides beginnings of the secret that end where the text was cut; others are words of their own."""
    before, *others = text.split(secret[:BEGINNING])
    shown = [before]
    for rest in others:
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(rest, secret[BEGINNING:], strict=False))
        left = rest[sum(1 for _ in alike) :]
        shown.append(MARK + left if not left or left.startswith(CUT) else secret[:BEGINNING] + rest)
    return "".join(shown)


_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")


def _in_url(secret: str) -> str:
    """A pattern: each character as it is or percent-encoded, for which ones are depends on who writes the url, and where in it."""
    return "".join(re.escape(char) if _PLAIN.fullmatch(char) else _quoted(char) for char in secret)


def _quoted(char: str) -> str:
    plus = r"|\+" if char == " " else ""
    return f"(?:{re.escape(char)}|(?i:{quote(char, safe='', errors='replace')}){plus})"


def _spellings(secret: str) -> tuple[str, ...]:
    """As it is, on one line, in the letters of a host or of a method, and as it stands inside JSON and inside what Python says of it."""
    plain = (secret, " ".join(secret.split()), secret.lower(), secret.upper())
    return *plain, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]
