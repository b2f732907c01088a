"""R9: large outputs and endless logs: kept within the limits, told clearly, and nobody else is held up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.db import connection
from django.test import Client

from tests.chaos import loud_tasks
from tests.chaos.ledger import Entry, note
from tests.engine import oracle
from tests.processes.conftest import begin, finished
from tests.processes.group import Group, until
from workflows_app.engine import definitions, start
from workflows_app.engine.clock import database_now
from workflows_app.graph.definition import Definition, Node, RetryPolicy
from workflows_app.models import Step, Workflow

Workers = Callable[..., Group]
assert loud_tasks  # registers the tasks, so that steps know where they run
NEVER = RetryPolicy(retries=0)
PAGE_SECONDS = 0.5
MEGABYTE = 1_000_000


def pages_p95(workflow: Workflow, step: str) -> float:
    """Of the pages and answers that show the workflow, seconds."""
    client = Client(headers={"host": "localhost"})
    page, api = f"/workflows/{workflow.uid}", f"/api/workflows/{workflow.uid}"
    paths = (page, f"{page}?step={step}", api, f"{api}/steps/{step}/logs", f"{api}/steps/{step}/logs?limit=200")
    for path in paths:
        _seconds(client, path)  # the first request of a process loads the pages' templates
    times = [_seconds(client, path) for path in paths for _ in range(6)]
    return statistics.quantiles(times, n=20)[-1]


def _seconds(client: Client, path: str) -> float:
    began = time.monotonic()
    assert client.get(path).status_code == 200, path
    return time.monotonic() - began


def stored_bytes() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


class Memory:
    """The most that any process of a group held at once, looked at whenever `look` is called."""

    def __init__(self, group: Group) -> None:
        self.group, self.most = group, 0

    def look(self) -> bool:
        for pid in self.group.pids():
            try:
                self.most = max(self.most, psutil.Process(pid).memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        return True


@pytest.mark.parametrize(("size", "limit"), [(64_000, MEGABYTE), (999_000, MEGABYTE), (5 * MEGABYTE, 6 * MEGABYTE)])
def test_an_output_within_the_limit_is_kept_handed_on_and_shown(workers: Workers, size: int, limit: int) -> None:
    workers(MAX_OUTPUT_BYTES=str(limit), TASK_MODULES="tests.chaos.loud_tasks,tests.processes.tasks")
    began = time.monotonic()
    workflow = begin(
        Node("big", "give_text", config={"bytes": size}, retry=NEVER),
        Node("length", "transform", needs=("big",), references=("big",), config={"value": "{{ big.output | length }}"}, retry=NEVER),
    )
    assert finished(workflow).status == "COMPLETED"
    seconds = time.monotonic() - began
    assert Step.objects.get(workflow=workflow, node_id="length").output == size
    oracle.judge(workflow)
    p95 = pages_p95(workflow, "big")
    note(Entry("R9", f"output of {size:,} bytes", 2, seconds=seconds, figures=f"pages p95 {p95 * 1000:.0f} ms"))
    assert p95 <= PAGE_SECONDS


@pytest.mark.parametrize("bytes", [100 * MEGABYTE, 1_000 * MEGABYTE])
def test_an_output_far_beyond_the_limit_is_refused_with_its_reason(workers: Workers, bytes: int) -> None:
    group = workers(TASK_MODULES="tests.chaos.loud_tasks,tests.processes.tasks", WORKER_HEARTBEAT_TIMEOUT="30")
    memory, stored = Memory(group), stored_bytes()
    workflow = begin(Node("huge", "give_text", config={"bytes": bytes}, retry=NEVER), Node("other", "mark"))
    until("it ended", lambda: memory.look() and not Workflow.objects.active().exists())
    step = Step.objects.get(workflow=workflow, node_id="huge")
    assert step.status == "FAILED" and "at most so many are kept (MAX_OUTPUT_BYTES)" in step.error
    oracle.judge(workflow)
    note(Entry("R9", f"output of {bytes:,} bytes refused", 2, faults=1, figures=f"a worker held {memory.most / MEGABYTE:,.0f} MB at most"))
    assert memory.most < bytes + 400 * MEGABYTE, "it was copied"
    assert stored_bytes() - stored < 5 * MEGABYTE


def quick_seconds(count: int) -> float:
    """One workflow of ordinary steps, one after another."""
    began = time.monotonic()
    workflow = begin(Node("q0", "mark_async"), *(Node(f"q{n}", "mark_async", needs=(f"q{n - 1}",)) for n in range(1, count)))
    assert finished(workflow).status == "COMPLETED"
    oracle.judge(workflow)
    return time.monotonic() - began


def test_of_a_million_log_lines_the_first_and_the_last_are_kept_and_nobody_waits(workers: Workers, tmp_path: Path, scale: float) -> None:
    group = workers(TASK_MODULES="tests.chaos.loud_tasks,tests.processes.tasks")
    quick_seconds(20)
    undisturbed, stored, memory = max(quick_seconds(20) for _ in range(3)), stored_bytes(), Memory(group)
    row = definitions.store(definition=Definition((Node("loud", "storm", config={"lines": 1_000_000}, retry=NEVER),)), now=database_now())
    workflow = start.start(order=start.Order(definition=row, name="Loud"), now=database_now())
    began, beside = time.monotonic(), list[float]()
    while Workflow.objects.active().filter(pk=workflow.pk).exists():
        memory.look()
        beside.append(quick_seconds(20))
    seconds = time.monotonic() - began
    assert finished(workflow).status == "COMPLETED"
    oracle.judge(workflow)
    lines = Step.objects.get(workflow=workflow).log_lines.order_by("id")
    texts = list(lines.values_list("message", flat=True))
    assert texts[:99_000] == [f"line {n}" for n in range(99_000)] and texts[-1_000:] == [f"line {n}" for n in range(999_000, 1_000_000)]
    assert len(texts) == 100_001 and texts[99_000].startswith("… 900,000 lines (") and "(MAX_LOG_LINES)" in texts[99_000]
    grown, p95 = stored_bytes() - stored, pages_p95(workflow, "loud")
    figures = (
        f"{len(texts):,} lines kept in {grown / MEGABYTE:.0f} MB, a worker held {memory.most / MEGABYTE:.0f} MB, "
        f"pages p95 {p95 * 1000:.0f} ms; 20 steps beside it {max(beside):.2f} s, before {undisturbed:.2f} s"
    )
    note(Entry("R9", "1,000,000 log lines", 1 + 20 * len(beside), faults=1, seconds=seconds, figures=figures))
    assert p95 <= PAGE_SECONDS and grown < 60 * MEGABYTE and memory.most < 400 * MEGABYTE
    assert statistics.median(beside) <= undisturbed + 1
