"""Whether anything that pages show may have changed, in one statement: what the tags of polls are made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from workflows_app.engine.sql.transaction import Session


@dataclass(frozen=True, slots=True)
class Pulse:
    """Each part changes whenever what it is named after does; equal parts mean that nothing did."""

    workflows: str
    attention: str
    workers: str
    events: str
    schedules: str
    views: str


def pulse() -> Pulse:
    """The present one, read from the ends of indexes: the same cost at any length of history."""
    kept = _held.get()
    if kept is None:
        return _read()
    if not kept:
        kept.append(_read())
    return kept[0]


@dataclass(frozen=True, slots=True)
class Glance:
    """What tells that the page of one workflow may have changed; `last_line` is the id of the selected step's last log line, or 0."""

    seq: int
    status: str
    last_line: int


def glance(uid: uuid.UUID, step_id: str = "") -> Glance | None:
    """In one statement; None when there is no such workflow."""
    session = Session()
    found = session.run(session.statements.glance, uid=uid.hex, node=step_id)
    return Glance(*found[0]) if found else None


@contextmanager
def one_pulse() -> Iterator[None]:
    """All who ask for it in here see the same one, read when the first does: a tag is made of parts that several know."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def _read() -> Pulse:
    session = Session()
    (row,) = session.run(session.statements.pulse)
    return Pulse(*("-".join(str(value) for value in row[start:end]) for start, end in PARTS))


_held: ContextVar[list[Pulse] | None] = ContextVar("held", default=None)
PARTS = ((0, 4), (4, 9), (9, 13), (13, 15), (15, 18), (18, 21))
