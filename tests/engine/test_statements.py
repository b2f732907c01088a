"""The engine's statements: constant text, indexes only, the write lock in turn."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from tests.engine.stage import Stage, node
from workflows_app.engine.sql.dialect import POSTGRESQL, SQLITE
from workflows_app.engine.sql.statements import Statements, for_vendor
from workflows_app.engine.sql.transaction import Session, write
from workflows_app.models import Workflow

NOW = datetime(2026, 11, 21, 12, 0, 1, 5, tzinfo=UTC)
TABLES = "workflows_app_(?:step|workflow|attempt|logline)"
INSERTS = {"add_elements", "add_log_lines", "add_steps", "record_attempts", "record_stopped", "log_stopped", "record_stopped_elements"}
CLAIMS = {"claim", "claim_these"}
# under the workflow's lock
BY_OTHERS = {"count_down", "decide", "open_elements", "count_elements", "release_elements", "reopen", "stop_elements", "stop_steps"}


def texts(statements: Statements) -> dict[str, str]:
    return {name: text for name, text in vars(statements).items() if isinstance(text, str)}


ALL = sorted(texts(Statements(SQLITE)))
PARAMS: dict[str, Any] = {
    "now": NOW, "lease": NOW, "worker": "w" * 32, "slots_0": 10, "slots_1": 10, "name": "warehouse", "held": 1, "most": 10, "parent": 1,
    "source": "shop", "message": "Stopped", "received_at": NOW, "uid": "0" * 32, "node": "a",
    "metadata": "{}", "batch": [{"key": 1, "attempt": 1, "workflow_id": 1, "node_id": "a", "workflow_key": 1, "node_key": "a", "count": 1}],
}  # fmt: skip


def plan(name: str) -> str:
    """How the database would run a statement. PostgreSQL is told that scans cost much: on small tables it prefers them."""
    session = Session()
    text = getattr(session.statements, name)
    used = {key: value for key, value in PARAMS.items() if re.search(rf"(:{key}\b|%\({key}\)s)", text)}
    if connection.vendor == "sqlite":
        return "\n".join(row[3] for row in session.run(f"EXPLAIN QUERY PLAN {text}", **used))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return "\n".join(row[0] for row in session.run(f"EXPLAIN {text}", **used))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ALL)
def test_no_statement_scans_a_table(name: str) -> None:
    found = plan(name)
    aliases = "s|w|a" if connection.vendor == "sqlite" else "(?!)"
    assert not re.search(rf"(?:SCAN|Seq Scan on) (?:{TABLES}|{aliases})\b(?! USING (?:COVERING )?INDEX)", found), found


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["claim", "is_due", "next_due"])
def test_due_steps_are_found_by_the_index_made_for_them(name: str) -> None:
    found = plan(name)
    assert "step_claimable" in found, found
    assert connection.vendor != "sqlite" or "SCAN workflows_app_step" not in found


@pytest.mark.django_db
def test_a_step_is_counted_down_by_its_key() -> None:
    found = plan("count_down")
    assert re.search(r"workflow_id=\? AND node_id=\?" if connection.vendor == "sqlite" else r"step_node_once_per_workflow", found), found


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=lambda dialect: dialect.vendor)
def test_the_text_of_a_statement_is_constant(dialect: Any) -> None:
    """Whatever the batch: so the driver prepares it once."""
    assert texts(Statements(dialect)) == texts(for_vendor(dialect.vendor))
    assert for_vendor(dialect.vendor) is for_vendor(dialect.vendor)
    assert not any("None" in text for text in texts(Statements(dialect)).values())


def test_both_databases_have_the_same_statements() -> None:
    assert texts(Statements(SQLITE)).keys() == texts(Statements(POSTGRESQL)).keys()


@pytest.mark.parametrize("name", sorted(set(ALL) - INSERTS - CLAIMS - BY_OTHERS - {"lock_workflows"}))
def test_every_change_after_a_claim_is_fenced(name: str) -> None:
    text = getattr(Statements(SQLITE), name)
    if "UPDATE workflows_app_step" in text:
        assert all(guard in text for guard in ("s.attempt = b.attempt", "s.worker_id = :worker", "s.status = 'RUNNING'"))


@pytest.mark.django_db
def test_a_time_comes_back_as_it_was_written(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    Workflow.objects.filter(pk=workflow.pk).update(created_at=NOW)
    session = Session()
    table, key = "workflows_app_workflow", workflow.pk
    session.run(f"UPDATE {table} SET updated_at = {session.statements.dialect.param('now', 'timestamptz')} WHERE id = {key}", now=NOW)
    workflow.refresh_from_db()
    assert workflow.updated_at == workflow.created_at == NOW
    assert Workflow.objects.filter(updated_at=NOW).exists(), "the two ways of writing a time differ as texts"


def test_a_time_is_written_in_utc_with_all_its_digits() -> None:
    from zoneinfo import ZoneInfo

    assert SQLITE.time(NOW.astimezone(ZoneInfo("Europe/Berlin"))) == "2026-11-21 12:00:01.000005"
    assert SQLITE.time(None) is POSTGRESQL.time(None) is None


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_fails_leaves_nothing_and_frees_the_turn(stage: Stage) -> None:
    workflow = stage.start(node("a"))
    with pytest.raises(ZeroDivisionError), write():
        Workflow.objects.update(name="changed")
        _ = 1 / 0
    workflow.refresh_from_db()
    assert workflow.name == "A workflow"
    with write(), write():
        Workflow.objects.update(name="in turn")
    workflow.refresh_from_db()
    assert workflow.name == "in turn"


@pytest.mark.django_db
def test_a_batch_of_any_size_is_one_parameter() -> None:
    many = [{"key": number, "attempt": 1} for number in range(20_000)]
    session = Session()
    assert session.run(session.statements.still_mine, worker="w", batch=many) == []
    assert len(json.dumps(many)) > 400_000


KEYED = sorted(set(ALL) - INSERTS - CLAIMS - {"is_due", "next_due", "limited_keys", "due_of_key", "hold_key", "awaited_paths", "pulse"})


@pytest.mark.django_db
def test_what_names_its_rows_looks_each_up_by_a_plan_made_while_there_were_few() -> None:
    """PostgreSQL keeps a prepared plan until it has counted the rows anew: one that reads the whole of an index while that is
    short does so for every batch of the first minute of a burst."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite plans a join by the order in which it is written")
    bad = {name: plan for name in KEYED if _reads_all(plan := _prepared_plan(name))}
    assert not bad, "\n\n".join(f"{name}:\n{plan}" for name, plan in bad.items())


def _prepared_plan(name: str) -> str:
    text = getattr(Statements(POSTGRESQL), name)
    used = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${used.index(found[1]) + 1}", text)
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        cursor.execute(f"PREPARE looked_at AS {numbered}")
        cursor.execute(f"EXPLAIN EXECUTE looked_at({', '.join(['NULL'] * len(used))})" if used else "EXPLAIN EXECUTE looked_at")
        rows = cursor.fetchall()
        cursor.execute("DEALLOCATE looked_at")
        cursor.execute("RESET plan_cache_mode; RESET enable_seqscan")
    return "\n".join(row[0] for row in rows)


def _reads_all(plan: str) -> bool:
    """A scan of one of the tables that is not led by a condition on its index."""
    lines = plan.splitlines()
    scans = [number for number, line in enumerate(lines) if re.search(rf"Scan .*on {TABLES}\b", line)]
    return any("Bitmap Heap" not in lines[number] and "Index Cond" not in "".join(lines[number + 1 : number + 2]) for number in scans)
