"""Pages of other packages that must not be open."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin


def close() -> None:
    """django-q2's pages unpickle what is in its rows, and let a schedule name any function of this machine.
    It stands before us in INSTALLED_APPS, so its pages are registered by now."""
    for model in apps.get_app_config("django_q").get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
