"""Text that fits: names cut by the width of their characters, durations in as few as possible."""

from __future__ import annotations

import unicodedata

WIDE = "WF"
HIDDEN = {"Cc", "Cf", "Zl", "Zp"}  # controls, and marks that turn the direction of what follows


def cut(text: str, most: int) -> str:
    """At most so many columns, an ellipsis at the end of what was longer; East Asian characters take two."""
    kept: list[str] = []
    columns = 0
    for character in cleaned(text[: most + 1]):
        columns += 2 if unicodedata.east_asian_width(character) in WIDE else 1
        if columns > most:
            return f"{''.join(kept[:-1])}…"
        kept.append(character)
    return "".join(kept)


def cleaned(text: str) -> str:
    """On one line, without characters that are not seen."""
    return text if text.isprintable() else "".join(" " if unicodedata.category(c) in HIDDEN else c for c in text)


def brief(seconds: float) -> str:
    """`"40 ms"`, `"12 s"`, `"1m 12s"`, `"2h 15m"`, `"3d 4h"`; `static/pages/graph.js` counts on in the same words."""
    seconds = max(0.0, round(seconds, 3))
    if seconds < 1:
        return f"{int(seconds * 1000)} ms"
    for size, unit, part_size, part in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit} {int(seconds % size // part_size)}{part}"
    return f"{int(seconds)} s"
