"""The parameters that a start form holds: typed into its fields or as JSON, or taken from an earlier workflow."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from workflows_app.dashboard import params_form
from workflows_app.dashboard.forms import NotJson, json_of
from workflows_app.models import Template, TemplateVersion, Workflow

Json = Any
LAST = "last"
MAX_JSON_CHARACTERS = 1_000_000
LATEST_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class Values:
    """`text` is what stands in the field for JSON, `error` why it holds no parameters."""

    params: Mapping[str, Json]
    text: str = ""
    error: str = ""
    is_json: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)


def read(schema: Mapping[str, Json], posted: QueryDict) -> Values:
    """As the form was when it was sent: its fields, or its JSON."""
    if posted.get("view") != "json":
        return Values(params_form.read(schema, posted))
    text = posted.get("json", "").replace("\0", "")
    try:
        params = json_of(text[:MAX_JSON_CHARACTERS]) if text.strip() else {}
    except NotJson as error:
        return Values({}, text, str(error), is_json=True)
    if not isinstance(params, dict):
        return Values({}, text, "must be a JSON object, such as {}", is_json=True)
    return Values(params, text, is_json=True)


def shown(values: Values, *, as_json: bool) -> Values:
    """The same in the other view. What is no JSON object stays in the field where it was typed."""
    if values.error or as_json == values.is_json:
        return values
    text = json.dumps(values.params, indent=2, ensure_ascii=False) if as_json else ""
    return Values(values.params, text, is_json=as_json)


def earlier(template: Template, source: str) -> Workflow | None:
    """The workflow whose parameters fill the form: `last` is the template's latest, else it is an id."""
    rows = Workflow.objects.only("uid", "params", "name")
    if source == LAST:
        latest = [found for version in template.versions.order_by("-number")[:LATEST_VERSIONS] if (found := _last_of(version))]
        return rows.filter(pk__in=latest).order_by("-pk").first()
    try:
        return rows.filter(uid=uuid.UUID(source)).first()
    except ValueError:
        return None


def _last_of(version: TemplateVersion) -> int | None:
    """Asked for each version: of all together a database would look through every workflow there is."""
    rows = Workflow.objects.filter(template_version=version, parent_step__isnull=True)
    return rows.order_by("-pk").values_list("pk", flat=True).first()
