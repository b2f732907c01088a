"""`manage.py up`: web server and workers under one command, on a data directory of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.processes.group import ROOT, Group, cpu_seconds, until, written_bytes

WINDOWS = 2
WINDOW_SECONDS = 10.0  # two heartbeats


class Product(Group):
    """A running `up`: its address, its API, its rows (always SQLite: this is what a user gets)."""

    def __init__(self, place: Path, **environment: str) -> None:
        self.port = environment.setdefault("PORT", str(free_port()))
        self.data = place / "data"
        super().__init__(place, "up", **{"DATA_DIR": str(self.data), "DATABASE_URL": "", **environment})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return "Hybrid Engine is ready at" in self.said()

    def ask(self, path: str, *, method: str = "GET", body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urlopen(
            Request(self.url + path, data=data, method=method, headers={"Content-Type": "application/json"}), timeout=20
        ) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            return bool(self.ask("/api/health"))
        except (URLError, ConnectionError):
            return False

    def start(self, template: str = "data_processing") -> str:
        return self.ask(f"/api/workflows/from-template?template_id={template}", method="POST", body={})["id"]

    def ended(self, *, seconds: float = 30) -> int:
        return super().ended(seconds=seconds)

    def finished(self, uid: str) -> dict[str, Any]:
        def final() -> dict[str, Any] | None:
            try:
                found = self.ask(f"/api/workflows/{uid}")
            except (URLError, ConnectionError):  # the web server is being replaced
                return None
            return found if found["status"] in ("COMPLETED", "FAILED", "STOPPED") else None

        return until(f"workflow {uid} ends", final, seconds=60)

    def rows(self, query: str) -> list[Any]:
        with sqlite3.connect(self.data / "hybrid.sqlite3") as database:
            return database.execute(query).fetchall()

    def files(self) -> dict[Path, tuple[int, int]]:
        """When each file of the data directory was last written, and its size."""
        found = {path: path.stat() for path in self.data.rglob("*")}
        return {path: (status.st_mtime_ns, status.st_size) for path, status in found.items()}

    def running_steps(self) -> int:
        return int(self.rows("SELECT COUNT(*) FROM workflows_app_step WHERE status = 'RUNNING'")[0][0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    products: list[Product] = []

    def begin(name: str = "one", **environment: str) -> Product:
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        (place / "log").unlink(missing_ok=True)
        product = Product(place, **environment)
        products.append(product)
        until("it is ready", product.is_ready)
        return product

    yield begin
    for product in products:
        product.destroy()
        print(product.said())


def recorded_once(product: Product) -> bool:
    twice = product.rows("SELECT step_id FROM workflows_app_attempt WHERE outcome = 'completed' GROUP BY step_id HAVING COUNT(*) > 1")
    return not twice


def test_it_starts_runs_a_workflow_and_leaves_nothing_on_ctrl_c(up: Callable[..., Product]) -> None:
    product = up()
    assert re.search(rf"ready at {re.escape(product.url)} .*Ctrl-C stops it", product.said())
    done = product.finished(product.start())
    assert (done["status"], done["progress"]) == ("COMPLETED", 100)
    product.process.send_signal(signal.SIGINT)
    assert product.ended() == 0 and product.said().rstrip().endswith("Stopped.")
    assert "Traceback" not in product.said()


def test_a_taken_port_is_one_line_that_says_what_to_do(up: Callable[..., Product], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        place = tmp_path / "taken"
        place.mkdir()
        product = Product(place, PORT=port)
        assert product.ended() != 0
    said = product.said().strip()
    assert len(said.splitlines()) == 1 and port in said and "Address already in use" in said and "PORT=" in said
    assert not (place / "data" / "hybrid.sqlite3").exists()


@pytest.mark.parametrize(
    ("variable", "value"), [("PORT", "eighty"), ("MAX_PARALLEL_NODES", "0"), ("HOST", "0.0.0.0"), ("LOG_LEVEL", "LOUD")]
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path: Path, variable: str, value: str) -> None:
    product = Product(tmp_path, **{"PORT": str(free_port()), variable: value})
    assert product.ended() != 0
    said = product.said().strip()
    assert len(said.splitlines()) == 1 and variable in said and value in said


def test_two_instances_run_side_by_side(up: Callable[..., Product]) -> None:
    one, two = up("one"), up("two")
    first, second = one.start(), two.start("test")
    assert one.finished(first)["status"] == two.finished(second)["status"] == "COMPLETED"
    assert len(one.rows("SELECT id FROM workflows_app_workflow")) == len(two.rows("SELECT id FROM workflows_app_workflow")) == 1
    one.process.send_signal(signal.SIGTERM)
    assert one.ended() == 0
    assert two.finished(two.start("test"))["status"] == "COMPLETED"


def test_everything_killed_in_the_middle_is_finished_by_the_next_start(up: Callable[..., Product]) -> None:
    product = up()
    uid = product.start()
    until("it is in the middle", lambda: product.ask(f"/api/workflows/{uid}")["progress"] >= 20)
    for pid in product.pids():
        os.kill(pid, signal.SIGKILL)
    product.ended()
    again = up(PORT=product.port)
    assert again.finished(uid)["status"] == "COMPLETED" and recorded_once(again)


def test_a_killed_supervisor_takes_everything_along(up: Callable[..., Product]) -> None:
    product = up()
    product.kill(product.main)
    assert product.ended() == -signal.SIGKILL


@pytest.mark.parametrize("who", ["web", "worker"])
def test_a_child_that_dies_is_started_again(up: Callable[..., Product], who: str) -> None:
    product = up(RETRY_INITIAL_DELAY="1")
    uid = product.start()
    until("something runs", lambda: product.running_steps() or product.ask(f"/api/workflows/{uid}")["progress"])
    web, worker = product.children(product.main)
    product.kill(web if who == "web" else worker)
    until("it is replaced and answers", lambda: len(product.children(product.main)) == 2 and product.answers(), seconds=4)
    assert product.finished(uid)["status"] == "COMPLETED" and recorded_once(product)
    product.process.send_signal(signal.SIGTERM)
    assert product.ended() == 0, product.said()


def test_a_second_start_goes_on_where_the_first_ended(up: Callable[..., Product]) -> None:
    product = up()
    uid = product.start()
    product.process.send_signal(signal.SIGTERM)
    assert product.ended() == 0
    again = up(PORT=product.port)
    assert again.finished(uid)["status"] == "COMPLETED" and recorded_once(again)
    assert not again.rows("SELECT id FROM workflows_app_attempt WHERE outcome IN ('crashed', 'failed')")


def test_an_idle_system_writes_nothing_and_hardly_uses_the_processor(up: Callable[..., Product]) -> None:
    """Measured over windows after the last workflow; the first looks after a start may still write. What else the machine does makes
    a slice of its processor last longer, never shorter: one good window of two is enough for the share."""
    product = up(MAX_PARALLEL_NODES="4", WORKER_HEARTBEAT_INTERVAL="5", WORKER_HEARTBEAT_TIMEOUT="30")
    product.finished(product.start("test"))
    until("the pruner has looked for the first time", (product.data / "run" / "pruner.worker").exists, seconds=60)
    until("the group has settled", lambda: is_quiet(product), seconds=40)
    pids = product.pids()
    files, written = product.files(), written_bytes(pids)
    share = 1.0
    for _ in range(WINDOWS):
        used, began = cpu_seconds(pids), time.monotonic()
        time.sleep(WINDOW_SECONDS)
        share = min(share, (cpu_seconds(pids) - used) / (time.monotonic() - began))
        if share < 0.02:
            break
    assert product.pids() == pids
    assert product.files() == files and written_bytes(pids) == written
    assert share < 0.02, f"{share:.1%} of one core, idle"


def is_quiet(product: Product) -> bool:
    before = product.files(), written_bytes(product.pids())
    time.sleep(1)
    return (product.files(), written_bytes(product.pids())) == before


def test_a_drained_product_goes_on_serving_and_does_not_start_its_workers_again(up: Callable[..., Product]) -> None:
    product = up()
    product.finished(product.start())
    host = product.ask("/api/workers")[0]["host"]
    environment = {**os.environ, "DATA_DIR": str(product.data), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "hybrid_site.settings"}
    command = [sys.executable, "manage.py", "drain", "--host", host]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert said == "2 workers asked to drain; they run 0 steps now.\nDrained: they run nothing and take nothing.\n"
    until("the group has left", lambda: "The worker process left as it was asked to" in product.said())
    until("it says so", lambda: product.ask("/api/workers") == [])
    workers = product.ask("/api/health")["components"]["workers"]
    assert (workers["status"], workers["live"]) == ("degraded", 0)
    waiting = product.start()
    assert product.ask(f"/api/workflows/{waiting}")["status"] == "PENDING"
    product.process.send_signal(signal.SIGTERM)
    assert product.ended() == 0
    again = up()
    assert again.finished(waiting)["status"] == "COMPLETED"
