"""The values of stored secrets, for the steps that name them."""

from __future__ import annotations

import logging
from collections.abc import Collection

from workflows_app.models import Secret
from workflows_app.models.fields import CannotDecrypt

logger = logging.getLogger(__name__)


def values(names: Collection[str]) -> dict[str, str]:
    """By name. One that is not stored, or was kept with a key that is gone, is left out: one lost key must not stop a worker."""
    rows = Secret.objects.filter(name__in=list(names)).values_list("name", "value")
    try:
        return dict(rows) if names else {}
    except CannotDecrypt:
        return {name: value for name in names for value in _readable(name)}


def _readable(name: str) -> list[str]:
    try:
        return list(Secret.objects.filter(name=name).values_list("value", flat=True))
    except CannotDecrypt as error:
        logger.error("The secret %s cannot be used: %s", name, error)
        return []
