"""Typed settings from the environment or `.env` (CONTRACT.md section 8)."""

from __future__ import annotations

import ipaddress
import os
import re
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
ANY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104  compared with, not listened on
POSTGRES = {"postgres", "postgresql"}
HIDDEN = frozenset({"secret_key", "secrets_key", "database_url", "llm_api_key", "email_password"})
HOST_NAME = re.compile(r"\*|\[[0-9A-Fa-f:.]+\]|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class SettingError(ValueError):
    """A setting has a value that is not allowed; the message names variable, value and what is allowed."""


class Env(BaseSettings):
    """One attribute per variable, in lower case. Durations are seconds."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    _mask_wrapped: ClassVar[bool] = True  # what Django asks of a value of its settings at every access, and pydantic is slow to deny

    mode: Literal["local", "server"] = Field("local", description="local (loopback, no login) or server (login or token)")
    database_url: str = Field("", description="postgres://user:password@host/name, sqlite:////path/to/file, or empty")
    database_connect_timeout: int = Field(5, ge=1, le=300, description="a whole number of seconds from 1 to 300")
    database_statement_timeout: float = Field(30.0, ge=0, le=3600, description="seconds from 0 (no limit) to 3600")
    database_lock_timeout: float = Field(10.0, ge=0, le=3600, description="seconds from 0 (no limit) to 3600")
    database_idle_timeout: float = Field(60.0, ge=0, le=3600, description="seconds from 0 (no limit) to 3600")
    data_dir: Path = Field(Path("var"), description="a directory")
    host: str = Field("127.0.0.1", min_length=1, description="an address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="a whole number from 1 to 65535")
    secret_key: str = Field("", description="at least 50 random characters, or empty to generate one in DATA_DIR")
    secrets_key: str = Field(
        "", description="Fernet keys separated by commas, the first for new secrets, or empty to generate one in DATA_DIR"
    )
    allowed_hosts: str = Field("", description="host names without scheme or port, separated by commas")
    max_parallel_nodes: int = Field(4, ge=1, le=256, description="a whole number from 1 to 256")
    max_parallel_io: int = Field(256, ge=1, le=10_000, description="a whole number from 1 to 10000")
    max_concurrent_workflows: int = Field(0, ge=0, le=1_000_000, description="a whole number from 0 (no limit) to 1000000")
    max_event_chain: int = Field(10, ge=0, le=1_000, description="a whole number from 0 to 1000")
    web_processes: int = Field(2, ge=1, le=64, description="a whole number from 1 to 64")
    web_threads: int = Field(8, ge=1, le=256, description="a whole number from 1 to 256")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    retry_max_retries: int = Field(3, ge=0, le=100, description="a whole number from 0 to 100")
    retry_initial_delay: float = Field(1.0, ge=0, le=86_400, description="seconds from 0 to 86400")
    retry_max_delay: float = Field(60.0, ge=0, le=86_400, description="seconds from 0 to 86400")
    worker_heartbeat_interval: float = Field(5.0, ge=0.1, le=300, description="seconds from 0.1 to 300")
    worker_heartbeat_timeout: float = Field(30.0, ge=0.5, le=3600, description="seconds from 0.5 to 3600, above WORKER_HEARTBEAT_INTERVAL")
    worker_grace: float = Field(10.0, ge=0, le=3600, description="seconds from 0 to 3600")
    worker_memory_mb: int = Field(0, ge=0, le=10_000_000, description="megabytes, or 0 for no limit")
    step_timeout_default: float = Field(300.0, gt=0, le=31_536_000, description="seconds above 0")
    step_timeout_http_call: float = Field(30.0, gt=0, le=31_536_000, description="seconds above 0")
    step_timeout_llm_service: float = Field(180.0, gt=0, le=31_536_000, description="seconds above 0")
    llm_base_url: str = Field("", description="an address such as https://api.openai.com/v1, or empty for the demo provider")
    llm_api_key: str = Field("", description="one word of ASCII characters, or empty")
    llm_model: str = Field("", description="the name of a model")
    email_host: str = Field("", description="the name of a mail server, or empty for none")
    email_port: int = Field(587, ge=1, le=65535, description="a whole number from 1 to 65535")
    email_user: str = Field("", description="the user name at the mail server, or empty for no login")
    email_password: str = Field("", description="the password at the mail server")
    email_tls: Literal["none", "starttls", "tls"] = Field("starttls", description="none, starttls or tls")
    email_from: str = Field("", description="an address such as engine@example.org or Engine <engine@example.org>")
    outbound_allow: str = Field("", description="networks such as 10.0.0.0/8, separated by commas")
    task_modules: str = Field("", description="Python modules with custom tasks, separated by commas")
    max_body_bytes: int = Field(2_000_000, ge=1_000, le=100_000_000, description="bytes from 1000 to 100000000")
    max_output_bytes: int = Field(1_000_000, ge=1_000, le=50_000_000, description="bytes from 1000 to 50000000")
    max_log_lines: int = Field(100_000, ge=100, le=10_000_000, description="a whole number from 100 to 10000000")
    max_log_bytes: int = Field(10_000_000, ge=100_000, le=1_000_000_000, description="bytes from 100000 to 1000000000")
    max_nodes: int = Field(10_000, ge=1, le=10_000, description="a whole number from 1 to 10000")
    retention_days: int = Field(90, ge=0, le=36_500, description="days from 0 (for ever) to 36500")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        url = urlsplit(value)
        is_known = url.scheme in POSTGRES or (url.scheme == "sqlite" and not url.netloc)
        if value and not (is_known and url.path.strip("/") and url.port != 0):  # `port` raises when it is no number
            raise ValueError("neither PostgreSQL nor a SQLite file")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: str) -> str:
        if not all(HOST_NAME.fullmatch(text) for text in _split(value)):
            raise ValueError("not host names")
        return value

    @field_validator("outbound_allow")
    @classmethod
    def _networks(cls, value: str) -> str:
        for text in _split(value):
            ipaddress.ip_network(text, strict=False)
        return value

    @field_validator("llm_base_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        url = urlsplit(value)
        if value and not (url.scheme in {"http", "https"} and url.hostname and url.port != 0 and not url.query and not url.fragment):
            raise ValueError("not a web address")
        return value

    @field_validator("llm_api_key")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if not value.isascii() or any(not character.isprintable() or character.isspace() for character in value):
            raise ValueError("not one word")
        return value

    @field_validator("email_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if value and ("\n" in value or "\r" in value or "@" not in parseaddr(value)[1]):
            raise ValueError("not an address")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_key(cls, value: str) -> str:
        if value and (len(value) < 50 or len(set(value)) < 5 or value.startswith("django-insecure-")):
            raise ValueError("too short or too plain")
        return value

    @field_validator("secrets_key")
    @classmethod
    def _fernet_keys(cls, value: str) -> str:
        for key in _split(value):
            Fernet(key)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Env:
        if self.worker_heartbeat_timeout <= self.worker_heartbeat_interval:
            raise SettingError(_message("worker_heartbeat_timeout", self.worker_heartbeat_timeout))
        if self.mode == "server" and self.host in ANY_ADDRESS and not self.allowed_hosts:
            raise SettingError(
                f"ALLOWED_HOSTS='' is not allowed with HOST={self.host!r}: name the hosts that people type, separated by commas."
            )
        if self.mode == "local" and self.host not in LOOPBACK_NAMES:
            raise SettingError(
                f"HOST={self.host!r} is not allowed with MODE=local: use 127.0.0.1, ::1 or localhost, "
                "or set MODE=server, which asks for a login."
            )
        return self

    @property
    def secrets_keys(self) -> tuple[str, ...]:
        return _split(self.secrets_key)

    @property
    def outbound_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(text, strict=False) for text in _split(self.outbound_allow))

    @property
    def base_url(self) -> str:
        """Where this host's own web server is, for its own workers."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @property
    def allowed_host_names(self) -> tuple[str, ...]:
        return _split(self.allowed_hosts)

    @property
    def task_module_names(self) -> tuple[str, ...]:
        return _split(self.task_modules)

    def io_slots(self, seat: int) -> int:
        """The share of MAX_PARALLEL_IO, which is for the host, of the worker process in this seat (from 0). The shares
        add up to the setting; a process without a seat gets nothing."""
        share, rest = divmod(self.max_parallel_io, self.max_parallel_nodes)
        return share + (seat < rest) if seat < self.max_parallel_nodes else 0


def _split(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _message(name: str, value: object) -> str:
    return f"{name.upper()}={value!r} is not allowed: {name.upper()} must be {Env.model_fields[name].description}."


def load() -> Env:
    """Read the environment and `.env`; raise SettingError with one line for the first wrong value."""
    _refuse_unknown_timeouts()
    try:
        return Env()
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise SettingError(str(first["ctx"]["error"])) from None
        shown = "(hidden)" if str(first["loc"][0]).lower() in HIDDEN else first["input"]
        raise SettingError(_message(str(first["loc"][0]).lower(), shown)) from None


def _refuse_unknown_timeouts() -> None:
    """`STEP_TIMEOUT_` and a name that means nothing would be a limit that its author believes in."""
    known = sorted(name.upper() for name in Env.model_fields if name.startswith("step_timeout_"))
    for name, value in os.environ.items():
        if name.startswith("STEP_TIMEOUT_") and name not in known:
            raise SettingError(f"{name}={value!r} is not allowed: there are {' and '.join(known)}; others go into the step or the task.")


@lru_cache(maxsize=1)
def env() -> Env:
    """The settings of this process, read once."""
    return load()
