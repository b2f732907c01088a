"""How a dialect calls things: in its messages, and in the paths that lead an author to a problem."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """`node` is what a step is called, `root` the list they stand in, `kind` what an action is called; `id`, `action`, `config`
    and `needs` are the keys. An empty key: the path leads to the step itself. `advice` tells how a step comes to need another."""

    node: str = "step"
    root: str = "steps"
    kind: str = "action"
    id: str = "id"
    action: str = "action"
    config: str = "with"
    needs: str = "needs"
    advice: str = "add '{}' to its needs"


def joined(*parts: str) -> str:
    """A path out of its parts: `steps[2]`, `with`, `cases[0].next` make `steps[2].with.cases[0].next`."""
    path = ""
    for part in parts:
        path += part if not path or not part or part.startswith("[") else f".{part}"
    return path
