"""Request bodies: read strictly, checked against a model, and told to the OpenAPI document."""

from __future__ import annotations

from typing import Any, TypeVar

from django.http import HttpRequest
from ninja.errors import ValidationError
from pydantic import BaseModel
from pydantic import ValidationError as ModelError

from workflows_app.api import strict_json
from workflows_app.api.errors import field_error

Model = TypeVar("Model", bound=BaseModel)


def body_of(request: HttpRequest, model: type[Model]) -> Model:
    """The body as this model; an absent one is an empty object. Raises what strict_json raises, and ValidationError."""
    value = strict_json.read(request)
    try:
        return model.model_validate({} if value is None else value)
    except ModelError as error:
        raise ValidationError(
            [field_error(["body", *found["loc"]], found["msg"], found["type"]) for found in error.errors(include_url=False)]
        ) from None


def takes(model: type[BaseModel], *, required: bool = False) -> dict[str, Any]:
    """`openapi_extra` of an operation whose body is this model. Models of bodies are flat, so their schema has no references."""
    return takes_schema(model.model_json_schema(), required=required)


def takes_schema(schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}
