"""The engine's statements for one database: constant text, whatever the size of the batch (docs/architecture.md)."""

from __future__ import annotations

from functools import lru_cache

from workflows_app.engine.sql import claiming, elements, events, pulse, recording, stopping, usual
from workflows_app.engine.sql.dialect import POSTGRESQL, SQLITE, Dialect


class Statements:
    """Batches travel as JSON in `batch` and are read as `b`, whose names for keys differ from the tables':
    in RETURNING, SQLite knows no qualified names and PostgreSQL no ambiguous ones."""

    def __init__(self, d: Dialect) -> None:
        self.dialect = d
        self._record(d)
        self._stop(d)
        self._elements(d)
        self._claim(d)
        self._events(d)

    def _record(self, d: Dialect) -> None:
        self.lock_workflows = recording.lock_workflows(d)
        self.show_free = recording.show_free(d)
        self.finish = recording.finish(d)
        self.count_down = recording.count_down(d)
        self.decide = recording.decide(d)
        self.reopen = recording.reopen(d)
        self.progress = recording.progress(d)
        self.end = recording.end(d)
        self.record_attempts = recording.record_attempts(d)
        self.note_late = recording.note_late(d)
        self.recorded_attempts = recording.recorded_attempts(d)
        self.add_log_lines = recording.add_log_lines(d)
        self.add_workflows = recording.add_workflows(d)
        self.add_steps = recording.add_steps(d)

    def _stop(self, d: Dialect) -> None:
        self.lock_active = stopping.lock_active(d)
        self.lock_active_steps = stopping.lock_active_steps(d)
        self.record_stopped = stopping.record_stopped(d)
        self.log_stopped = stopping.log_stopped(d)
        self.stop_steps = stopping.stop_steps(d)
        self.stop_workflows = stopping.stop_workflows(d)

    def _elements(self, d: Dialect) -> None:
        self.add_elements = elements.add_elements(d)
        self.open_elements = elements.open_elements(d)
        self.count_elements = elements.count_elements(d)
        self.release_elements = elements.release_elements(d)
        self.lock_elements = elements.lock_elements(d)
        self.record_stopped_elements = elements.record_stopped_elements(d)
        self.stop_elements = elements.stop_elements(d)
        self.load_elements = elements.load_elements(d)

    def _claim(self, d: Dialect) -> None:
        self.claim = claiming.claim(d)
        self.claim_these = claiming.claim_these(d)
        self.limited_keys = claiming.limited_keys(d)
        self.due_of_key = claiming.due_of_key(d)
        self.hold_key = claiming.hold_key(d)
        self.unclaim = claiming.unclaim(d)
        self.note_progress = claiming.note_progress(d)
        self.extend_leases = claiming.extend_leases(d)
        self.still_mine = claiming.still_mine(d)
        self.is_due = claiming.is_due(d)
        self.next_due = claiming.next_due(d)
        self.load_workflows = claiming.load_workflows(d)
        self.load_outputs = claiming.load_outputs(d)

    def _events(self, d: Dialect) -> None:
        self.add_events = events.add_events(d)
        self.triggered_versions = events.triggered_versions(d)
        self.awaited_paths = events.awaited_paths(d)
        self.waiting_steps = events.waiting_steps(d)
        self.workflow_statuses = events.workflow_statuses(d)
        self.pulse = pulse.pulse(d)
        self.glance = pulse.glance(d)
        self.latest_completed = usual.latest_completed(d)


@lru_cache(maxsize=2)
def for_vendor(vendor: str) -> Statements:
    """The statements of `sqlite` or `postgresql`."""
    return Statements(SQLITE if vendor == "sqlite" else POSTGRESQL)
