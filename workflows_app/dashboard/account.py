"""What happened to a workflow, in order: attempts and retries, decisions, notifications, events, other workflows, repairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from workflows_app.dashboard import approvals_page
from workflows_app.dashboard.looks import LOOKS, SKIPPED, Look, Moment, look, moment, took
from workflows_app.dashboard.steps_view import View
from workflows_app.graph.statuses import FINAL, Status
from workflows_app.models import Attempt, Notification, Repair, Step, Workflow

PER_PAGE = 200
MOST_OF_A_KIND = 20_000
OUTCOMES = {
    "completed": (LOOKS[Status.COMPLETED], "completed"),
    "skipped": (SKIPPED, "was skipped"),
    "failed": (LOOKS[Status.FAILED], "failed"),
    "retried": (LOOKS[Status.WAITING_FOR_DEPENDENCY], "failed and is tried again"),
    "crashed": (LOOKS[Status.FAILED], "lost its worker"),
    "stopped": (LOOKS[Status.STOPPED], "was stopped"),
    "released": (LOOKS[Status.PENDING], "was handed back by its worker"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """`step` is whose it is; `why` the error or the message; `url` leads to what the words name."""

    at: Moment | None
    look: Look
    step: str
    words: str
    why: str = ""
    url: str = ""
    step_url: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    entries: list[Entry]
    range_words: str
    earlier_url: str
    later_url: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something at a time; an attempt is read in full only when its page is shown."""

    at: datetime | None
    entry: Entry | None = None
    attempt: int | None = None


def build(workflow: Workflow, view: View, *, now: datetime) -> Account:
    facts = sorted(_facts(workflow, now), key=lambda fact: fact.at or now)
    start = min(view.start, max(0, len(facts) - 1)) if view.start is not None else max(0, len(facts) - PER_PAGE)
    page = facts[start : start + PER_PAGE]
    return Account(
        entries=_entries(page, view, now),
        range_words=f"{start + 1:,}–{start + len(page):,} of {len(facts):,}" if len(facts) > PER_PAGE else "",
        earlier_url=view.url(start=max(0, start - PER_PAGE)) if start else "",
        later_url=view.url(start=start + PER_PAGE) if start + PER_PAGE < len(facts) else "",
    )


def _facts(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    yield from _own(workflow, now)
    ended = Attempt.objects.filter(step__workflow=workflow, step__parent__isnull=True).order_by("-ended_at")
    yield from (Fact(at, attempt=pk) for at, pk in ended.values_list("ended_at", "pk")[:MOST_OF_A_KIND])
    yield from _ruled_out(workflow, now)
    yield from _begun(workflow, now)
    yield from _decisions(workflow, now)
    yield from _notifications(workflow, now)
    yield from _end(workflow, now)
    yield from _others(workflow, now)
    yield from _repairs(workflow, now)


def _own(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    def told(at: datetime, seen: Look, words: str, why: str = "", url: str = "") -> Fact:
        return Fact(at, Entry(moment(at, now=now), seen, "", words, why, url))

    if event := workflow.event:
        url = reverse("dashboard:event", args=[event.uid])
        yield told(
            event.received_at, LOOKS[Status.COMPLETED], f"An event{' from ' + event.source if event.source else ''} came in", url=url
        )
    by = f" by {workflow.started_by.get_username()}" if workflow.started_by else ""
    by = by or (f" by schedule {workflow.schedule.name}" if workflow.schedule else "")
    yield told(workflow.created_at, LOOKS[Status.PENDING], f"The workflow was submitted{by}")
    if workflow.started_at:
        yield told(workflow.started_at, LOOKS[Status.RUNNING], "The workflow began")


def _end(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    if at := workflow.ended_at:
        seen = look(workflow.status)
        words = "The workflow was stopped" if seen.css == "stopped" else f"The workflow {seen.word.lower()}"
        yield Fact(at, Entry(moment(at, now=now), seen, "", words, workflow.error))


def _ruled_out(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    """Steps that ended without an attempt."""
    found = Step.objects.top_level().filter(workflow=workflow, attempt=0, ended_at__isnull=False).order_by("-ended_at")
    for at, id, is_skipped, reason in found.values_list("ended_at", "node_id", "is_skipped", "metadata__reason")[:MOST_OF_A_KIND]:
        words = "was skipped" if is_skipped else "did not run"
        yield Fact(at, Entry(moment(at, now=now), look(Status.STOPPED, is_skipped=is_skipped), id, words, str(reason or "")))


def _begun(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    """Attempts that have not ended."""
    found = Step.objects.top_level().filter(workflow=workflow, claimed_at__isnull=False, ended_at__isnull=True)
    for at, id, status, attempt in found.exclude(status=Status.PENDING).values_list("claimed_at", "node_id", "status", "attempt"):
        yield Fact(at, Entry(moment(at, now=now), look(status), id, f"began attempt {attempt}"))


def _decisions(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    for step in Step.objects.filter(workflow=workflow, action="approval", status__in=FINAL).order_by("-ended_at")[:PER_PAGE]:
        told = approvals_page.decision(step, now=now)
        if told and told.by and told.at:
            seen = LOOKS[Status.COMPLETED if told.css == "completed" else Status.FAILED]
            yield Fact(datetime.fromisoformat(told.at.iso), Entry(told.at, seen, step.node_id, f"{told.word} by {told.by}", told.reason))


def _notifications(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    for note in Notification.objects.filter(workflow=workflow).order_by("-id")[:PER_PAGE]:
        url = reverse("dashboard:notifications")
        entry = Entry(
            moment(note.created_at, now=now), LOOKS[Status.COMPLETED], note.node_id, f"told people: {note.title}", note.message, url
        )
        yield Fact(note.created_at, entry)


def _others(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    """Sub-workflows and those that ran this one again."""
    steps = Step.objects.filter(workflow=workflow, action="sub_workflow").values("pk")
    parts = Workflow.objects.filter(parent_step__in=steps).order_by("-id").values_list("created_at", "uid", "name", "parent_step__node_id")
    again = Workflow.objects.filter(parent=workflow, parent_step__isnull=True).order_by("-id").values_list("created_at", "uid", "name")
    for at, uid, name, id in parts[:PER_PAGE]:
        words = f"started the workflow {name} {str(uid)[:8]}"
        yield Fact(at, Entry(moment(at, now=now), LOOKS[Status.RUNNING], id, words, url=reverse("dashboard:workflow", args=[uid])))
    for at, uid, name in again[:PER_PAGE]:
        words = f"The workflow was run again as {name} {str(uid)[:8]}"
        yield Fact(at, Entry(moment(at, now=now), LOOKS[Status.RUNNING], "", words, url=reverse("dashboard:workflow", args=[uid])))


def _repairs(workflow: Workflow, now: datetime) -> Iterator[Fact]:
    for repair in Repair.objects.filter(workflow=workflow).order_by("-at")[:PER_PAGE]:
        entry = Entry(moment(repair.at, now=now), LOOKS[Status.FAILED], "", "The engine mended what should not be possible", repair.detail)
        yield Fact(repair.at, entry)


def _entries(page: list[Fact], view: View, now: datetime) -> list[Entry]:
    keys = [fact.attempt for fact in page if fact.attempt]
    attempts = {attempt.pk: attempt for attempt in Attempt.objects.filter(pk__in=keys).select_related("step").defer(*UNREAD)}
    found = [fact.entry or _attempt(attempts[fact.attempt or 0], now) for fact in page if fact.entry or fact.attempt in attempts]
    return [_linked(entry, view) for entry in found]


UNREAD = tuple(f"step__{name}" for name in ("output", "resume", "answer", "element", "metadata", "error"))


def _attempt(attempt: Attempt, now: datetime) -> Entry:
    seen, words = OUTCOMES[attempt.outcome]
    spent = took(attempt.started_at, attempt.ended_at, now=now)
    number = f", attempt {attempt.number}" if attempt.number > 1 or attempt.outcome == "retried" else ""
    late = f"; its worker came back too late: {attempt.late_result}" if attempt.late_result else ""
    words = f"{words}{number}{f' after {spent.words}' if spent else ''}{late}"
    return Entry(moment(attempt.ended_at, now=now), seen, attempt.step.node_id, words, attempt.error)


def _linked(entry: Entry, view: View) -> Entry:
    if not entry.step:
        return entry
    url = view.url(step=entry.step, start=None)
    return Entry(entry.at, entry.look, entry.step, entry.words, entry.why, entry.url, url)
