"""From the bytes of a file to its model, with every refusal naming the file and the field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from workflows_app.dialects.misfits import describe
from workflows_app.engine.archive.files import Unfit
from workflows_app.graph import strict_json

Json = Any
Model = TypeVar("Model", bound=BaseModel)
MAX_DEPTH = 500


def document(model: type[Model], data: bytes, file: str) -> tuple[Model, Json]:
    """The file as its model, and as the JSON it is. Raises Unfit."""
    value = _decoded(data, file)
    try:
        return model.model_validate(value), value
    except ValidationError as error:
        misfit = describe(model, error, value)[0]
        raise Unfit(file, misfit.message, field=misfit.path) from None


def _decoded(data: bytes, file: str) -> Json:
    try:
        value = strict_json.decode(data, max_depth=MAX_DEPTH)
    except (strict_json.Malformed, strict_json.Refused) as error:
        raise Unfit(file, str(error)) from None
    _check(value, file)
    return value


def _check(value: Json, file: str) -> None:
    """Depth and characters, with the path to what is wrong. It holds no more than one path in memory."""
    open_parts: list[Iterator[tuple[str, Json]]] = [iter([("", value)])]
    path: list[str] = []
    while open_parts:
        name, item = next(open_parts[-1], (None, None))
        if name is None:
            open_parts.pop()
            del path[-1:]
            continue
        if not (strict_json.is_plain(name) and (not isinstance(item, str) or strict_json.is_plain(item))):
            raise Unfit(file, str(strict_json.not_plain()), field=_place([*path, name]))
        if isinstance(item, dict | list):
            if len(path) > MAX_DEPTH:
                raise Unfit(file, str(strict_json.too_deep(MAX_DEPTH)), field=_place(path))
            open_parts.append(_parts(item))
            path.append(name)


def _parts(item: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(item, dict):
        return ((f".{key}", value) for key, value in item.items())
    return ((f"[{index}]", value) for index, value in enumerate(item))


def _place(path: list[str]) -> str:
    return "".join(path).lstrip(".")
