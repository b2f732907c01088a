"""`manage.py document_actions`: write the tables of docs/actions from the code (`make docs`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from workflows_app.actions import documentation
from workflows_app.actions.base import Action

DIRECTORY = Path(settings.BASE_DIR) / "docs" / "actions"


class Command(BaseCommand):
    help = "Write the configuration tables in docs/actions anew from the actions' pydantic models."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        changed = [name for name, action in documentation.pages().items() if _write(DIRECTORY / f"{name}.md", action)]
        self.stdout.write(f"Written: {', '.join(changed)}" if changed else "All pages are as the code says")


def _write(path: Path, action: Action) -> bool:
    """Whether the page had to be changed."""
    try:
        page = path.read_text(encoding="utf-8")
        filled = documentation.filled(page, action)
    except FileNotFoundError:
        raise CommandError(f"There is no page {path}: write one, with an example") from None
    except documentation.NoPlace as error:
        raise CommandError(f"{path}: {error}") from None
    if filled != page:
        path.write_text(filled, encoding="utf-8")
    return filled != page
