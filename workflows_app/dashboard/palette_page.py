"""What the palette finds: pages, templates to start, workflows by name or the beginning of their id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Max, Q
from django.urls import reverse

from workflows_app.dashboard.looks import Look, look
from workflows_app.dashboard.shell import PLACES, url_of
from workflows_app.models import Template, Workflow
from workflows_app.models.workflows import WorkflowQuerySet

MOST_FOUND = 8
MOST_LETTERS = 200
RECENT = 20_000
UID_START = re.compile(r"[0-9a-f]{4,8}(-[0-9a-f-]{0,27})?|[0-9a-f]{32}", re.IGNORECASE)
VERBS = re.compile(r"(?P<to>go to|goto|open)\s+|(?P<start>start|run)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    words: str
    note: str
    url: str
    look: Look | None = None
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    found: list[Found]


@dataclass(frozen=True, slots=True)
class PalettePage:
    """`groups` holds only those in which something was found."""

    typed: str
    groups: list[Group]


def build(typed: str, *, reader: User) -> PalettePage:
    """A verb that people put first is understood: "start nightly" finds only what can be started, "go to workers" all else."""
    typed = typed.replace("\0", "").strip()[:MOST_LETTERS]
    verb = VERBS.match(typed)
    wanted = typed[verb.end() :].strip() if verb else typed
    starts = [] if verb and verb["to"] else _templates(wanted)
    pages, workflows = ([], []) if verb and verb["start"] else (_pages(wanted, reader), _workflows(wanted))
    groups = [Group("Go to", pages), Group("Start", starts), Group("Workflows", workflows)]
    return PalettePage(typed, [group for group in groups if group.found])


def _pages(wanted: str, reader: User) -> list[Found]:
    pages = [Found(word, "", url_of(name), keys=f"g {key}") for word, name, key in PLACES]
    pages.append(Found("API", "documentation", "/api/docs"))
    if reader.is_staff:
        pages.append(Found("Admin", "templates, tokens, secrets", reverse("admin:index")))
    return [page for page in pages if wanted.lower() in page.words.lower()]


def _templates(wanted: str) -> list[Found]:
    matching = Template.objects.published().filter(Q(slug__icontains=wanted) | Q(name__icontains=wanted))
    found = matching.order_by("slug").values_list("slug", "name")[:MOST_FOUND]
    return [Found(name, slug, reverse("dashboard:template-start", args=[slug])) for slug, name in found]


def _workflows(wanted: str) -> list[Found]:
    """Names are looked for among the latest, so that a long history does not make the palette slow."""
    found = _matching(wanted).order_by("-id").values_list("uid", "name", "status")[:MOST_FOUND]
    return [Found(name, str(uid)[:8], reverse("dashboard:workflow", args=[uid]), look(status)) for uid, name, status in found]


def _matching(wanted: str) -> WorkflowQuerySet:
    newest = Workflow.objects.aggregate(last=Max("pk"))["last"] or 0
    recent = Workflow.objects.filter(pk__gt=newest - RECENT, parent__isnull=True)
    if not wanted:
        return recent
    by_name = recent.filter(name__icontains=wanted)
    return by_name | _by_uid(wanted) if UID_START.fullmatch(wanted) else by_name


def _by_uid(wanted: str) -> WorkflowQuerySet:
    """As a range, which an index serves."""
    digits = wanted.replace("-", "")[:32]
    return Workflow.objects.filter(uid__range=(UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))))
