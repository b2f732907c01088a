"""Progress and durations as the contract writes them (CONTRACT.md section 2)."""

from datetime import timedelta


def progress(*, done: int, total: int) -> int:
    """Whole per cent of steps done; 100 exactly when all are."""
    return done * 100 // total if total else 0


def format_duration(duration: timedelta) -> str:
    """`"5 sec"`, `"1 min 30 sec"` or `"2 hr 15 min"`; a negative duration counts as none."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 60:
        return f"{seconds} sec"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} sec"
    return f"{seconds // 3600} hr {seconds % 3600 // 60} min"
