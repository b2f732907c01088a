"""Views of the workflow list that people saved: their own, and those that others share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, When

from workflows_app.models import SavedView

MOST_OWN, MOST_SHOWN, LONGEST_NAME, LONGEST_QUERY = 50, 30, 60, 2_000


class ViewNotFound(LookupError):
    """There is no such view, or it is another's."""

    def __init__(self, key: object) -> None:
        super().__init__(f"There is no view {key} of yours: it may have been deleted, or somebody else shares it")


class ViewRefused(ValueError):
    """It cannot be kept so; the message says why."""


def visible_to(user: User) -> QuerySet[SavedView]:
    """Own ones first, then those that are shared, by name."""
    shown = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    return shown.order_by(Case(When(owner=user, then=0), default=1), "name", "id")[:MOST_SHOWN]


def save(*, owner: User, name: str, query: str, is_shared: bool, now: datetime) -> SavedView:
    """Raises ViewRefused."""
    if SavedView.objects.filter(owner=owner).count() >= MOST_OWN:
        raise ViewRefused(f"You have {MOST_OWN} views already: delete one first")
    if len(query) > LONGEST_QUERY:
        raise ViewRefused(f"These filters are longer than {LONGEST_QUERY:,} characters: shorten the search")
    values = {"name": _accepted(name), "query": query, "is_shared": is_shared, "created_at": now}
    with _one_of_its_name(name):
        return SavedView.objects.create(owner=owner, **values)


def change(*, owner: User, key: int, name: str, is_shared: bool) -> SavedView:
    """Raises ViewNotFound, ViewRefused."""
    view = _own(owner, key)
    view.name, view.is_shared = _accepted(name), is_shared
    with _one_of_its_name(name):
        view.save(update_fields=["name", "is_shared"])
    return view


def delete(*, owner: User, key: int) -> str:
    """Its name. Raises ViewNotFound."""
    view = _own(owner, key)
    view.delete()
    return view.name


def _own(owner: User, key: int) -> SavedView:
    found = SavedView.objects.filter(owner=owner, pk=key).first()
    if found is None:
        raise ViewNotFound(key)
    return found


def _accepted(name: str) -> str:
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise ViewRefused("Give the view a name")
    if len(name) > LONGEST_NAME:
        raise ViewRefused(f"The name is {len(name)} characters long: at most {LONGEST_NAME} fit")
    return name


@contextmanager
def _one_of_its_name(name: str) -> Iterator[None]:
    """The constraint decides, also between two who save at once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise ViewRefused(f"You have a view called “{' '.join(name.split())}” already: choose another name") from None
