"""Concurrency keys in use: how many steps hold each, which, and how many wait for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min

from workflows_app.engine.report.times import iso, seconds
from workflows_app.models import Step

MOST_KEYS, MOST_HOLDERS, MOST_READ = 50, 5, 5_000


def limits(now: datetime) -> list[dict[str, Any]]:
    """One `{"key", "limit", "running", "waiting", "oldestSeconds", "holders"}` for each key that a step holds or is due for, those
    that most wait for first; in two queries."""
    held, due = _held(), _due(now)
    keys = sorted({*held, *due}, key=lambda key: (-due.get(key, {}).get("waiting", 0), -len(held.get(key, ())), key))
    return [_limit(key, held.get(key, []), due.get(key, {}), now) for key in keys[:MOST_KEYS]]


def _limit(key: str, holders: list[Mapping[str, Any]], due: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "limit": max([due.get("most") or 0, *(holder["concurrency_limit"] for holder in holders)]),
        "running": len(holders),
        "waiting": due.get("waiting", 0),
        "oldestSeconds": seconds(due.get("oldest"), now),
        "holders": [
            {
                "workflowId": str(holder["uid"]),
                "workflowName": holder["called"],
                "stepId": holder["node_id"],
                "startTime": iso(holder["claimed_at"]),
            }
            for holder in holders[:MOST_HOLDERS]
        ],
    }


def _held() -> Mapping[str, list[Mapping[str, Any]]]:
    """Who runs with each key, the longest first."""
    rows = Step.objects.running().filter(concurrency_key__isnull=False).order_by("claimed_at", "id")
    named = rows.annotate(uid=F("workflow__uid"), called=F("workflow__name"))
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in named.values("concurrency_key", "concurrency_limit", "node_id", "claimed_at", "uid", "called")[:MOST_READ]:
        found[str(row["concurrency_key"])].append(row)
    return found


def _due(now: datetime) -> Mapping[str, Mapping[str, Any]]:
    rows = Step.objects.due(now).filter(concurrency_key__isnull=False).order_by().values("concurrency_key")
    counted = rows.annotate(waiting=Count("pk"), most=Max("concurrency_limit"), oldest=Min("available_at"))
    return {str(row["concurrency_key"]): row for row in counted.order_by("-waiting")[:MOST_KEYS]}
