"""Running a workflow again, with other parameters checked against the schema of the version it is pinned to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from workflows_app.catalog.params import accept
from workflows_app.engine import control
from workflows_app.models import Workflow

Params = Mapping[str, Any] | None


def rerun(*, uid: object, now: datetime, params: Params = None) -> Workflow:
    """A new workflow. Raises WorkflowNotFound, InvalidParams."""
    return control.rerun(uid=uid, now=now, params=_accepted(uid, params))


def retry(*, uid: object, now: datetime, from_step: str | None = None, params: Params = None) -> Workflow:
    """The same workflow. Raises WorkflowNotFound, StepNotFound, NotAllowed, InvalidParams."""
    return control.retry(uid=uid, now=now, from_step=from_step, params=_accepted(uid, params))


def _accepted(uid: object, params: Params) -> Params:
    """An inline definition's schema is not kept, so its parameters are taken as they are."""
    version = control.find(uid).template_version
    return params if params is None or version is None else accept(version.params_schema, params)
