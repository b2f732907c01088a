"""Who is signed in: Django's sessions and users, each found by one statement that is written here, not built anew for every poll.

Building the two takes longer than all else that a poll does which finds nothing new (half a millisecond of two)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

SESSION = "SELECT session_key, session_data, expire_date FROM django_session WHERE session_key = %s AND expire_date > %s"
USER = "SELECT * FROM auth_user WHERE id = %s"


class SessionStore(db.SessionStore):
    """What `SESSION_ENGINE` names."""

    def _get_session_from_db(self) -> Session | None:
        """None, and no key from then on, when there is no such session or it has expired."""
        key, now = str(self.session_key), connection.ops.adapt_datetimefield_value(timezone.now())
        is_possible = key.isascii() and key.isalnum()  # PostgreSQL refuses a text with a zero byte, which a cookie may well have
        found = next(iter(Session.objects.raw(SESSION, [key, now])), None) if is_possible else None
        if found is None:
            self._session_key = None
        return found


class StoredUsers(ModelBackend):
    """Names and passwords are checked as Django does."""

    def get_user(self, user_id: Any) -> User | None:
        """None when there is no such user, or one who may no longer sign in."""
        found = next(iter(User.objects.raw(USER, [user_id])), None)
        return found if found is not None and self.user_can_authenticate(found) else None
