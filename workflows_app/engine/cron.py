"""Cron expressions: five fields read strictly, said in words, and counted in a time zone through its changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache, lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from cron_descriptor import Options, get_description  # type: ignore[import-untyped]
from cron_descriptor.Exception import FormatError  # type: ignore[import-untyped]
from cronsim import CronSim, CronSimError

from workflows_app.graph.names import did_you_mean

MAX_CHARACTERS = 100
FIELDS = "minute hour day-of-month month day-of-week"
SHORTHANDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
ALLOWED = {
    "minute": "0–59",
    "hour": "0–23",
    "day-of-month": "1–31, L for the last day, LW for the last weekday",
    "month": "1–12 or JAN–DEC",
    "day-of-week": "0–7 or SUN–SAT (0 and 7 are Sunday), MON#2 for the second Monday, 5L for the last Friday",
}
NEVER = "never comes: no month that it names has such a day"
HOW = "each also as a list (1,2), a range (1-5) or with a step (*/5)"


class InvalidCron(ValueError):
    """It cannot be read, or never comes; the message names the field and what is allowed there."""


class InvalidTimezone(ValueError):
    """There is no such time zone."""


def check(cron: str, timezone: str) -> None:
    """Raises InvalidCron, InvalidTimezone."""
    zone(timezone)
    if not upcoming(cron, timezone, after=datetime(2024, 1, 1, tzinfo=UTC), count=1):
        raise InvalidCron(NEVER)


def upcoming(cron: str, timezone: str, *, after: datetime, count: int) -> list[datetime]:
    """The next times in UTC, each later than `after`; fewer when there are no more within fifty years. A time that the clock leaves
    out in spring is moved to just after, one that it repeats in autumn comes once. Raises InvalidCron, InvalidTimezone."""
    return list(islice(_later(_read(cron, after.astimezone(zone(timezone))), after), count))


def following(cron: str, timezone: str, *, after: datetime) -> datetime | None:
    """The next time. Raises InvalidCron, InvalidTimezone."""
    return next(iter(upcoming(cron, timezone, after=after, count=1)), None)


def latest(cron: str, timezone: str, *, until: datetime) -> datetime | None:
    """The last time that is not after `until`. Raises InvalidCron, InvalidTimezone."""
    found = _read(cron, until.astimezone(zone(timezone)).replace(microsecond=1), reverse=True)
    return next((moment for moment in (at.astimezone(UTC) for at in found) if moment <= until), None)


def _later(found: CronSim, after: datetime) -> Iterator[datetime]:
    """Counted on in UTC: in the hour that autumn repeats, cronsim alone would look back."""
    last = after
    for at in found:
        moment = at.astimezone(UTC)
        if moment > last:
            last = moment
            yield moment


def _read(cron: str, at: datetime, *, reverse: bool = False) -> CronSim:
    fields = cron.split()
    if len(cron) > MAX_CHARACTERS:
        raise InvalidCron(f"may have {MAX_CHARACTERS} characters")
    if len(fields) != 5:
        raise InvalidCron(_miscounted(cron.strip().lower(), len(fields)))
    try:
        return CronSim(" ".join(fields), at, reverse=reverse)
    except CronSimError as error:
        raise InvalidCron(_named(str(error), fields)) from None


def _miscounted(cron: str, count: int) -> str:
    if cron in SHORTHANDS:
        return f"write {SHORTHANDS[cron]!r} for {cron}"
    if count == 6:
        return f"has 6 fields; there are five, without seconds ({FIELDS}): the shortest is every minute, * * * * *"
    return f"has {count} field{'' if count == 1 else 's'}; five are needed: {FIELDS}"


def _named(said: str, fields: list[str]) -> str:
    """cronsim says `Bad hour`."""
    name = said.removeprefix("Bad ")
    if name not in ALLOWED:
        return said
    if name == "day-of-month" and _is_readable([*fields[:3], "*", fields[4]]):
        return NEVER
    return f"the {name} {fields[list(ALLOWED).index(name)]!r} is not understood; allowed: * or {ALLOWED[name]}; {HOW}"


def _is_readable(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), datetime(2024, 1, 1, tzinfo=UTC))
    except CronSimError:
        return False
    return True


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Raises InvalidTimezone."""
    if name == "UTC":
        return UTC
    if name not in zones():
        region = name.partition("/")[0].title()
        near = did_you_mean(name.title(), [known for known in zones() if known.startswith(region)])
        hint = near or "; name one like Europe/Berlin, or UTC"
        raise InvalidTimezone(f"there is no time zone {name[:60]!r} on this host{hint}")
    return ZoneInfo(name)


@cache
def zones() -> Mapping[str, None]:
    """The names that this host knows, in order: reading them is slow."""
    return dict.fromkeys(sorted(available_timezones()))


def words(cron: str) -> str:
    """`"At 09:00, Monday through Friday"`; the expression itself where there are no words for it."""
    options = Options(locale_code="en_US", use_24hour_time_format=True)
    try:
        said: str = get_description(" ".join(cron.split()), options)
    except (FormatError, ValueError, LookupError, TypeError):
        return cron
    return said
