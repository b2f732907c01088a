"""Starting workflows: from a template, or from a definition that comes with the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.catalog.templates import UnknownTemplate, find_version
from workflows_app.catalog.validate import validate
from workflows_app.dialects.params import PARAMS_SCHEMA, InvalidParams, accept
from workflows_app.dialects.source import read
from workflows_app.engine import definitions
from workflows_app.engine.start import Order, start
from workflows_app.models import Workflow

__all__ = ["InvalidParams", "UnknownTemplate", "start_inline", "start_template"]

Json = Any


def start_template(
    *,
    slug: str,
    params: Mapping[str, Json],
    idempotency_key: str | None = None,
    now: datetime,
    version: int | None = None,
    by: User | None = None,
) -> Workflow:
    """A workflow pinned to that version of a template, or to the current one; `by` is who starts it.

    Raises UnknownTemplate, InvalidParams, and IdempotencyConflict when the key came with another payload.
    """
    found = find_version(slug, version)
    template = found.template
    order = Order(
        definition=found.definition,
        name=template.name,
        description=template.description,
        tags=template.tags,
        params=accept(found.params_schema, params),
        template_version=found,
        idempotency_key=idempotency_key,
        idempotency_digest=digest({"template": slug, "version": version}, params),
        started_by_id=by.pk if by else None,
    )
    return start(order=order, now=now)


def start_inline(
    *,
    name: str,
    dialect: str = "template",
    definition: Mapping[str, Json] | str,
    params: Mapping[str, Json],
    idempotency_key: str | None = None,
    now: datetime,
    by: User | None = None,
) -> Workflow:
    """A workflow of a definition that no template holds; `name` is put in where the definition has none.

    Raises DefinitionError, UnknownDialect, InvalidParams, IdempotencyConflict.
    """
    compiled = validate(_named(name, definition), dialect)
    accepted = accept(compiled.params_schema, params)
    order = Order(
        definition=definitions.store(definition=compiled.definition, now=now),
        name=name or compiled.name,
        description=compiled.description,
        tags=compiled.tags,
        params=accepted,
        idempotency_key=idempotency_key,
        idempotency_digest=digest({"name": name, "dialect": dialect, "definition": definition}, params),
        metadata={PARAMS_SCHEMA: compiled.params_schema},
        started_by_id=by.pk if by else None,
    )
    return start(order=order, now=now)


def _named(name: str, definition: Mapping[str, Json] | str) -> Mapping[str, Json] | str:
    value = read(definition).value if name and isinstance(definition, str) else definition
    return {"name": name, **value} if isinstance(value, Mapping) and "name" not in value else definition


def digest(what: Mapping[str, Json], params: Mapping[str, Json]) -> str:
    """SHA-256 of the payload's canonical JSON: the order of keys and blanks do not matter."""
    text = json.dumps([what, params], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
