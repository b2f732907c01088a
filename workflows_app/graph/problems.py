"""What is wrong with a definition: every problem, each naming the node and the field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `path` leads to it (`steps[3].needs`), `line` and `column` (from 1) where the source has them."""

    message: str
    path: str = ""
    node: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"


class DefinitionError(ValueError):
    """A definition is refused; `problems` holds all that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def first(problems: Iterable[Problem]) -> list[Problem]:
    """The first MAX_PROBLEMS: what a text can get wrong in a million places is not worked out a million times."""
    return list(islice(problems, MAX_PROBLEMS))
