"""Faults at the one moment that matters: just before a COMMIT, or just after it, when nobody is told that it was done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Literal

from django.db import OperationalError, connections


class Died(BaseException):
    """The process is gone. Nothing in the product may catch it."""


@dataclass(frozen=True)
class Fault:
    """What happens at the `nth` COMMIT of an operation: the connection is lost, or the process dies."""

    what: Literal["lost", "died"]
    when: Literal["before", "after"]
    nth: int = 1


@contextmanager
def at_commit(fault: Fault | None) -> Iterator[None]:
    """Let the fault happen inside. An operation with fewer commits is spared."""
    wrapper = connections["default"]
    if fault is None:
        yield
        return
    original, number = wrapper._commit, count(1)

    def commit() -> None:
        if next(number) != fault.nth:
            return original()
        if fault.when == "after":
            original()
        else:
            wrapper.connection.rollback()
        raise Died if fault.what == "died" else OperationalError(f"the connection was lost {fault.when} a commit")

    wrapper._commit = commit
    try:
        yield
    finally:
        del wrapper._commit
