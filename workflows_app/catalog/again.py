"""Running a workflow again, with other parameters checked against the schema it was started with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from workflows_app.dialects.params import PARAMS_SCHEMA, accept
from workflows_app.engine import control
from workflows_app.engine import trigger as engine_trigger
from workflows_app.models import Workflow

Params = Mapping[str, Any] | None


def rerun(*, uid: object, now: datetime, params: Params = None, by: User | None = None) -> Workflow:
    """A new workflow. Raises WorkflowNotFound, InvalidParams."""
    return control.rerun(uid=uid, now=now, params=_accepted(uid, params), by=by)


def retry(*, uid: object, now: datetime, from_step: str | None = None, params: Params = None) -> Workflow:
    """The same workflow. Raises WorkflowNotFound, StepNotFound, NotAllowed, InvalidParams."""
    return control.retry(uid=uid, now=now, from_step=from_step, params=_accepted(uid, params))


def trigger(*, uid: object, now: datetime, params: Params = None, by: User | None = None) -> Workflow:
    """The same workflow if it was submitted and not started, a new one if it has ended; without parameters, those it has.
    Raises WorkflowNotFound, NotAllowed, InvalidParams."""
    return engine_trigger.trigger(uid=uid, params=_accepted(uid, params), now=now, by=by)


def _accepted(uid: object, params: Params) -> Params:
    """With the defaults. A workflow whose template is gone has no schema left: its parameters are taken as they are."""
    schema = schema_of(control.find(uid))
    return params if params is None or schema is None else accept(schema, params)


def schema_of(workflow: Workflow) -> Mapping[str, Any] | None:
    """What the parameters of this workflow must fit; None when that is not known any more."""
    version = workflow.template_version
    schema: Mapping[str, Any] | None = version.params_schema if version else workflow.metadata.get(PARAMS_SCHEMA)
    return schema
