"""A context for an action under test, which keeps what was logged."""

from __future__ import annotations

from typing import Any

from workflows_app.actions.base import Context


class Log(list):
    """The lines an action said, as `(level, message)`."""

    def __call__(self, level: str, message: str) -> None:
        self.append((level, message))

    @property
    def text(self) -> str:
        return "\n".join(message for _, message in self)


def a_context(**changes: Any) -> Context:
    values = {
        "workflow_id": "w",
        "workflow_name": "W",
        "step_id": "s",
        "attempt": 1,
        "idempotency_key": "w:s",
        "params": {},
        "outputs": {},
        "sink": Log(),
        "timeout_seconds": 5.0,
    }
    return Context(**{**values, **changes})
