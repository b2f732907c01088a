"""The guards that keep the promise, each with the text that makes it and the tests that must notice when it is gone."""

from __future__ import annotations

from dataclasses import dataclass

BOTH, SQLITE, POSTGRES = ("sqlite", "postgres"), ("sqlite",), ("postgres",)
ENGINE, SQL, TESTS = "workflows_app/engine", "workflows_app/engine/sql", "tests/engine"
KILLS, HANGS = "tests/processes/test_kills.py", "tests/processes/test_hangs.py"


@dataclass(frozen=True)
class Guard:
    """`text` stands once in `file`; with `instead` in its place the guard is gone, on these databases noticed by these tests."""

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
    databases: tuple[str, ...] = BOTH


GUARDS = (
    Guard(
        "fence: the attempt",
        f"{SQL}/tables.py",
        "s.attempt = b.attempt AND ",
        "",
        (f"{TESTS}/test_fencing.py",),
    ),
    Guard(
        "fence: the worker",
        f"{SQL}/tables.py",
        "AND s.worker_id = {worker} AND",
        "AND {worker} <> '' AND",
        (f"{TESTS}/test_fencing.py",),
    ),
    Guard(
        "claim: not before its time",
        f"{SQL}/claiming.py",
        "AND priority = {priority} AND available_at <= {now}\n",
        "AND priority = {priority} AND {now} IS NOT NULL AND available_at IS NOT NULL\n",
        (f"{TESTS}/test_fencing.py",),
    ),
    Guard(
        "claim: nothing while the queue is paused",
        f"{SQL}/claiming.py",
        "            AND {UNPAUSED}\n",
        "",
        (f"{TESTS}/test_pausing.py",),
    ),
    Guard(
        "claim: SKIP LOCKED",
        f"{SQL}/dialect.py",
        'f"{self.lock} SKIP LOCKED"',
        '""',
        (f"{TESTS}/test_races.py", f"{TESTS}/test_concurrency_keys.py"),
        POSTGRES,
    ),
    Guard(
        "claim: a concurrency key is counted by one at a time",
        f"{SQL}/claiming.py",
        'if d.is_sqlite else f"SELECT pg_advisory',
        'if True else f"SELECT pg_advisory',
        (f"{TESTS}/test_concurrency_keys.py",),
        POSTGRES,
    ),
    Guard(
        "record: the workflow is locked before its steps",
        f"{ENGINE}/commit.py",
        "if not session.statements.dialect.is_sqlite:\n        session.soon(session.statements.lock_workflows",
        "if False:\n        session.soon(session.statements.lock_workflows",
        (f"{TESTS}/test_races.py", "tests/chaos/test_r6_fan_in.py"),
        POSTGRES,
    ),
    Guard(
        "record: writers take SQLite's lock when they begin",
        "hybrid_site/databases.py",
        '"transaction_mode": "IMMEDIATE"',
        '"transaction_mode": "DEFERRED"',
        (f"{TESTS}/test_start.py", f"{TESTS}/test_races.py", "tests/catalog/test_events.py", f"{TESTS}/test_answers.py"),
        SQLITE,
    ),
    Guard(
        "record: an ambiguous commit is looked up",
        f"{ENGINE}/loop.py",
        "fresh = self._not_yet_recorded(session, batch) if is_again else batch",
        "fresh = batch",
        (f"{TESTS}/test_fencing.py",),
    ),
    Guard(
        "record: a database that is away is no step's fault",
        f"{ENGINE}/loop.py",
        "            except (DataError, IntegrityError) as error:\n                self._narrow(error)",
        "            except DatabaseError as error:\n                self._narrow(error)",
        (f"{TESTS}/test_fencing.py",),
    ),
    Guard(
        "fan-in: a step decides once",
        f"{SQL}/recording.py",
        " AND s.status = 'WAITING_FOR_DEPENDENCY' AND s.remaining > 0\n",
        "\n",
        (f"{TESTS}/test_trigger_rules.py", f"{TESTS}/test_random_graphs.py"),
    ),
    Guard(
        "fan-in: the last dependency makes it ready",
        f"{SQL}/recording.py",
        'f"s.remaining = {ended} AND',
        'f"s.remaining > 0 AND',
        (f"{TESTS}/test_transitions.py", f"{TESTS}/test_races.py"),
    ),
    Guard(
        "lease: the heartbeat extends it",
        f"{ENGINE}/supervision.py",
        "session.run(session.statements.extend_leases,",
        "(lambda *_, **__: None)(session.statements.extend_leases,",
        (f"{HANGS}::test_a_step_may_take_longer_than_a_lease",),
        SQLITE,
    ),
    Guard(
        "reaper: no lease is trusted after a gap",
        f"{ENGINE}/recovery.py",
        "monotonic - self._steady_since > settings.ENV.worker_heartbeat_timeout",
        "True",
        (f"{TESTS}/test_recovery.py",),
    ),
    Guard(
        "reaper: the lock of a living worker",
        f"{ENGINE}/site.py",
        "    except OSError:\n        return True\n",
        "    except OSError:\n        return False\n",
        (f"{TESTS}/test_recovery.py",),
    ),
    Guard(
        "reaper: the lock of a dead worker",
        f"{ENGINE}/site.py",
        "        os.close(descriptor)\n    return False\n",
        "        os.close(descriptor)\n    return True\n",
        (f"{TESTS}/test_recovery.py",),
    ),
    Guard(
        "poison: a step that crashes its workers too often fails",
        f"{ENGINE}/outcomes.py",
        "if crashes >= retry.max_attempts(claim.node):",
        "if False:",
        (f"{TESTS}/test_recovery.py",),
    ),
    Guard(
        "start: one workflow for a key (constraint)",
        "workflows_app/migrations/0001_initial.py",
        "fields=('idempotency_key',), name=",
        "fields=('idempotency_key', 'uid'), name=",
        (f"{TESTS}/test_start.py", "tests/models"),
        POSTGRES,
    ),
    Guard(
        "start: one workflow for a key (who comes second looks again)",
        f"{ENGINE}/start.py",
        "except (IntegrityError, Definition.DoesNotExist):",
        "except (ZeroDivisionError, Definition.DoesNotExist):",
        (f"{TESTS}/test_start.py",),
        POSTGRES,
    ),
    Guard(
        "start: one workflow for a key (the earlier one is looked up)",
        f"{ENGINE}/start.py",
        "if order.idempotency_key is None:",
        "if True:",
        (f"{TESTS}/test_start.py",),
    ),
    Guard(
        "event: one for a source and key",
        f"{SQL}/events.py",
        "ON CONFLICT (source, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING ",
        "",
        ("tests/catalog/test_events.py",),
    ),
    Guard(
        "answer: only who waits in this attempt takes it",
        f"{ENGINE}/answers.py",
        "filter(pk=step_id, attempt=attempt, waits_for=kind)",
        "filter(pk=step_id)",
        (f"{TESTS}/test_answers.py",),
    ),
    Guard(
        "stop: who claims meanwhile is waited for",
        f"{ENGINE}/stopping.py",
        "        session.run(statements.lock_active_steps, batch=batch)\n",
        "        pass\n",
        (f"{TESTS}/test_crossing_parts.py",),
        POSTGRES,
    ),
    Guard(
        "stop: nothing that waits starts afterwards",
        f"{SQL}/stopping.py",
        """metadata = {d.json(d.param("metadata"))} WHERE {_active(d, STEP)}\"""",
        """metadata = {d.json(d.param("metadata"))} WHERE {_active(d, STEP)} AND status = 'RUNNING'\"""",
        (f"{TESTS}/test_control.py",),
    ),
    Guard(
        "stop: an ended workflow stays ended",
        f"{SQL}/recording.py",
        "WHERE w.id = b.key AND w.ended_at IS NULL {d.among",
        "WHERE w.id = b.key {d.among",
        (f"{TESTS}/test_fencing.py",),
    ),
    Guard(
        "processes: a queue without a lock to die with",
        f"{ENGINE}/broker.py",
        "    django_q.cluster.Queue = messages.MessageQueue\n",
        "",
        (f"{TESTS}/test_messages.py", f"{KILLS}::test_idle_workers_killed_again_and_again_never_freeze_the_group"),
        SQLITE,
    ),
    Guard(
        "processes: children die with their parent",
        f"{ENGINE}/broker.py",
        "    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)\n",
        "",
        (
            f"{KILLS}::test_a_killed_sentinel_ends_the_group_with_a_failure_and_the_next_start_goes_on",
            f"{KILLS}::test_a_killed_group_leaves_no_orphan_and_the_next_start_goes_on",
        ),
        SQLITE,
    ),
)
