"""What surrounds every page: its places, each with the key that leads there after `g`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property

from workflows_app.dashboard import attention


@dataclass(frozen=True, slots=True)
class Place:
    """`count_id` and `count_words` are there when a count stands beside the word."""

    word: str
    url: str
    key: str
    is_here: bool
    count_id: str = ""
    count: str = ""
    count_words: str = ""


PLACES = (
    ("Overview", "home", "o"), ("Workflows", "workflows", "w"), ("Templates", "templates", "t"), ("Schedules", "schedules", "s"),
    ("Approvals", "approvals", "a"), ("Events", "events", "e"), ("Notifications", "notifications", "n"), ("Workers", "workers", "q"),
)  # fmt: skip


class Shell:
    """Made for every template, worked out only when the page shows it: a region has no header."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.version = settings.VERSION

    @cached_property
    def places(self) -> list[Place]:
        """None for strangers: they could go nowhere."""
        if self._counts is None:
            return []
        return [self._place(word, name, key) for word, name, key in PLACES]

    @cached_property
    def _counts(self) -> attention.Attention | None:
        return attention.context(self._request)["attention"]

    def _place(self, word: str, name: str, key: str) -> Place:
        url = url_of(name)
        return Place(word, url, key, _is_under(self._request.path, url), *self._count(word))

    def _count(self, word: str) -> tuple[str, str, str]:
        if self._counts and word == "Approvals":
            return "approvals-count", self._counts.approvals, "waiting"
        if self._counts and word == "Notifications":
            return "unread-count", self._counts.unread, "unread"
        return "", "", ""


def context(request: HttpRequest) -> Mapping[str, Any]:
    """A context processor: `shell`."""
    return {"shell": Shell(request)}


def url_of(name: str) -> str:
    return reverse(f"dashboard:{name}")


def _is_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(f"{url}/"))
