"""What a pydantic model refused, in plain words and with a path an author can follow."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from workflows_app.graph.names import did_you_mean

MAX_SHOWN = 60
MAX_DESCRIBED = 200


@dataclass(frozen=True, slots=True)
class Misfit:
    """One refused value. `is_key` tells that a key is unknown or missing, whatever the values are."""

    path: str
    message: str
    is_key: bool
    value: Any


def describe(model: type[BaseModel], error: ValidationError, data: Any) -> list[Misfit]:
    """The errors (the first MAX_DESCRIBED) of validating `data` as `model`; unknown keys come with the nearest known one."""
    misfits = [_misfit(model, detail, data) for detail in error.errors(include_url=False)[:MAX_DESCRIBED]]
    values: dict[str, list[Misfit]] = {}
    for misfit in misfits:
        if not misfit.is_key:
            values.setdefault(misfit.path, []).append(misfit)
    return [misfit for misfit in misfits if misfit.is_key] + [_merged(tried) for tried in values.values()]


def _merged(tried: list[Misfit]) -> Misfit:
    """Several types were tried on one value: one message that names them all."""
    first, *others = tried
    if not others:
        return first
    wanted = [first.message, *(misfit.message.removeprefix("must be ") for misfit in others)]
    message = " or ".join([*(words.rpartition(", not ")[0] for words in wanted[:-1]), wanted[-1]])
    return replace(first, message=message)


def _misfit(model: type[BaseModel], detail: Any, data: Any) -> Misfit:
    loc, kind = tuple(detail["loc"]), detail["type"]
    path = _path(loc, data, keep_last=kind == "missing")
    if kind == "extra_forbidden":
        return Misfit(path, _unknown_key(model, loc), True, detail["input"])
    if kind == "missing":
        return Misfit(path, f"'{loc[-1]}' is missing", True, detail["input"])
    return Misfit(path, _words(detail), False, detail["input"])


def _unknown_key(model: type[BaseModel], loc: tuple[Any, ...]) -> str:
    known = _keys(_model_at(model, loc[:-1]))
    hint = did_you_mean(str(loc[-1]), known) or (f"; there are: {', '.join(known)}" if known else "; no keys are expected here")
    return f"there is no key '{loc[-1]}'{hint}"


def _words(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ").replace("Input should ", "must ")
    if detail["type"] in {"value_error", "assertion_error"}:
        return message
    shown = repr(detail["input"])
    return f"{message}, not {shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN] + '...'}"


def _path(loc: tuple[Any, ...], data: Any, *, keep_last: bool) -> str:
    """`cases[0].next`. Where pydantic tried several types it adds their names, which no author wrote: they are left out."""
    path = ""
    for index, part in enumerate(loc):
        is_last_key = keep_last and index == len(loc) - 1
        if isinstance(part, int) and isinstance(data, list | tuple) and part < len(data):
            path, data = f"{path}[{part}]", data[part]
        elif isinstance(data, Mapping) and (part in data or is_last_key):
            path, data = f"{path}.{part}" if path else str(part), data.get(part)
    return path


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_at(model: type[BaseModel] | None, loc: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model that checks the mapping at `loc`."""
    for part in loc:
        if model is None or not isinstance(part, str):
            continue
        field = next((field for name, field in model.model_fields.items() if part in (name, field.alias)), None)
        model = next(_models_in(field.annotation), None) if field else model
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
