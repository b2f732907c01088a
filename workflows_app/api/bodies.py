"""Request bodies: read strictly, checked against a model, and told to the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from django.http import HttpRequest
from ninja.errors import ValidationError
from pydantic import BaseModel
from pydantic import ValidationError as ModelError

from workflows_app.api import strict_json
from workflows_app.api.errors import field_error, refusal
from workflows_app.graph.names import did_you_mean

Model = TypeVar("Model", bound=BaseModel)
WANTED = {
    "string_type": "text",
    "dict_type": "a JSON object",
    "model_type": "a JSON object",
    "model_attributes_type": "a JSON object",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}


def body_of(request: HttpRequest, model: type[Model]) -> Model:
    """The body as this model; an absent one is an empty object. Raises what strict_json raises, and ValidationError."""
    value = strict_json.read(request)
    try:
        return model.model_validate({} if value is None else value)
    except ModelError as error:
        raise ValidationError(list(_told(model, error))) from None


def object_of(request: HttpRequest) -> dict[str, Any]:
    """The body as an object with any keys; an absent one is empty. Raises what strict_json raises, and ValidationError."""
    value = strict_json.read(request)
    if value is not None and not isinstance(value, dict):
        raise refusal(["body"], "must be a JSON object", "dict_type")
    return value or {}


def _told(model: type[BaseModel], error: ModelError) -> Iterator[dict[str, Any]]:
    """One entry for each field: where several types were tried on a value, one that names them all."""
    by_field: dict[tuple[str | int, ...], list[Any]] = {}
    for found in error.errors(include_url=False):
        by_field.setdefault(found["loc"][:1], []).append(found)
    for loc, tried in by_field.items():
        yield field_error(["body", *loc], _words(model, tried), tried[0]["type"])


def _words(model: type[BaseModel], tried: list[Any]) -> str:
    """A plain sentence in the words of JSON."""
    first, kinds = tried[0], [found["type"] for found in tried]
    if first["type"] == "extra_forbidden":
        known = [field.alias or name for name, field in model.model_fields.items()]
        hint = did_you_mean(str(first["loc"][0]), known) or f"; there are: {', '.join(known)}"
        return f"unknown key{hint}"
    if first["type"] == "missing":
        return "is missing"
    if all(kind in WANTED for kind in kinds):
        return f"must be {' or '.join(WANTED[kind] for kind in kinds)}"
    return str(first["msg"]).removeprefix("Value error, ").replace("Input should ", "must ").replace("String should ", "must ")


def takes(model: type[BaseModel], *, required: bool = False) -> dict[str, Any]:
    """`openapi_extra` of an operation whose body is this model. Models of bodies are flat, so their schema has no references."""
    return takes_schema(model.model_json_schema(), required=required)


def takes_schema(schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}
