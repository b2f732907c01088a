"""Submitting: a definition is checked and stored with an execution that begins when it is triggered (CONTRACT.md section 6)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.catalog.start import digest
from workflows_app.catalog.validate import validate
from workflows_app.dialects.params import PARAMS_SCHEMA
from workflows_app.engine import definitions
from workflows_app.engine.start import Order, start
from workflows_app.models import Workflow

Json = Any
DIALECT = "dag"


def submit(
    *, name: str, definition: Mapping[str, Json], idempotency_key: str | None = None, now: datetime, by: User | None = None
) -> Workflow:
    """A workflow of the dag dialect that is PENDING and not started; without a `name` it has that of the definition.
    Raises DefinitionError, IdempotencyConflict."""
    compiled = validate(definition, DIALECT)
    order = Order(
        definition=definitions.store(definition=compiled.definition, now=now),
        name=name or compiled.name,
        description=compiled.description,
        tags=compiled.tags,
        idempotency_key=idempotency_key,
        idempotency_digest=digest({"submit": name, "dialect": DIALECT, "definition": definition}, {}),
        metadata={PARAMS_SCHEMA: compiled.params_schema},
        awaits_trigger=True,
        started_by_id=by.pk if by else None,
    )
    return start(order=order, now=now)


def definition_id(workflow: Workflow) -> uuid.UUID:
    """The id of the definition to the world: the first 128 bits of its digest, so that equal definitions have equal ids."""
    return uuid.UUID(hex=workflow.definition_id[:32])
