"""The page that starts a workflow from a template: the form, and what will run beside it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from workflows_app.dashboard import params_form, start_plan
from workflows_app.dashboard.looks import plural
from workflows_app.dashboard.start_plan import Plan
from workflows_app.dashboard.start_values import Values
from workflows_app.models import Template, TemplateVersion

MOST_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class StartPage:
    """`problems` are errors that belong to no field of the form; `versions` are `(number, words)`."""

    template: Template
    version: TemplateVersion
    versions: list[tuple[int, str]]
    is_current: bool
    dialect: str
    fields: list[params_form.Field]
    problems: list[str]
    values: Values
    key: str
    source_uid: str
    kept: str
    plan: Plan


def build(
    version: TemplateVersion,
    values: Values,
    *,
    now: datetime,
    errors: Mapping[str, str] | None = None,
    key: str = "",
    source_uid: str = "",
) -> StartPage:
    """`key` is the form's idempotency key: the same form sent twice starts one workflow."""
    template, found = version.template, errors or {}
    fields = params_form.fields(version.params_schema, values.params, found)
    return StartPage(
        template=template,
        version=version,
        versions=_versions(template),
        is_current=version.pk == template.current_id,
        dialect=f"{version.dialect} dialect",
        fields=fields,
        problems=_problems(fields, found, values),
        values=values,
        key=key or str(uuid.uuid4()),
        source_uid=source_uid,
        kept=_kept(version.retention_days),
        plan=start_plan.build(version, values.params, now=now),
    )


def _problems(fields: list[params_form.Field], errors: Mapping[str, str], values: Values) -> list[str]:
    """In the view for JSON no error has a field of its own."""
    return params_form.problems([] if values.is_json else fields, errors)


def _versions(template: Template) -> list[tuple[int, str]]:
    rows = template.versions.order_by("-number").values_list("number", "note")[:MOST_VERSIONS]
    current = template.current.number if template.current else 0
    return [(number, f"v{number}{' (published)' if number == current else ''}{f' – {note[:60]}' if note else ''}") for number, note in rows]


def _kept(days: int | None) -> str:
    """How long its ended workflows stay."""
    days = settings.ENV.retention_days if days is None else days
    return f"kept for {plural(days, 'day')}" if days else "kept for ever"
