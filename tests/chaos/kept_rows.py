"""The rows of an earlier release (take_fixture.py), put back under its own schema as if they had been written just now."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.state import StateApps

FIXTURES = Path(__file__).parent / "fixtures"


def load(apps: StateApps, name: str, now: datetime) -> None:
    """All times are moved so that the release was killed at `now`."""
    kept = json.loads(gzip.decompress((FIXTURES / f"{name}.json.gz").read_bytes()))
    passed = now - datetime.fromisoformat(kept["taken_at"])
    tables = [(apps.get_model("workflows_app", table), content) for table, content in kept["tables"].items()]
    with transaction.atomic():
        for model, content in tables:
            model._default_manager.bulk_create(_rows(model, content, passed), batch_size=100)
    for statement in connection.ops.sequence_reset_sql(no_style(), [model for model, _ in tables]):
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _rows(model: type[models.Model], content: Mapping[str, Any], passed: timedelta) -> Iterator[models.Model]:
    fields = {name: model._meta.get_field(name) for name in content["columns"]}
    for row in content["rows"]:
        yield model(**{name: _value(fields[name], value, passed) for name, value in zip(content["columns"], row, strict=True)})


def _value(field: Any, value: Any, passed: timedelta) -> Any:
    if value is None or isinstance(field, models.JSONField):
        return value
    return field.to_python(value) + passed if isinstance(field, models.DateTimeField) else field.to_python(value)
