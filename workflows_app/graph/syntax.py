"""The expression language: what may stand between `{{` and `}}`, checked token by token.

Paths, literals, arithmetic, comparisons and a short list of filters and tests. No calls, no attributes of
Python objects, no loops: an expression is looked up and computed, never a program. A hyphen between two word
characters belongs to the name (`a-b.output`); a subtraction needs blanks around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Path = tuple[str | int, ...]
MAX_LENGTH = 2_000
MAX_PATHS = 20

NUMERIC_FILTERS = frozenset({"abs", "count", "float", "int", "length", "round", "sum"})
FILTERS = NUMERIC_FILTERS | {
    "capitalize", "d", "default", "first", "join", "last", "lower", "max", "min", "replace",
    "reverse", "sort", "string", "title", "tojson", "trim", "unique", "upper",
}  # fmt: skip
TESTS = frozenset({"boolean", "defined", "even", "false", "mapping", "none", "number", "odd", "sequence", "string", "true", "undefined"})
KEYWORDS = frozenset({"and", "else", "false", "if", "in", "is", "none", "not", "null", "or", "true", "False", "None", "True"})

_TEXT = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_NAME = r"(?:[A-Za-z_][\w-]*|\d[\w-]*[A-Za-z_][\w-]*|\d+(?=\.[A-Za-z_]))"
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w|-\w*[A-Za-z_]|\.[A-Za-z_]))
    | (?P<text>{_TEXT})
    | (?P<path>{_NAME}(?:\.\w[\w-]*|\[\s*(?:-?\d+|{_TEXT})\s*\])*)
    | (?P<attribute>(?<=[\])])\.[A-Za-z]\w*)
    | (?P<sign>==|!=|<=|>=|//|[-+*/%<>()|,:\[\]])
    )""",
    re.VERBOSE,
)
_SEGMENT = re.compile(rf"\.(\w[\w-]*)|\[\s*(-?\d+)\s*\]|\[\s*({_TEXT})\s*\]")
_HOLE = re.compile(r"\{\{((?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^'\"}]|\}(?!\}))*)\}\}", re.DOTALL)


class ExpressionSyntaxError(ValueError):
    """An expression cannot be read; the message quotes it and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, text, path, attribute (`.q` after a bracket), word (keyword, filter or test) or sign."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. `source` is the text with every path replaced by `v0`, `v1`, ... in the order of `paths`.

    `factors` are the indices of the paths that a multiplication might meet as they are: they must hold numbers.
    """

    text: str
    source: str
    paths: tuple[Path, ...]
    factors: tuple[int, ...] = ()

    @property
    def is_path(self) -> bool:
        return self.source == "v0"


@lru_cache(maxsize=4096)
def split(text: str) -> tuple[str | Expression, ...]:
    """The literal pieces and the expressions of a text, in order. Raises ExpressionSyntaxError."""
    pieces: list[str | Expression] = []
    end = 0
    for hole in _HOLE.finditer(text):
        pieces += [_literal(text[end : hole.start()]), parse(hole.group(1).strip())]
        end = hole.end()
    return tuple(piece for piece in (*pieces, _literal(text[end:])) if piece != "")


def _literal(text: str) -> str:
    if "{{" in text:
        raise ExpressionSyntaxError(f"`{text[text.index('{{') :][:60]}` is not closed: `}}}}` is missing")
    return text


def parse(text: str) -> Expression:
    """Read one expression (without its braces). Raises ExpressionSyntaxError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionSyntaxError(f"an expression may have {MAX_LENGTH} characters, this one has {len(text)}")
    tokens = list(_classify(text, list(_scan(text))))
    if not tokens:
        raise ExpressionSyntaxError("`{{ }}` is empty: name a value, such as `params.day`")
    paths = tuple(_path(token.text) for token in tokens if token.kind == "path")
    if len(paths) > MAX_PATHS:
        raise ExpressionSyntaxError(f"an expression may read {MAX_PATHS} values, this one reads {len(paths)}")
    return Expression(text=text, source=_source(tokens), paths=paths, factors=_factors(text, tokens))


def _scan(text: str) -> Iterator[Token]:
    end, stripped = 0, len(text.rstrip())
    while end < stripped:
        match = _TOKEN.match(text, end)
        if match is None:
            raise ExpressionSyntaxError(f"`{text}`: `{text[end:].strip()[:20]}` is not understood here")
        yield Token(str(match.lastgroup), match.group(str(match.lastgroup)))
        end = match.end()


def _classify(text: str, tokens: list[Token]) -> Iterator[Token]:
    """Tell paths from keywords, filters and tests, and refuse whatever is not on a list."""
    before: list[str] = ["", ""]
    for token in tokens:
        if before[1] == "|":
            yield _listed(text, token, FILTERS, "filter")
        elif before[1] == "is" or (before == ["is", "not"]):
            yield Token("word", "not") if token.text == "not" else _listed(text, token, TESTS, "test")
        elif token.text == "(" and before[1][-1:].isalnum() and before[1] not in KEYWORDS | FILTERS:
            raise ExpressionSyntaxError(
                f"`{text}`: `{before[1]}(...)`: an expression cannot call anything; filters are written `value|filter`"
            )
        elif token.kind == "path" and token.text in KEYWORDS:
            yield Token("word", token.text)
        else:
            yield token
        before = [before[1], token.text]


def _listed(text: str, token: Token, known: frozenset[str], what: str) -> Token:
    if token.text not in known:
        raise ExpressionSyntaxError(f"`{text}`: there is no {what} `{token.text}`; there are: {', '.join(sorted(known))}")
    return Token("word", token.text)


def _source(tokens: list[Token]) -> str:
    words, index = [], 0
    for token in tokens:
        words.append(f"v{index}" if token.kind == "path" else token.text)
        index += token.kind == "path"
    return " ".join(words)


def _path(text: str) -> Path:
    first = re.match(_NAME, text)
    assert first is not None  # noqa: S101  (the token pattern begins with the same name)
    segments: list[str | int] = [first.group()]
    for name, index, quoted in _SEGMENT.findall(text[first.end() :]):
        segments.append(int(index) if index else name or quoted[1:-1])
    return tuple(segments)


def _factors(text: str, tokens: list[Token]) -> tuple[int, ...]:
    """With a `*`, texts and lists are out: `'x' * 50000000` must not be possible, neither here nor through a value."""
    if all(token.text != "*" or token.kind != "sign" for token in tokens):
        return ()
    for before, token in zip([None, *tokens], tokens, strict=False):
        is_filter = before is not None and before.text == "|"
        if token.kind == "text" or token.text in "[]" or (is_filter and token.text not in NUMERIC_FILTERS):
            raise ExpressionSyntaxError(f"`{text}`: with `*` only numbers may be used, not `{token.text}`")
    return tuple(_unfiltered_paths(tokens))


def _unfiltered_paths(tokens: list[Token]) -> Iterator[int]:
    index = 0
    for token, after in zip(tokens, [*tokens[1:], Token("", "")], strict=True):
        if token.kind == "path":
            if after.text != "|":
                yield index
            index += 1
