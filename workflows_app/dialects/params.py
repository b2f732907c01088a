"""Parameters as a workflow takes them: checked against the template's schema, defaults filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from workflows_app.dialects.bounded_schema import TooMuchWork, unknown_names
from workflows_app.dialects.params_schema import errors as misfits
from workflows_app.graph.names import did_you_mean

Json = Any
PARAMS_SCHEMA = "_paramsSchema"  # in an inline workflow's metadata; names that begin with _ are not shown


class InvalidParams(ValueError):
    """Parameters do not fit the schema. `errors` says what is wrong by field (`customer.name`)."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__("; ".join(f"{field}: {message}" for field, message in self.errors.items()))


def accept(schema: Mapping[str, Json], params: Json) -> dict[str, Json]:
    """The parameters with the defaults of the schema. Raises InvalidParams that names every field."""
    if not isinstance(params, Mapping):
        raise InvalidParams({"params": "must be a JSON object"})
    filled = _with_defaults(schema, params)
    errors: dict[str, str] = {}
    try:
        for error in misfits(schema, filled):
            for field, message in _by_field(error):
                errors.setdefault(field, message)
    except TooMuchWork as error:
        errors["params"] = str(error)
    except RecursionError:
        errors["params"] = "the schema refers to itself without end"
    if errors:
        raise InvalidParams(errors)
    return filled


def _with_defaults(schema: Mapping[str, Json], value: Mapping[str, Json]) -> dict[str, Json]:
    filled = dict(value)
    for name, rule in schema.get("properties", {}).items():
        if not isinstance(rule, Mapping):
            continue
        if name not in filled and "default" in rule:
            filled[name] = rule["default"]
        if isinstance(filled.get(name), Mapping):
            filled[name] = _with_defaults(rule, filled[name])
    return filled


def _by_field(error: ValidationError) -> Iterator[tuple[str, str]]:
    """The field that is meant: for a missing or unknown one the path alone leads only to the object around it."""
    path = [str(part) for part in error.absolute_path]
    rule, schema, value = cast(Json, error.validator_value), cast(Json, error.schema), cast(Json, error.instance)
    if error.validator == "required":
        yield from ((".".join([*path, name]), "is missing") for name in rule if name not in value)
    elif error.validator == "additionalProperties" and rule is False:
        known = list(schema.get("properties", {}))
        yield from ((".".join([*path, name]), _unknown(name, known)) for name in unknown_names(value, schema))
    else:
        yield ".".join(path) or "params", error.message[:500]


def _unknown(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known) or (f"; there are: {', '.join(known)}" if known else "; this takes no parameters")
    return f"there is no such parameter{hint}"
