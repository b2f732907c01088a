"""Settings of the test run: a data directory of its own, and a file database so that threads and processes share it."""

import os
import tempfile

DATA = os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="hybrid-test-"))

from hybrid_site.settings import *  # noqa: E402, F403
from hybrid_site.settings import DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{DATA}/test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # nothing is collected for tests
