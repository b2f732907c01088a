"""The user of local mode."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import connection

from workflows_app.access.local_user import local_user


@pytest.mark.django_db
def test_the_local_user_may_everything_but_cannot_log_in() -> None:
    user = local_user()
    assert user.is_superuser and user.is_staff and user.is_active
    assert not user.has_usable_password()
    assert authenticate(username="local", password="") is None


@pytest.mark.django_db
def test_it_is_made_once() -> None:
    assert local_user() == local_user()
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_threads_that_make_it_at_once_get_the_same_row() -> None:
    barrier, found = threading.Barrier(4), []

    def make() -> None:
        barrier.wait()
        found.append(local_user().pk)
        connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1
