"""The values of stored secrets, for the steps that name them."""

from __future__ import annotations

from collections.abc import Collection

from workflows_app.models import Secret


def values(names: Collection[str]) -> dict[str, str]:
    """By name; one that is not stored is left out. Raises CannotDecrypt."""
    return dict(Secret.objects.filter(name__in=list(names)).values_list("name", "value")) if names else {}
