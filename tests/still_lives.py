"""Rows of an ordinary day, for pictures and for looking at every page: `python -m tests.still_lives` writes them into DATA_DIR's
database and prints what the places of `tests.e2e.places` need."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import django

REFUSED = (
    "HTTP 503 from https://ledger.example/v2/entries after 4 attempts: upstream connect error or disconnect/reset before headers. "
    "reset reason: connection timeout"
)
OTHER = "KeyError: 'vat_rate': row 1,204 of invoices.csv has no such column (billing/tasks.py, line 88, in price)"
STEPS = {
    "nightly-etl": {
        "extract_orders": ("http_call", (), 14), "extract_customers": ("http_call", (), 9), "extract_prices": ("http_call", (), 6),
        "validate_orders": ("transform", ("extract_orders",), 3),
        "match_customers": ("transform", ("validate_orders", "extract_customers"), 7),
        "apply_prices": ("transform", ("match_customers", "extract_prices"), 5), "find_outliers": ("llm_service", ("apply_prices",), 21),
        "load_warehouse": ("http_call", ("apply_prices",), 38), "refresh_views": ("http_call", ("load_warehouse",), 12),
        "check_totals": ("branch", ("refresh_views", "find_outliers"), 1), "tell_finance": ("send_notification", ("check_totals",), 1),
    },
    "billing": {
        "read_usage": ("http_call", (), 8), "price": ("transform", ("read_usage",), 4), "render_invoices": ("transform", ("price",), 17),
        "post_to_ledger": ("http_call", ("render_invoices",), 11), "send_mails": ("send_notification", ("post_to_ledger",), 6),
    },
    "onboarding": {
        "create_account": ("http_call", (), 2), "check_documents": ("llm_service", ("create_account",), 13),
        "approve": ("approval", ("check_documents",), 600), "grant_access": ("http_call", ("approve",), 3),
        "welcome": ("send_notification", ("grant_access",), 1),
    },
}  # fmt: skip
SAYS = (
    ("INFO", "connected to {place} in 0.21 s"), ("INFO", "reading page 1 of 48"), ("INFO", "reading page 24 of 48"),
    ("WARNING", "page 31 answered 429: waiting 2.0 s, as its Retry-After says"), ("INFO", "48 pages, 11,982 rows, 4.1 MB"),
)  # fmt: skip
WIDE, NODES = "web-crawl", 2_000
Node = Any


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hybrid_site.settings")
    django.setup()
    from tests import factories

    factories.NOW = datetime.now(UTC)
    json.dump(write(factories.NOW), sys.stdout)


def write(now: datetime) -> dict[str, Any]:
    """By name: the ids that addresses are made of."""
    from workflows_app.catalog import bundled

    bundled.load(now=now)
    templates, dice = {slug: _template(slug, now) for slug in STEPS}, random.Random(7)
    _history(templates, dice, now)
    wide = _wide(now)
    failed, other = (_failed(templates["billing"], why, now, ago) for why, ago in ((REFUSED, 0.6), (OTHER, 3.2)))
    running = _running(templates["nightly-etl"], dice, now)
    asks = [_asking(templates["onboarding"], who, now, number) for number, who in enumerate(("Ada Lindqvist", "Bo Chen"))]
    schedules = [
        _schedule(templates["nightly-etl"], "Every night", "15 2 * * *", now),
        _schedule(templates["billing"], "First of the month", "0 6 1 * *", now),
    ]
    _workers(now, running)
    return {
        "workflows": [str(failed.uid), str(running.uid), str(other.uid)], "failed": str(failed.uid), "running": str(running.uid),
        "wide": str(wide.uid), "asks": [str(one.uid) for one in asks], "events": _events(now, other), "schedules": schedules,
        "slugs": list(STEPS), "payloads": [],
    }  # fmt: skip


def _template(slug: str, now: datetime) -> Any:
    from workflows_app.catalog.publish import publish

    titles = {"nightly-etl": "Nightly ETL", "billing": "Billing run", "onboarding": "Customer onboarding"}
    with_ = {
        "http_call": {"url": "https://ledger.example/v2/entries"},
        "transform": {"value": 1},
        "approval": {"message": "Open the account?"},
    }
    with_ |= {"llm_service": {"prompt": "Say what is odd"}, "send_notification": {"title": "Done", "message": "All is well"}}
    with_ |= {"branch": {"cases": [{"label": "alright", "condition": {"==": [1, 1]}, "next": "tell_finance"}]}}
    steps = [{"id": id, "action": action, "needs": list(needs), "with": with_[action]} for id, (action, needs, _) in STEPS[slug].items()]
    params = {
        "properties": {
            "day": {"type": "string", "format": "date", "title": "Day", "default": "2026-11-21"},
            "full": {"type": "boolean", "title": "All rows, not only new ones", "default": False},
        }
    }
    source = {
        "name": titles[slug],
        "description": f"What runs as {slug}.",
        "tags": [slug.split("-")[0], "finance"],
        "params": params,
        "steps": steps,
    }
    version = publish(slug=slug, source=json.dumps(source, indent=2), now=now - timedelta(days=40))
    return version.template


def _times(slug: str, dice: random.Random, slow: float = 1.0) -> dict[str, tuple[float, float]]:
    """When each step begins and ends, in seconds from the start."""
    found: dict[str, tuple[float, float]] = {}
    for id, (_, needs, seconds) in STEPS[slug].items():
        began = max((found[need][1] for need in needs), default=0.0) + 0.02
        found[id] = began, began + seconds * slow * dice.uniform(0.8, 1.25)
    return found


def _play(template: Any, began: datetime, times: Mapping[str, tuple[float, float]], ended: Mapping[str, Any], **changes: Any) -> Any:
    """A workflow whose steps ended as `ended` says at these times; those it does not name wait for their needs."""
    from tests.factories import a_workflow
    from workflows_app.models import Step, Workflow

    workflow = a_workflow(
        template=template, statuses=ended, name=template.name, tags=template.tags, params={"day": f"{began:%Y-%m-%d}", "full": False}
    )
    last = began
    for step in workflow.steps.exclude(started_at=None):
        first, end = (began + timedelta(seconds=seconds) for seconds in times[step.node_id])
        if step.status in ("COMPLETED", "FAILED"):
            _run(step, first, end, template.slug, changes.get("error", ""))
            last = max(last, end)
        else:
            Step.objects.filter(pk=step.pk).update(started_at=first, claimed_at=first)
    Step.objects.filter(workflow=workflow, status="STOPPED").update(
        started_at=None, claimed_at=None, attempt=0, ended_at=last, metadata={"reason": "a step that it needs failed"}
    )
    is_over = workflow.ended_at is not None
    Workflow.objects.filter(pk=workflow.pk).update(
        created_at=began, started_at=began, updated_at=last, ended_at=last if is_over else None, **changes
    )
    workflow.refresh_from_db()
    return workflow


def _run(step: Any, first: datetime, end: datetime, place: str, error: str) -> None:
    """One attempt, which said one line."""
    from tests.factories import a_log_line, an_attempt

    is_done = step.status == "COMPLETED"
    step.started_at, step.claimed_at, step.ended_at = first, first, end
    step.output = {"rows": 11_982, "took": round((end - first).total_seconds(), 2)} if is_done else None
    step.save()
    why = "" if is_done else error
    an_attempt(step, started_at=first, ended_at=end, outcome=step.status.lower(), worker_id=f"{step.pk:032x}", error=why)
    level, text = SAYS[step.pk % len(SAYS)]
    a_log_line(step, text.format(place=place), level=level, at=first)


def _history(templates: Mapping[str, Any], dice: random.Random, now: datetime) -> None:
    """Forty-eight hours of it."""
    from workflows_app.graph.statuses import Status

    for number in range(64):
        slug = ("nightly-etl", "billing", "onboarding")[number % 3]
        began = now - timedelta(minutes=40 + 43 * number + dice.uniform(0, 20))
        ended = dict.fromkeys(STEPS[slug], Status.COMPLETED)
        error = ""
        if number % 11 == 4:
            ids = list(STEPS[slug])
            at = ids.index("load_warehouse") if slug == "nightly-etl" else 1
            ended |= {id: Status.STOPPED for id in ids[at + 1 :]} | {ids[at]: Status.FAILED}
            error = f"{ids[at]}: {(REFUSED, OTHER)[number % 2]}"
        _play(templates[slug], began, _times(slug, dice), ended, **({"error": error} if error else {}))


def _failed(template: Any, why: str, now: datetime, hours: float) -> Any:
    from tests.factories import a_log_line, an_attempt
    from workflows_app.graph.statuses import Status

    at = "post_to_ledger" if why is REFUSED else "price"
    ids = list(STEPS["billing"])
    ended = (
        {id: Status.COMPLETED for id in ids[: ids.index(at)]}
        | {at: Status.FAILED}
        | {id: Status.STOPPED for id in ids[ids.index(at) + 1 :]}
    )
    workflow = _play(template, now - timedelta(hours=hours), _times("billing", random.Random(3)), ended, error=f"{at}: {why}")
    step = workflow.steps.get(node_id=at)
    step.attempts.all().delete()
    for number in range(1, 5):
        begin = step.started_at + timedelta(seconds=number * 2)
        an_attempt(
            step,
            number=number,
            outcome="failed",
            error=why,
            started_at=begin,
            ended_at=begin + timedelta(seconds=1.2),
            worker_id="3f2a91c07be14d6c9a5e20718b3c4d5e",
        )
        a_log_line(step, f"POST https://ledger.example/v2/entries, attempt {number} of 4", attempt=number, at=begin)
        a_log_line(step, why, attempt=number, level="ERROR" if number == 4 else "WARNING", at=begin + timedelta(seconds=1.1))
    step.attempt, step.failures, step.error = 4, 4, why
    step.save()
    return workflow


def _running(template: Any, dice: random.Random, now: datetime) -> Any:
    """Slower than usual: its load takes long."""
    from tests.factories import a_log_line
    from workflows_app.graph.statuses import Status
    from workflows_app.models import Step

    done = ["extract_orders", "extract_customers", "extract_prices", "validate_orders", "match_customers", "apply_prices", "find_outliers"]
    ended = dict.fromkeys(done, Status.COMPLETED) | {"load_warehouse": Status.RUNNING}
    workflow = _play(template, now - timedelta(seconds=230), _times("nightly-etl", dice, slow=1.6), ended)
    Step.objects.filter(workflow=workflow, status="RUNNING").update(
        lease_expires_at=now + timedelta(days=1), metadata={"progress": 0.62}, worker_id="3f2a91c07be14d6c9a5e20718b3c4d5e"
    )
    step = workflow.steps.get(node_id="load_warehouse")
    for number in range(40):
        a_log_line(step, f"COPY orders_2026_11 batch {number + 1} of 64: 10,000 rows", at=step.started_at + timedelta(seconds=3 * number))
    return workflow


def _asking(template: Any, who: str, now: datetime, number: int) -> Any:
    from tests.dashboard.rows import wait_for
    from workflows_app.dialects import params_schema
    from workflows_app.graph.statuses import Status
    from workflows_app.models import Step

    ended = dict.fromkeys(("create_account", "check_documents"), Status.COMPLETED)
    workflow = _play(template, now - timedelta(minutes=12 + 50 * number), _times("onboarding", random.Random(number)), ended)
    form = {
        "properties": {
            "limit": {"type": "integer", "title": "Credit limit", "default": 500, "maximum": 5000},
            "note": {"type": "string", "title": "Note"},
        },
        "required": ["limit"],
    }
    shown = {
        "title": f"Open an account for {who}",
        "message": f"{who} sent a passport and a bill. The check found nothing odd.",
        "form": params_schema.normalise(form),
        "approvers": [],
    }
    at = now - timedelta(minutes=11 + 50 * number)
    wait_for(
        workflow, "approve", Step.APPROVAL, metadata={"approval": shown, "waitingFor": "approval by anybody"}, remaining=0,
        started_at=at, claimed_at=at,
    )  # fmt: skip
    type(workflow).objects.filter(pk=workflow.pk).update(name=f"{template.name}: {who}", status="RUNNING", active_steps=1)
    return workflow


def _wide(now: datetime) -> Any:
    """Two thousand steps, most of them done."""
    from tests.factories import a_workflow
    from workflows_app.graph import definition as graph
    from workflows_app.graph.statuses import Status
    from workflows_app.models import Step, Workflow

    sites = [graph.Node(f"page_{number}", "http_call", needs=("list_pages",)) for number in range(NODES - 2)]
    nodes = [graph.Node("list_pages", "http_call"), *sites, graph.Node("index", "transform", needs=tuple(site.id for site in sites))]
    done = {node.id: Status.COMPLETED for node in nodes[:1_400]} | {node.id: Status.FAILED for node in nodes[1_400:1_403]}
    done |= {node.id: Status.RUNNING for node in nodes[1_403:1_411]}
    workflow = a_workflow(*nodes, statuses=done, name="Web crawl", tags=["search"])
    Workflow.objects.filter(pk=workflow.pk).update(created_at=now - timedelta(minutes=9), started_at=now - timedelta(minutes=9))
    Step.objects.filter(workflow=workflow, status="RUNNING").update(lease_expires_at=now + timedelta(days=1))
    Step.objects.filter(workflow=workflow, status="FAILED").update(error="HTTP 404 from https://shop.example/archive/page")
    return workflow


def _schedule(template: Any, name: str, cron: str, now: datetime) -> str:
    from workflows_app.models import Schedule, Workflow

    latest = Workflow.objects.filter(template_version__template=template).order_by("-created_at").first()
    found = Schedule.objects.create(
        template=template, name=f"{name}: {template.name}", cron=cron, timezone="Europe/Vienna", params={"full": False}, created_at=now,
        updated_at=now, next_at=now + timedelta(hours=5), last_at=now - timedelta(hours=19), last_workflow=latest,
    )  # fmt: skip
    return str(found.uid)


def _workers(now: datetime, running: Any) -> None:
    from tests.dashboard.rows import a_notification
    from tests.factories import a_worker
    from workflows_app.models import BacklogSample

    for number, host in enumerate(("build-7", "build-7", "build-7", "build-7", "build-9", "build-9")):
        id = "3f2a91c07be14d6c9a5e20718b3c4d5e" if not number else f"{random.Random(number).getrandbits(128):032x}"
        a_worker(
            id,
            host=host,
            pid=4100 + number,
            version="0.1.0",
            started_at=now - timedelta(hours=30),
            heartbeat_at=now,
            group=host,
            memory_bytes=(61 + 7 * number) * 2**20,
        )
    for number in range(120):
        dice = random.Random(number)
        BacklogSample.objects.create(
            at=now - timedelta(minutes=number), due=dice.randrange(0, 40 if number % 30 < 5 else 6), running=dice.randrange(2, 9)
        )
    a_notification("Billing run failed", message=f"post_to_ledger: {REFUSED}", level="error", workflow=running)
    a_notification("Nightly ETL: totals match", message="11,982 orders, 0 differences", level="info", workflow=running)


def _events(now: datetime, workflow: Any) -> list[str]:
    from tests.dashboard.rows import a_match, an_event

    matches: Sequence[Any] = ([a_match("billing", workflow=workflow)], [a_match("onboarding", reason="the trigger is not true")], [])
    return [
        str(
            an_event(
                source=source,
                payload={"type": kind, "order": {"id": "A-1042", "amount": 129.9, "currency": "EUR"}},
                received_at=now - timedelta(minutes=5 * number),
                matches=found,
            ).uid
        )
        for number, (source, kind, found) in reversed(
            list(enumerate(zip(("shop", "crm", "shop"), ("order.paid", "lead.created", "order.refunded"), matches, strict=True)))
        )
    ][::-1]


if __name__ == "__main__":
    main()
