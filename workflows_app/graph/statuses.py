"""The six statuses of the contract and which may follow which (CONTRACT.md section 2)."""

from enum import StrEnum


class Status(StrEnum):
    """Status of a workflow or of a step."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    WAITING_FOR_DEPENDENCY = "WAITING_FOR_DEPENDENCY"
    STOPPED = "STOPPED"


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.STOPPED})
ACTIVE = frozenset(Status) - FINAL
