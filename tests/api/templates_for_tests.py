"""Templates that compile, published as people do."""

from __future__ import annotations

from tests.factories import NOW
from workflows_app.catalog.publish import publish
from workflows_app.models import TemplateVersion

SOURCE = """\
name: Data processing
description: Made for tests
tags: [etl]
params:
  type: object
  properties:
    day: {type: string, format: date}
    size: {type: integer, minimum: 1, default: 3}
steps:
  - {id: fetch, action: input}
  - {id: shape, action: transform, needs: [fetch], with: {value: {rows: "{{ params.size }}"}}}
"""


def a_published(slug: str = "data_processing", source: str = SOURCE) -> TemplateVersion:
    return publish(slug=slug, source=source, now=NOW)
