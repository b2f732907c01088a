"""The several ways to say which template to start with which parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from workflows_app.api import strict_json
from workflows_app.api.errors import refusal
from workflows_app.api.slugs import slug_of

ENVELOPE = {"template_id", "params"}
SCHEMA = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"template_id": {"type": "string"}, "params": {"type": "object"}},
            "required": ["template_id"],
            "additionalProperties": False,
        },
        {"type": "object", "description": "the parameters themselves, with `template_id` in the query"},
    ]
}


@dataclass(frozen=True, slots=True)
class Asked:
    template: str
    params: dict[str, Any]


def asked(request: HttpRequest, *, template_id: str | None, params: str | None) -> Asked:
    """From query and body: `template_id` in either, parameters as the bare body, as `params` in the body, or as `params` in
    the query holding JSON. Raises UnknownTemplate, and
    ValidationError when something is missing, unknown or said twice."""
    body = _object(strict_json.read(request), ["body"])
    named, given = _open(body)
    template = _one_template(template_id, named)
    return Asked(template, _one_of(_from_query(params), given))


def _open(body: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """`template_id` and parameters of a body: an envelope names a template, or holds nothing but an object `params`."""
    if "template_id" in body:
        _refuse_unknown(body)
        return _text(body["template_id"]), _object(body.get("params"), ["body", "params"])
    if set(body) == {"params"} and isinstance(body["params"], dict):
        return None, body["params"]
    return None, body


def _refuse_unknown(body: dict[str, Any]) -> None:
    for key in body:
        if key not in ENVELOPE:
            raise refusal(["body", key], "unknown key: beside `template_id` there may be `params` only", "extra_forbidden")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise refusal(["body", "template_id"], "must be a string", "string_type")
    return value


def _one_template(in_query: str | None, in_body: str | None) -> str:
    if in_query and in_body and in_query != in_body:
        raise refusal(["body", "template_id"], f"names {in_body!r} where the query names {in_query!r}", "conflict")
    if not (found := in_query or in_body):
        raise refusal(["query", "template_id"], "name a template, in the query or in the body", "missing")
    return slug_of(found)


def _from_query(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = strict_json.loads(text)
    except (strict_json.Malformed, strict_json.Refused) as error:
        raise refusal(["query", "params"], str(error), "json") from None
    return _object(value, ["query", "params"])


def _one_of(in_query: dict[str, Any], in_body: dict[str, Any]) -> dict[str, Any]:
    if in_query and in_body and in_query != in_body:
        raise refusal(["query", "params"], "parameters are in the query and in the body: send them once", "conflict")
    return in_body or in_query


def _object(value: Any, loc: list[str]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusal(loc, "must be a JSON object", "dict_type")
    return value
