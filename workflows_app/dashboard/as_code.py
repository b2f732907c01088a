"""The form as a program would send it: a line for a terminal, and a few of Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from workflows_app.dashboard.curl_lines import curl

PYTHON = """\
import json
import urllib.request

params = json.loads({params!r})
request = urllib.request.Request(
    {url!r},
    data=json.dumps(params).encode(),
    headers={headers},
)
with urllib.request.urlopen(request) as response:
    print(json.load(response)["id"])
"""


def url_of(slug: str, base_url: str) -> str:
    return f"{base_url}/api/workflows/from-template?{urlencode({'template_id': slug})}"


def as_curl(slug: str, params: Mapping[str, Any], base_url: str) -> str:
    return curl(url_of(slug, base_url), method="POST", body=params)


def as_python(slug: str, params: Mapping[str, Any], base_url: str) -> str:
    """Of the standard library alone; the token stays outside."""
    token = "" if settings.IS_LOCAL else ', "Authorization": "Bearer " + os.environ["TOKEN"]'
    code = PYTHON.format(
        params=json.dumps(params, ensure_ascii=False), url=url_of(slug, base_url), headers=f'{{"Content-Type": "application/json"{token}}}'
    )
    return code if settings.IS_LOCAL else code.replace("import json\n", "import json\nimport os\n", 1)
