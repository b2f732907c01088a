"""What a dialect needs to know of an action, without knowing the actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class ActionShape(Protocol):
    """One action as seen by a dialect.

    `raw` names the keys of the configuration that are not rendered; `reads_upstream` tells that the action
    itself looks at the outputs of the steps it needs; `takes_secrets` that expressions in it may read `secrets.NAME`.
    One that `waits` for others takes no default timeout, only its own.
    `body_key` names the key of the configuration that holds another step, done once for each element (`do` of a `map`).
    """

    @property
    def name(self) -> str: ...
    @property
    def raw(self) -> frozenset[str]: ...
    @property
    def reads_upstream(self) -> bool: ...
    @property
    def takes_secrets(self) -> bool: ...
    @property
    def body_key(self) -> str: ...
    @property
    def waits(self) -> bool: ...

    def check(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What is wrong with a configuration, as path and message; values that hold expressions are taken on trust."""
        ...

    def prepared(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration as it is kept in the definition, whose canonical JSON keeps no order of keys."""
        ...

    def conditions(self, config: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
        """The JSONLogic in a configuration, each with the path to it."""
        ...
