"""JSONLogic (jsonlogic.com) over the names of a workflow, within limits of depth, size and work."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from json_logic.apply import apply  # type: ignore[import-untyped]
from json_logic.builtins import BUILTINS, to_bool  # type: ignore[import-untyped]

from workflows_app.graph.names import did_you_mean, reference
from workflows_app.graph.syntax import Path
from workflows_app.graph.weight import MAX_WEIGHT, weigh

Json = Any
MAX_DEPTH = 32
MAX_OPERATIONS = 1_000
MAX_WORK = 1_000_000  # about a second
LEAST_WORK = 2_000

CONTROL = frozenset({"if", "?:", "and", "or"})
LOOPS = frozenset({"map", "filter", "reduce", "all", "some", "none"})
OPERATIONS = frozenset(BUILTINS) | CONTROL | LOOPS

_TICK = "\0tick"
_FAILURES = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, ReferenceError)


class ConditionError(ValueError):
    """A condition cannot be evaluated, or asks for more than the limits allow."""


def evaluate(logic: Json, data: Json, *, work: int = MAX_WORK) -> Json:
    """The value of `logic` over `data`, in so much work. Raises ConditionError."""
    check(logic)
    try:
        result = apply(_metered(logic), dict(data) if isinstance(data, Mapping) else data, _operations(_Budget(work)))
    except _FAILURES as error:
        raise error if isinstance(error, ConditionError) else ConditionError(f"the condition cannot be computed: {error}") from None
    _sized(result)
    for number in _not_finite(result):
        raise ConditionError(f"the condition gives {number}, which JSON cannot hold: is one of its values not a number?")
    return result


def _not_finite(value: Json) -> Iterator[float]:
    queue = [value]
    while queue:
        item = queue.pop()
        if isinstance(item, float) and not math.isfinite(item):
            yield item
        elif isinstance(item, list | Mapping):
            queue += item.values() if isinstance(item, Mapping) else item


def holds(logic: Json, data: Json, *, work: int = MAX_WORK) -> bool:
    """Whether `logic` is truthy over `data`, as JSONLogic has it. Raises ConditionError."""
    return bool(to_bool(evaluate(logic, data, work=work)))


def share(count: int) -> int:
    """The work that each of so many conditions may take, so that all together take about as much as one may. It depends on how many
    they are and not on what the others do: nobody's condition starves another's."""
    return max(LEAST_WORK, MAX_WORK // max(1, count))


def check(logic: Json) -> None:
    """Raise ConditionError when `logic` is too deep or too long or uses an unknown operation."""
    operations = 0
    queue = [(logic, 1)]
    while queue:
        item, depth = queue.pop()
        if depth > MAX_DEPTH:
            raise ConditionError(f"the condition nests deeper than {MAX_DEPTH} levels")
        operations += 1 if isinstance(item, dict | list) else 0
        if operations > MAX_OPERATIONS:
            raise ConditionError(f"the condition has more than {MAX_OPERATIONS:,} operations")
        if rule := rule_of(item):
            _check_rule(*rule)
        queue += [(part, depth + 1) for part in _parts(item)]


def _check_rule(operation: str, arguments: list[Json]) -> None:
    if operation not in OPERATIONS:
        raise ConditionError(f"there is no operation '{operation}'{did_you_mean(operation, OPERATIONS)}")
    if operation == "reduce" and len(arguments) > 2 and rule_of(arguments[2]):
        raise ConditionError("the start value of 'reduce' must be a plain value, not a rule")


def rule_of(item: Json) -> tuple[str, list[Json]] | None:
    """The operation of a rule and its arguments; `None` for plain data (also an object that has not exactly one key)."""
    if not isinstance(item, dict) or len(item) != 1:
        return None
    operation, arguments = next(iter(item.items()))
    return str(operation), arguments if isinstance(arguments, list) else [arguments]


def _parts(item: Json) -> list[Json]:
    if rule := rule_of(item):
        return rule[1]
    return list(item) if isinstance(item, list) else []


def references(logic: Json) -> set[str] | None:
    """The names that `logic` reads (see `names.reference`); `None` when only evaluation can tell."""
    found = paths(logic)
    return None if found is None else {reference(path) for path in found}


def paths(logic: Json) -> list[Path] | None:
    """Every path that `logic` reads from the workflow's names; `None` when only evaluation can tell."""
    found: list[Path] = []
    for keys in _reads(logic):
        if not isinstance(keys, str) or not keys:
            return None
        found.append(tuple(keys.split(".")))
    return found


def _reads(logic: Json) -> Iterator[Json]:
    """What `var`, `missing` and `missing_some` are asked for. Inside a loop they read its element, not the names."""
    rule = rule_of(logic)
    if rule is None:
        for part in _parts(logic):
            yield from _reads(part)
        return
    operation, arguments = rule
    if operation == "var":
        yield arguments[0] if arguments else ""
    if operation in {"missing", "missing_some"}:
        yield from _missing_keys(arguments if operation == "missing" else arguments[1:2])
    for part in arguments[: 1 if operation in LOOPS else None]:
        yield from _reads(part)


def _missing_keys(arguments: list[Json]) -> Iterator[Json]:
    for argument in arguments:
        yield from argument if isinstance(argument, list) else [argument]


@dataclass(slots=True)
class _Budget:
    """How much one evaluation may still do: loops multiply the work that the text shows."""

    left: int = MAX_WORK

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ConditionError("the condition needs too much work: its loops multiply")


def _metered(logic: Json) -> Json:
    """The same logic, with the body of every loop paying for itself each time it runs."""
    rule = rule_of(logic)
    if rule is None:
        return [_metered(part) for part in logic] if isinstance(logic, list) else logic
    operation, arguments = rule
    parts = [_metered(part) for part in arguments]
    if operation in LOOPS and len(parts) > 1:
        parts[1] = {_TICK: [_size(arguments[1]), parts[1]]}
    return {operation: parts}


def _size(logic: Json) -> int:
    return 1 + sum(_size(part) for part in _parts(logic))


@dataclass(slots=True)
class _Guarded:
    """One operation that cannot blow up: its arguments have a size, its numbers a length."""

    operation: Callable[..., Json]
    budget: _Budget

    def __call__(self, data: Json, *arguments: Json) -> Json:
        self.budget.spend(1 + _sized(arguments) // 100)
        result = self.operation(data, *arguments)
        return float(result) if isinstance(result, int) and abs(result) > 2**63 else result


def _sized(values: Json) -> int:
    size = weigh(values)
    if size > MAX_WEIGHT:
        raise ConditionError(f"the condition makes something larger than {MAX_WEIGHT:,} characters")
    return size


def _operations(budget: _Budget) -> dict[str, Any]:
    def tick(data: Json, cost: int, value: Json) -> Json:
        budget.spend(cost + _sized(value) // 100)
        return value

    table: dict[str, Any] = {name: _Guarded(operation, budget) for name, operation in BUILTINS.items()}
    table["log"] = _Guarded(lambda data, value=None, *_: value, budget)
    return table | {_TICK: tick}
