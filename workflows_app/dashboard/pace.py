"""How often open pages may ask. What polls cost is measured; when all together cost too much, every page is told to wait longer."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

SHARE = 0.16  # of one core, for all polls of all web processes
AROUND_SECONDS = 0.0004  # what the server spends on a request before and after the application has it
REMEMBERED_SECONDS = 5.0
MOST = 40.0
HEADER = "Poll-Stretch"


class Pace:
    """Keeps what polls cost each second below `share` of a core.

    Each poll is counted at what it would cost had no page been stretched, so the sum tells the demand whatever the present stretch
    is: there is nothing to oscillate. It is forgotten exponentially.
    """

    def __init__(self, *, share: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._clock = share, clock
        self._turn = threading.Lock()
        self._demand, self._stretch, self._at = 0.0, 1.0, clock()

    def after(self, seconds: float) -> float:
        """A poll cost so much: by how much pages should stretch their interval now; 1 is not at all."""
        with self._turn:
            now = self._clock()
            self._demand *= math.exp((self._at - now) / REMEMBERED_SECONDS)
            self._demand += seconds * self._stretch / REMEMBERED_SECONDS
            self._at = now
            self._stretch = min(MOST, max(1.0, self._demand / self._share))
            return self._stretch


class MeasurePolls:
    """Tells every poll, also one that is answered 304, how much longer to wait than its page says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._pace = Pace(share=SHARE / settings.ENV.web_processes)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.META.get("HTTP_HX_REQUEST") != "true":
            return self.get_response(request)
        began = time.thread_time()
        response = self.get_response(request)
        stretch = self._pace.after(time.thread_time() - began + AROUND_SECONDS)
        response.headers[HEADER] = f"{stretch:.2f}"
        return response
