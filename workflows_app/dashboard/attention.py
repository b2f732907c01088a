"""What waits for the reader, wherever they are: the counts in the header."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from django.contrib.auth.models import User
from django.http import HttpRequest

from workflows_app.access import notifications
from workflows_app.catalog import approvals
from workflows_app.engine.report.pulse import pulse

MOST_SHOWN = 99


class Attention:
    """Counted when the page shows it, and once: a page without a header costs nothing."""

    def __init__(self, user: User) -> None:
        self.user = user

    @cached_property
    def unread(self) -> str:
        return _shown(notifications.recent_unread_count(self.user))

    @cached_property
    def approvals(self) -> str:
        return _shown(approvals.waiting_count(self.user))


def context(request: HttpRequest) -> Mapping[str, Attention | None]:
    """A context processor: `attention`, None for who is not signed in."""
    user = getattr(request, "user", None)
    return {"attention": Attention(user) if isinstance(user, User) else None}


def tag() -> str:
    """Changes whenever a count may have: it is the same for every page and everybody."""
    return pulse().attention


def _shown(count: int) -> str:
    """Nothing for none."""
    return f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count or "")
