"""What the verbs on workflows refuse, each with a message fit for an operator."""

from __future__ import annotations


class WorkflowNotFound(LookupError):
    def __init__(self, uid: object) -> None:
        super().__init__(f"Workflow with ID {uid} not found")


class StepNotFound(LookupError):
    def __init__(self, uid: object, step_id: str) -> None:
        super().__init__(f"Step {step_id!r} not found in workflow {uid}")


class NotAllowed(ValueError):
    """The state of the workflow does not allow the verb; the message says why and what to do instead."""


class IdempotencyConflict(ValueError):
    """The same idempotency key came with another payload."""

    def __init__(self, key: str) -> None:
        super().__init__(f"Idempotency-Key {key!r} was already used with another payload")
