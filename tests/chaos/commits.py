"""Faults at the one moment that matters: just before a COMMIT, or just after it, when nobody is told that it was done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Literal

import pytest
from django.db import DataError, OperationalError, connections

from workflows_app.engine.sql.transaction import Session


class Died(BaseException):
    """The process is gone. Nothing in the product may catch it."""


@dataclass(frozen=True)
class Fault:
    """What happens at the `nth` COMMIT of an operation: the connection is lost, the process dies, or the database refuses the data."""

    what: Literal["lost", "died", "refused"]
    when: Literal["before", "after"]
    nth: int = 1


_ERRORS = {"lost": OperationalError, "died": Died, "refused": DataError}


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
        raise _ERRORS[fault.what](f"{fault.what} {fault.when} a commit")

    wrapper._commit = commit
    with pytest.MonkeyPatch.context() as patch:
        if fault.when == "before":
            patch.setattr(Session, "conclude", Session.settle)  # the commit does not travel with the last statement: it can be held up
        try:
            yield
        finally:
            del wrapper._commit
