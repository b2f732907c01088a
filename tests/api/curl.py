"""The curl lines of a page, run against the test client instead of a server."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Any

from tests.api.calls import NOTHING, call

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_KEPT = re.compile(r"(\w+)=\$\((.*) \| jq -r \.(\S+)\)", re.DOTALL)


@dataclass
class Curl:
    """One call. `kept` is the variable that keeps the value at `key` of the answer."""

    method: str = "GET"
    url: str = ""
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kept: str = ""
    key: str = ""

    @property
    def path(self) -> str:
        """Behind the host."""
        return re.sub(r"^(\$B|https?://[^/]*)", "", self.url)

    def send(self, variables: dict[str, str]) -> Any:
        """The answer; what it is to keep joins the variables."""
        headers = {name.replace("-", "_"): _filled(value, variables) for name, value in self.headers.items()}
        body = NOTHING if self.body is None else self.body
        response = call(self.method, _filled(self.path, variables), body, **headers)
        if self.kept:
            variables[self.kept] = _at(response.json(), self.key)
        return response


def curls(text: str) -> Iterator[Curl]:
    """Those of all shell blocks, in order."""
    for block in _BLOCK.findall(text):
        yield from _of_block(block)


def _of_block(block: str) -> Iterator[Curl]:
    """A call goes on over lines for as long as a quote is open."""
    open_lines = ""
    for line in block.replace("\\\n", " ").splitlines():
        open_lines += f"{line}\n"
        try:
            shlex.split(open_lines, comments=True)
        except ValueError:
            continue
        if "curl " in open_lines.split("#")[0]:
            yield _parsed(open_lines.strip())
        open_lines = ""


def _parsed(text: str) -> Curl:
    kept = _KEPT.match(text)
    words = iter(shlex.split(kept[2] if kept else text, comments=True)[1:])
    found = Curl(kept=kept[1] if kept else "", key=kept[3] if kept else "")
    for word in words:
        if word == "-X":
            found.method = next(words)
        elif word in ("-d", "--data-binary"):
            found.body, found.method = next(words), "POST" if found.method == "GET" else found.method
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            found.headers[name] = value
        elif not word.startswith("-"):
            found.url = word
    return found


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return Template(text).safe_substitute(variables)


def _at(value: Any, path: str) -> str:
    """What jq gives for `a.b` or `a[0].b`."""
    for key in re.findall(r"[^.\[\]]+", path):
        value = value[int(key)] if key.isdecimal() else value[key]
    return str(value)
