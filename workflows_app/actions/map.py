"""`map`: one step for each element of a list; the results come back in its order (CONTRACT.md section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field, field_validator

from workflows_app.actions.base import Action, Config, Context, Element, Fail, Json, Spread
from workflows_app.actions.wording import span
from workflows_app.graph.expressions import is_templated
from workflows_app.graph.lookup import MISSING, explain, find, kind
from workflows_app.graph.statuses import ACTIVE
from workflows_app.graph.syntax import Path, parse

MAX_ELEMENTS = 10_000
NAMED_ERRORS = 3
MAX_ERRORS = 100
MAX_ERROR_CHARACTERS = 500


class MapConfig(Config):
    """What to spread over, and what to make of the results. The step to do with each element stands beside it, under `do`."""

    items: Json = Field(description="the list, at most 10,000 elements; `do` sees each as `item`, its place as `index`")
    limit: int = Field(0, ge=0, le=1000, description="how many elements at once, 0 for no limit")
    failures: Literal["fail_fast", "fail_at_end", "tolerate"] = Field(
        "fail_fast", description="fail and start no further element; let all end, then fail; give null for those that failed"
    )
    collect: str = Field("", description="a path into each element's output, such as `body.id`; else the whole output")

    @field_validator("collect")
    @classmethod
    def _a_path(cls, collect: str) -> str:
        if collect:
            _path(collect)
        return collect


class Map(Action):
    """Output: `{"results", "count", "succeeded", "failed", "skipped", "errors"}`; an element that failed or was skipped gives null."""

    name = "map"
    config = MapConfig
    is_instant = True
    waits = True
    body_key = "do"

    def run(self, config: MapConfig, context: Context) -> Json | Spread:
        if context.resume is not None:
            return _gathered(config, context)
        items = _elements(config.items)
        if not items:
            context.log("The list is empty: nothing to do")
            return _summary([], ())
        context.log(f"{len(items):,} elements, {f'{config.limit} at once' if config.limit else 'without a limit'}")
        return Spread(elements=items, limit=config.limit, stop_on_failure=config.failures == "fail_fast")

    def check(self, config: Mapping[str, Json]) -> list[tuple[str, str]]:
        problems, items = super().check(config), config.get("items", [])
        if not isinstance(items, str) or not is_templated(items):
            problems += [("items", message) for message in _misfit(items)]
        return problems


def _elements(items: Json) -> Sequence[Json]:
    for message in _misfit(items):
        raise Fail(f"'items' {message}")
    return list(items)


def _misfit(items: Json) -> Iterator[str]:
    if not isinstance(items, list):
        yield f"must be a list, it is {kind(items)}"
    elif len(items) > MAX_ELEMENTS:
        yield f"has {len(items):,} elements; a map takes {MAX_ELEMENTS:,} at most"


def _gathered(config: MapConfig, context: Context) -> Json:
    elements = context.elements
    failed = [index for index, element in enumerate(elements) if element.status == "FAILED"]
    if failed and config.failures != "tolerate":
        raise Fail(_complaint(elements, failed))
    if left := sum(element.status in ACTIVE for element in elements):
        raise Fail(f"{left:,} of {len(elements):,} elements had not ended within {span(context.own_timeout_seconds or 0)}")
    path = _path(config.collect) if config.collect else ()
    summary = _summary([_collected(path, index, element) for index, element in enumerate(elements)], elements)
    context.log(f"{summary['succeeded']:,} of {summary['count']:,} elements succeeded, {summary['failed']:,} failed")
    return summary


def _summary(results: list[Json], elements: Sequence[Element]) -> dict[str, Json]:
    """`errors` holds the first 100; `failed` counts all."""
    failed = [(index, element) for index, element in enumerate(elements) if element.status == "FAILED"]
    succeeded = sum(element.status == "COMPLETED" for element in elements)
    errors = [{"index": index, "error": element.error[:MAX_ERROR_CHARACTERS]} for index, element in failed[:MAX_ERRORS]]
    skipped = len(elements) - succeeded - len(failed)
    return {
        "results": results, "count": len(elements), "succeeded": succeeded, "failed": len(failed), "skipped": skipped, "errors": errors,
    }  # fmt: skip


def _complaint(elements: Sequence[Element], failed: list[int]) -> str:
    named = "; ".join(f"[{index}] {elements[index].error[:MAX_ERROR_CHARACTERS]}" for index in failed[:NAMED_ERRORS])
    rest = f"; and {len(failed) - NAMED_ERRORS:,} more" if len(failed) > NAMED_ERRORS else ""
    return f"{len(failed):,} of {len(elements):,} elements failed: {named}{rest}"


def _collected(path: Path, index: int, element: Element) -> Json:
    if element.status != "COMPLETED":
        return None
    value = find(path, element.output)
    if value is MISSING:
        why = explain(("output", *path), {"output": element.output})
        raise Fail(f"'collect' leads nowhere for element {index}: {why}")
    return value


def _path(collect: str) -> Path:
    expression = parse(f"output.{collect}")
    if not expression.is_path:
        raise ValueError(f"{collect!r} is no path: write it as `body.id` or `rows[0].id`")
    return expression.paths[0][1:]
