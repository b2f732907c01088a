"""Graphs of up to 10,000 steps that do nothing, as the template dialect writes them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

Steps = list[dict[str, Any]]
MOST = 10_000


def chain(length: int) -> Steps:
    return [_step(f"s{place}", [f"s{place - 1}"] if place else ()) for place in range(length)]


def fan(count: int) -> Steps:
    """One, then all at once, then one that waits for all of them: `count` steps in all."""
    middle = [f"m{place}" for place in range(count - 2)]
    return [_step("first"), *(_step(id, ["first"]) for id in middle), _step("last", middle)]


def layers(count: int, dice: random.Random) -> Steps:
    """Layers of 1 to 40 steps, each of which needs one to three of the layer before."""
    steps: Steps = []
    above: list[str] = []
    while len(steps) < count:
        layer = [f"n{len(steps) + place}" for place in range(min(dice.randint(1, 40), count - len(steps)))]
        steps += [_step(id, sorted(dice.sample(above, min(len(above), dice.randint(1, 3))))) for id in layer]
        above = layer
    return steps


def template(name: str, steps: Steps) -> dict[str, Any]:
    return {"name": name, "steps": steps}


def _step(id: str, needs: Iterable[str] = ()) -> dict[str, Any]:
    return {"id": id, "action": "transform", "with": {"value": 1}, "needs": list(needs)}
