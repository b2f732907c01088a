"""Tests of the example shop: its tasks by themselves, and its template through the real engine."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from examples.shop import tasks as shop
from tests.actions.contexts import a_context
from tests.engine.oracle import judge
from tests.engine.stage import Stage, log_of, outcomes, step
from workflows_app.actions import tasks
from workflows_app.actions.base import Fail, Retry
from workflows_app.catalog.exchange import import_template
from workflows_app.catalog.start import start_template
from workflows_app.models import Notification, Workflow

FOLDER = Path(__file__).parents[2] / "examples" / "shop"
STOCK = "article,count\nink,2\npaper,40\npens,9"


@pytest.fixture
def stage(transactional_db: None, settings: Any) -> Stage:
    settings.ENV = settings.ENV.model_copy(update={"task_modules": "examples.shop.tasks"})
    tasks._load.cache_clear()
    return Stage()


def restock(stage: Stage, folder: Path, **params: Any) -> Workflow:
    version = import_template(source=(FOLDER / "restock.yaml").read_text(), now=stage.now)
    given = {"book": str(folder / "book" / "orders.sqlite3"), **params}
    return stage.play(start_template(slug=version.template.slug, params=given, now=stage.now))


def test_the_template_orders_what_runs_low_and_tells_the_buyers(stage: Stage, tmp_path: Path) -> None:
    workflow = restock(stage, tmp_path)
    assert workflow.status == "COMPLETED"
    assert step(workflow, "done").output == {"order": {"order": 1, "total": 59.2}, "unknown": 0}
    assert [result["article"] for result in step(workflow, "ask").output["results"]] == ["ink", "pens"]
    assert log_of(workflow, "low") == "2 of 3 articles are low"
    note = Notification.objects.get()
    assert (note.role, note.title, note.message) == ("buyers", "Order 1", "2 articles for 59.2")
    judge(workflow)


def test_an_article_without_a_price_is_asked_for_again_and_then_left_out(stage: Stage, tmp_path: Path) -> None:
    workflow = restock(stage, tmp_path, stock=f"{STOCK}\nglue,0")
    assert step(workflow, "done").output == {"order": {"order": 1, "total": 59.2}, "unknown": 1}
    assert outcomes(workflow, "ask[2]") == ["retried", "retried", "failed"]
    assert "no price for glue" in step(workflow, "ask").output["errors"][0]["error"]


def test_nothing_is_ordered_when_nothing_runs_low(stage: Stage, tmp_path: Path) -> None:
    workflow = restock(stage, tmp_path, minimum=1)
    assert workflow.status == "COMPLETED" and step(workflow, "order").is_skipped
    assert not Notification.objects.exists() and list(tmp_path.iterdir()) == []


def test_an_order_is_placed_once_however_often_its_step_is_tried(tmp_path: Path) -> None:
    params = {"book": str(tmp_path / "book.sqlite3"), "total": 5}
    first, again = (shop.place_order(params, a_context(idempotency_key="w1:order", attempt=number)) for number in (1, 2))
    other = shop.place_order(params, a_context(idempotency_key="w2:order"))
    assert (first["order"], again["order"], other["order"]) == (1, 1, 2)


def test_the_stock_is_read_with_progress_and_until_told_to_stop() -> None:
    reported: list[float] = []
    params = {"stock": STOCK, "minimum": 10}
    assert shop.low_stock(params, a_context(report_progress=reported.append))[0] == {"article": "ink", "wanted": 8}
    assert reported == pytest.approx([1 / 3, 2 / 3, 1])
    with pytest.raises(Fail, match="Stopped at row 1 of 3"):
        shop.low_stock(params, a_context(is_cancelled=lambda: True))


def test_the_supplier_is_asked_by_a_coroutine_with_a_timeout() -> None:
    registered = tasks.registered()["ask_supplier"]
    assert not registered.in_thread and registered.timeout_seconds == 30
    assert asyncio.run(shop.ask({"article": "pens", "wanted": 10, "seconds": 0}, a_context()))["cost"] == 12.0
    with pytest.raises(Retry, match="no price for glue"):
        asyncio.run(shop.ask({"article": "glue", "wanted": 1, "seconds": 0}, a_context()))


def test_the_commands_of_its_page_name_what_there_is(stage: Stage) -> None:
    page = (FOLDER / "README.md").read_text()
    version = import_template(source=(FOLDER / "restock.yaml").read_text(), now=stage.now)
    assert f"template_id={version.template.slug}" in page and f"TASK_MODULES={shop.__name__} " in page
    names = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert names and set(names) <= set(tasks.registered())
