"""Settings of the test run: a data directory of its own, and a file database so that threads and processes share it."""

import atexit
import os
import shutil
import tempfile


def _data() -> str:
    """Of each process of the run its own: the locks of workers are in it."""
    data = os.environ.get("DATA_DIR") or _made()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return data if data.endswith(f"/{worker}") or not worker else f"{data}/{worker}"


def _made() -> str:
    made = tempfile.mkdtemp(prefix="hybrid-test-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


DATA = os.environ["DATA_DIR"] = _data()
os.makedirs(DATA, exist_ok=True)

from hybrid_site.settings import *  # noqa: E402, F403
from hybrid_site.settings import DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{DATA}/test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # nothing is collected for tests
