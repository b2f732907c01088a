"""Whether anything that pages show may have changed, in one statement: what the tags of polls are made of."""

from __future__ import annotations

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
    session = Session()
    (row,) = session.run(session.statements.pulse)
    return Pulse(*("-".join(str(value) for value in row[start:end]) for start, end in PARTS))


PARTS = ((0, 4), (4, 9), (9, 13), (13, 15), (15, 18), (18, 21))
