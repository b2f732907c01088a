"""Run a release with real workers on 200 workflows, kill everything in the middle, and keep its rows.

Call it in a copy of that release: `cd COPY && python REPOSITORY/tests/chaos/take_fixture.py REPOSITORY/tests/chaos/fixtures/0004.json.gz`
"""
# ruff: noqa: E402  Django is set up before its models can be imported

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COPY, HERE = Path.cwd(), Path(__file__).parent
os.environ.update(
    DATA_DIR=tempfile.mkdtemp(prefix="hybrid-fixture-"), DJANGO_SETTINGS_MODULE="hybrid_site.settings", TASK_MODULES="release_tasks",
    MAX_PARALLEL_NODES="2", LOG_LEVEL="WARNING", MODE="local", DATABASE_URL="", PYTHONPATH=f"{COPY}:{HERE}",
)  # fmt: skip
sys.path[:0] = [str(COPY), str(HERE)]

import django

django.setup()

import release_tasks  # type: ignore[import-not-found]
from django.apps import apps
from django.core.management import call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from workflows_app import actions
from workflows_app.engine import definitions
from workflows_app.engine.clock import database_now
from workflows_app.engine.start import Order, start_many
from workflows_app.graph.definition import Definition, Node, RetryPolicy
from workflows_app.models import Step, Template, TemplateVersion, Workflow

assert release_tasks
WORKFLOWS, ENDED = 200, 40
VALUE = {"value": 1}
PATIENT = RetryPolicy(retries=4, initial_delay=1.5, max_delay=2)


def chain(number: int) -> list[Node]:
    pause = {"seconds": 0.2 + number % 5 / 10}
    return [Node(f"s{place}", "slow", needs=(f"s{place - 1}",) if place else (), config=pause) for place in range(6)]


def delays(number: int) -> list[Node]:
    return [Node("wait", "delay", config={"seconds": 1 + number % 7}), Node("then", "transform", needs=("wait",), config=VALUE)]


def retries(number: int) -> list[Node]:
    return [Node("shaky", "shaky", retry=PATIENT), Node("then", "slow", needs=("shaky",), config={"seconds": 0.1})]


def fan(number: int) -> list[Node]:
    middle = [Node(f"m{place}", "slow", needs=("first",), config={"seconds": 0.3 * place}) for place in range(8)]
    return [
        Node("first", "slow", config={"seconds": 0.1}),
        *middle,
        Node("last", "transform", needs=tuple(n.id for n in middle), config=VALUE),
    ]


def branch(number: int) -> list[Node]:
    cases = [{"label": "odd", "condition": {"==": [number % 2, 1]}, "next": "odd"}, {"else": True, "next": "even"}]
    ways = [Node(way, "slow", needs=("decide",), config={"seconds": 1.5}) for way in ("odd", "even")]
    join = Node("join", "transform", needs=("odd", "even"), trigger_rule="none_failed", config=VALUE)
    return [
        Node("begin", "slow", config={"seconds": 0.5}),
        Node("decide", "branch", needs=("begin",), config={"cases": cases}),
        *ways,
        join,
    ]


def failing(number: int) -> list[Node]:
    never = RetryPolicy(retries=0)
    call = {"url": "http://127.0.0.1:9/", "timeout": 1}
    bad = Node("bad", "http_call", needs=("first",), config=call, retry=never, on_failure="continue")
    return [Node("first", "slow", config={"seconds": 0.5 * (number % 6)}), bad, Node("then", "transform", needs=("bad",), config=VALUE)]


def limited(number: int) -> list[Node]:
    return [Node("turn", "slow", config={"seconds": 0.2}, concurrency_key="one key", concurrency_limit=2)]


def approval(number: int) -> list[Node]:
    asked = Node("ask", "approval", needs=("first",), config={"message": "Go on?"})
    return [Node("first", "slow", config={"seconds": 0.3}), asked, Node("then", "transform", needs=("ask",), config=VALUE)]


def event(number: int) -> list[Node]:
    wait = Node("wait", "wait_for_event", config={"correlate": {"path": "id", "value": f"event {number}"}})
    return [wait, Node("then", "transform", needs=("wait",), config=VALUE)]


def elements(number: int) -> list[Node]:
    each = Node("each", "slow", config={"seconds": 0.4})
    return [
        Node("each", "map", config={"items": list(range(12)), "limit": 3}, body=each),
        Node("then", "transform", needs=("each",), config=VALUE),
    ]


def calling(number: int) -> list[Node]:
    return [Node("call", "sub_workflow", config={"template": "part"}), Node("then", "transform", needs=("call",), config=VALUE)]


def kinds() -> list:
    """What this release knows."""
    found = [chain, delays, retries, fan, branch, failing]
    return [*found, limited, approval, event, elements, calling] if "approval" in actions.ACTIONS else found


def begin() -> None:
    now, made = database_now(), kinds()
    part = definitions.store(definition=Definition(tuple(chain(2))), now=now)
    template = Template.objects.create(slug="part", name="Part", created_at=now, updated_at=now)
    template.current = TemplateVersion.objects.create(template=template, number=1, source="{}", definition=part, created_at=now)
    template.save()
    orders = []
    for number in range(WORKFLOWS):
        make = made[number % len(made)]
        row = definitions.store(definition=Definition(tuple(make(number))), now=now)
        orders.append(Order(definition=row, name=f"{make.__name__} {number}"))
    start_many(orders=orders, now=now)


def is_in_the_middle() -> bool:
    ended = Workflow.objects.filter(ended_at__isnull=False).count()
    return ended >= ENDED and Step.objects.filter(status="RUNNING").count() >= 10


def kill(process: subprocess.Popen) -> None:
    """The worker's first process, and all of its own session."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


def dump(path: Path) -> None:
    tables = {}
    for model in apps.get_app_config("workflows_app").get_models():
        if rows := list(model.objects.order_by("pk").values()):
            tables[model.__name__] = {"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]}
    text = json.dumps({"taken_at": database_now(), "tables": tables}, cls=DjangoJSONEncoder, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def main() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    begin()
    connection.close()
    process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=COPY, start_new_session=True)
    while not is_in_the_middle():
        assert process.poll() is None
        time.sleep(0.02)
    kill(process)
    dump(Path(sys.argv[1]))
    shutil.rmtree(os.environ["DATA_DIR"])


main()
