"""`python -m tests.dashboard.kit`: writes the parts of the vendored kit that our components wear, which are half of it."""

from __future__ import annotations

import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "static" / "vendor"
WHOLE, PARTS = VENDOR / "basecoat-1.0.2.nova.min.css", VENDOR / "basecoat-1.0.2.nova.parts.css"
WORN = {"btn", "input", "select", "textarea", "dialog", "command", "command-dialog", "label", "dark"}
CONDITIONS = ("@media", "@supports", "@layer", "@container")
REFUSED = 'url("data:'
Rule = tuple[str, "list[Rule] | None"]


def parts(css: str) -> str:
    """The rules that may apply to elements of these classes, or of none, in their order, but no pictures that our policy refuses."""
    return _written(_read(css, 0)[0], is_chosen=True)


def _read(css: str, at: int) -> tuple[list[Rule], int]:
    """Rules as `(what stands before the brace, what stands in it)`; a declaration has no braces."""
    rules, start = list[Rule](), at
    while at < len(css):
        if css[at] in "\"'":
            at = re.compile(r"(?<!\\)" + css[at]).search(css, at + 1).end()  # type: ignore[union-attr]
        elif css[at] == "{":
            before = css[start:at]
            inner, at = _read(css, at + 1)
            rules, start = [*rules, (before, inner)], at
        elif css[at] == ";":
            at += 1
            rules, start = [*rules, (css[start:at], None)], at
        elif css[at] == "}":
            return [*rules, (css[start:at], None)], at + 1
        else:
            at += 1
    return rules, at


def _written(rules: list[Rule], *, is_chosen: bool) -> str:
    found = []
    for before, inner in rules:
        if inner is None:
            found.append("" if REFUSED in before else before)
            continue
        is_condition = before.strip().startswith(CONDITIONS)
        head = before if not is_chosen or before.strip().startswith("@") else ",".join(filter(_is_worn, _selectors(before)))
        body = _written(inner, is_chosen=is_chosen and is_condition)
        if head and (body or not is_condition):
            found.append(f"{head}{{{body}}}")
    return "".join(found)


def _selectors(text: str) -> list[str]:
    """Split at the commas that stand in no brackets."""
    depth, found = 0, [""]
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


def _is_worn(selector: str) -> bool:
    outside = re.sub(r":(is|where|not)\(.*", "", selector)
    named = _classes(re.sub(r":not\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)", "", selector))
    return not named or (bool(named & WORN) and _classes(outside) <= WORN)


def _classes(selector: str) -> set[str]:
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", re.sub(r"\\.", "_", selector)))


if __name__ == "__main__":
    PARTS.write_text(parts(WHOLE.read_text()))
