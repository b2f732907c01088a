"""The small language of the search box: words of the name, and `key:value` or `key:"several words"`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KEYS = ("tag", "step", "error", "template", "parent", "status", "since", "is")
WAITING = "waiting"
TOKEN = re.compile(r'(?:([A-Za-z_]+):)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*|(?<=:)(?=\s|$)|"\S*))')
MAX_CHARACTERS, MAX_TERMS = 500, 20  # each is one more thing to look for in every row


@dataclass(frozen=True, slots=True)
class Term:
    """One part of what was typed; a word of the name has no key. `typed` is how it stands in the box."""

    key: str
    value: str
    typed: str


@dataclass(frozen=True, slots=True)
class Query:
    """`problems` says of each part that means nothing why, and what is allowed; such a part is not among the terms."""

    terms: tuple[Term, ...]
    problems: tuple[str, ...] = ()

    def values(self, key: str) -> list[str]:
        return [term.value for term in self.terms if term.key == key]

    def without(self, dropped: Term) -> str:
        return " ".join(term.typed for term in self.terms if term != dropped)


def parse(text: str) -> Query:
    terms, problems = [], []
    for term in _terms(text[:MAX_CHARACTERS]):
        problem = _problem(term)
        if problem:
            problems.append(problem)
        elif term.value:
            terms.append(term)
    if len(terms) > MAX_TERMS:
        problems.append(
            f"The search has {len(terms)} parts; the first {MAX_TERMS} were looked for. Put words that belong together in quotes."
        )
    return Query(tuple(terms[:MAX_TERMS]), tuple(problems))


def quoted(value: str) -> str:
    """As the value of a key that holds spaces or quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _terms(text: str) -> Iterator[Term]:
    for found in TOKEN.finditer(text):
        key, in_quotes, plain = found.groups()
        value = plain if in_quotes is None else re.sub(r"\\(.)", r"\1", in_quotes)
        yield Term((key or "").lower(), value.strip(), found[0])


def _problem(term: Term) -> str:
    if term.key and term.key not in KEYS:
        known = ", ".join(f"{key}:" for key in KEYS)
        return f"“{term.key}:” is not a key of the search. Use {known} or words of the name; a name with a colon goes in quotes."
    if term.key == "is" and term.value != WAITING:
        return f"“{term.typed}” is not known. There is is:{WAITING}, for what is active while nothing of it runs."
    if not term.value:
        return f"“{term.typed}” is not complete: write {term.key}:something, without a space after the colon." if term.key else ""
    return ""
