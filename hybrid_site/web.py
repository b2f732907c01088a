"""The web server: gunicorn with threads, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from gunicorn.app.base import BaseApplication

from hybrid_site.processes import die_with, share_memory


class WebServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves the WSGI application on HOST:PORT with WEB_PROCESSES processes of WEB_THREADS threads each."""

    def load_config(self) -> None:
        for name, value in self._options().items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from hybrid_site.wsgi import application

        return application

    def _options(self) -> dict[str, Any]:
        memory = Path("/dev/shm")  # noqa: S108  gunicorn's heartbeat file must not touch a disk
        return {
            "bind": settings.ENV.base_url.removeprefix("http://"),
            "workers": settings.ENV.web_processes,
            "worker_class": "gthread",
            "threads": settings.ENV.web_threads,
            "preload_app": True,
            "graceful_timeout": 5,
            "keepalive": 5,
            "loglevel": "warning",
            "worker_tmp_dir": str(memory) if memory.is_dir() else None,
            "limit_request_line": 8190,
            "control_socket_disable": True,
            "pre_fork": lambda arbiter, worker: share_memory(),
            "post_fork": lambda arbiter, worker: die_with(worker.ppid),
        }


def serve() -> None:
    """Serve until SIGTERM."""
    WebServer().run()
