"""What a refused request leaves in the log."""

from __future__ import annotations

import logging


class RefusalInOneLine(logging.Filter):
    """Drops the traceback of a request that Django refused (a foreign Host, a forged session): it shows our code, which is right."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.exc_info = record.exc_text = None
        return True
