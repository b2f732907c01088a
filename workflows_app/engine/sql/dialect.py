"""How SQLite and PostgreSQL spell the few things in which the engine's statements differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Dialect:
    """`rows` reads a JSON array of objects as a table `b`; `time` writes a moment as a parameter."""

    vendor: str

    @property
    def is_sqlite(self) -> bool:
        return self.vendor == "sqlite"

    def param(self, name: str, kind: str = "") -> str:
        if self.is_sqlite:
            return f":{name}"
        return f"CAST(%({name})s AS {kind})" if kind else f"%({name})s"

    def rows(self, name: str, columns: Mapping[str, str]) -> str:
        if self.is_sqlite:
            fields = ", ".join(f"value->>'{column}' AS {column}" for column in columns)
            return f"(SELECT {fields} FROM json_each(:{name})) AS b"  # noqa: S608  names are constants of the code
        fields = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        return f"jsonb_to_recordset(CAST(%({name})s AS jsonb)) AS b({fields})"

    def among(self, target: str, name: str, column: str, kind: str = "bigint") -> str:
        """A condition that holds for every row of the batch that `target` is joined to, spelled so that PostgreSQL looks rows up by it:
        of a plan for parameters it has not seen it believes that reading a whole index costs no more. SQLite never does."""
        if self.is_sqlite:
            return ""
        return f"AND {target} = ANY(ARRAY(SELECT b.{column} FROM {self.rows(name, {column: kind})}))"  # noqa: S608  as above

    def keys(self, column: str) -> str:
        """The condition that a column is a key of the batch. PostgreSQL looks an array up in the index one by one; a subquery it may
        join with a scan of all rows."""
        query = f"SELECT b.key FROM {self.rows('batch', {'key': 'bigint'})}"  # noqa: S608  as above
        return f"{column} {self.any_of(query)}"

    def any_of(self, query: str) -> str:
        """The condition that a column is among what the query finds, which PostgreSQL runs once and before."""
        return f"IN ({query})" if self.is_sqlite else f"= ANY(ARRAY({query}))"

    def json(self, column: str) -> str:
        return column if self.is_sqlite else f"CAST({column} AS jsonb)"

    def text(self, column: str) -> str:
        """The column as the database writes it: an expression, for Django's SQLite connection converts plain columns by their type."""
        return f"{column} || ''" if self.is_sqlite else f"CAST({column} AS text)"

    @property
    def lock(self) -> str:
        """Of rows that are about to change, and not their keys: others may go on referring to them."""
        return "" if self.is_sqlite else "FOR NO KEY UPDATE"

    @property
    def skip_locked(self) -> str:
        return "" if self.is_sqlite else f"{self.lock} SKIP LOCKED"

    def time(self, moment: datetime | None) -> str | None:
        if moment is None:
            return None
        if self.is_sqlite:
            return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        return moment.isoformat()


SQLITE, POSTGRESQL = Dialect("sqlite"), Dialect("postgresql")
