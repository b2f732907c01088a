"""Workers and queue as their page shows them; the figures are those of `GET /api/health`, `/api/queue` and `/api/workers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows_app.dashboard import living, trend_picture, worker_rows
from workflows_app.dashboard.live import LIST_MILLISECONDS
from workflows_app.dashboard.looks import Moment, moment, plural
from workflows_app.dashboard.progress import span
from workflows_app.engine import report
from workflows_app.engine.report.pulse import pulse
from workflows_app.engine.report.standing import Standing

MOST_QUEUED, MOST_ACTIONS = 20, 8
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """`at` is shown after the note, and counted on by the script; `url` leads to what is counted."""

    words: str
    value: str
    note: str
    at: Moment | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of what is due: of one priority, or of one action. `oldest` is how long the first of it has been due."""

    name: str
    due: str
    oldest: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A concurrency key in use."""

    key: str
    use: str
    is_full: bool
    waiting: str
    oldest: str
    holders: list[Json]
    more: str


@dataclass(frozen=True, slots=True)
class Pause:
    by: str
    since: Moment | None
    reason: str


@dataclass(frozen=True, slots=True)
class WorkersPage:
    """`verdict` is one line: whether it is healthy, and if not, why and what to do; a `pause` says that itself. `problems` are the other
    reasons."""

    status: str
    verdict: str
    problems: list[str]
    pause: Pause | None
    figures: list[Figure]
    trend: trend_picture.Trend
    priorities: list[Share]
    actions: list[Share]
    more_actions: str
    limits: list[Limit]
    workers: list[worker_rows.WorkerRow]
    queued: list[dict[str, Any]]
    version: str
    poll_milliseconds: int
    now: str


def tag(now: datetime) -> str:
    """Changes with the workflows, with every heartbeat, when a worker falls silent or drains, when the queue is paused, and with every
    sample of the backlog: while anything is due or runs no figure is older than ten seconds."""
    found = pulse()
    return f"{found.workflows}-{found.workers}-{living.count(now)}"


def build(*, now: datetime) -> WorkersPage:
    standing = Standing(now)
    health, queue, rows = report.health(now, standing), report.queue(now, standing), worker_rows.rows(now, standing)
    pause, parts = _pause(queue["paused"], now), health["components"]
    problems = [part["message"] for name, part in parts.items() if part.get("message") and not (pause and name == "queue")]
    return WorkersPage(
        status=health["status"],
        verdict="" if pause else _verdict(health["status"], problems, rows, queue),
        problems=problems[1:] if health["status"] != "healthy" and not pause else problems,
        pause=pause,
        figures=_figures(queue, now),
        trend=trend_picture.draw(queue["samples"], due=queue["due"], now=now),
        priorities=[Share(name, f"{due:,}", "") for name, due in queue["byPriority"].items()] if queue["due"] else [],
        actions=[_share(found) for found in queue["byAction"][:MOST_ACTIONS]],
        more_actions=_more(len(queue["byAction"]) - MOST_ACTIONS, "more action"),
        limits=[_limit(found, now) for found in queue["limits"]],
        workers=rows,
        queued=[{**step, "due": moment(step["availableAt"], now=now)} for step in queue["steps"][:MOST_QUEUED]],
        version=health["version"],
        poll_milliseconds=LIST_MILLISECONDS,
        now=now.isoformat(),
    )


def _pause(found: Json | None, now: datetime) -> Pause | None:
    return Pause(found["by"] or "", moment(found["since"], now=now), found["reason"]) if found else None


def _verdict(status: str, problems: Sequence[str], rows: Sequence[worker_rows.WorkerRow], queue: Json) -> str:
    if status != "healthy":
        return f"{status.capitalize()}: {problems[0]}"
    limited = sum(limit["waiting"] for limit in queue["limits"] if limit["running"] >= limit["limit"])
    free = queue["due"] - limited
    parts = [f"{_waiting(free)} for a free one" if free else "nothing waits for one"]
    parts += [f"{_waiting(limited)} for a place under a limit"] if limited else []
    return f"Healthy: {plural(len(rows), 'worker')}, {', '.join(parts)}."


def _waiting(count: int) -> str:
    return f"{plural(count, 'step')} wait{'s' if count == 1 else ''}"


def _figures(queue: Json, now: datetime) -> list[Figure]:
    oldest, following = moment(queue["oldestDueAt"], now=now), moment(queue["nextDueAt"], now=now)
    longest = queue["longestWaitSeconds"]
    return [
        Figure("Due now", f"{queue['due']:,}", "the oldest since" if oldest else "no backlog", oldest),
        Figure("Running", f"{queue['running']:,}", "steps that a worker holds"),
        Figure("On a timer", f"{queue['scheduled']:,}", "the next one" if following else "delays and retries", following),
        Figure("Waiting", f"{queue['waiting']:,}", "for a step before them, or an answer"),
        Figure("Longest wait", span(longest) if longest else "none", "of a due step, last 5 minutes"),
        Figure("Ended per minute", f"{queue['endedPerMinute']:,g}", "workflows, last 5 minutes"),
        Figure("Failed", f"{queue['failedLastHour']:,}", "workflows, last hour", url="?status=failed&since=1h"),
    ]


def _share(found: Json) -> Share:
    return Share(found["action"], f"{found['due']:,}", span(found["oldestSeconds"]) if found["oldestSeconds"] else "now")


def _limit(found: Json, now: datetime) -> Limit:
    return Limit(
        key=found["key"],
        use=f"{found['running']:,} of {found['limit']:,}",
        is_full=found["running"] >= found["limit"],
        waiting=f"{found['waiting']:,}",
        oldest=span(found["oldestSeconds"]) if found["oldestSeconds"] else "",
        holders=[{**holder, "began": moment(holder["startTime"], now=now)} for holder in found["holders"]],
        more=_more(found["running"] - len(found["holders"]), "more step"),
    )


def _more(count: int, noun: str) -> str:
    return plural(count, noun) if count > 0 else ""
