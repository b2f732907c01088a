"""`manage.py secrets set NAME · list · delete NAME · rotate`: the values that steps read as `secrets.NAME`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workflows_app.access import secrets
from workflows_app.engine.clock import database_now
from workflows_app.models.fields import CannotDecrypt


class Command(BaseCommand):
    help = "Keep secrets for steps. A value is read from standard input or asked for, never taken from the command line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        for verb, what in (("set", "keep a value under a name, in place of an earlier one"), ("delete", "forget a secret")):
            verbs.add_parser(verb, help=what).add_argument("name")
        verbs.add_parser("list", help="the names, never the values")
        verbs.add_parser("rotate", help="encrypt all anew with the first key of SECRETS_KEY")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(**{key: value for key, value in options.items() if key == "name"})
        except (secrets.InvalidSecret, secrets.UnknownSecret, CannotDecrypt) as error:
            raise CommandError(str(error)) from None

    def _set(self, name: str) -> None:
        secrets.check_name(name)
        is_new = secrets.put(name=name, value=_value(name), now=database_now())
        self.stdout.write(f"{name} is {'kept' if is_new else 'changed'}. Steps read it as {{{{ secrets.{name} }}}}.")

    def _delete(self, name: str) -> None:
        secrets.delete(name=name)
        self.stdout.write(f"{name} is deleted. Steps that name it fail from now on.")

    def _list(self) -> None:
        for name in secrets.names():
            self.stdout.write(name)

    def _rotate(self) -> None:
        self.stdout.write(f"{secrets.rotate()} stored secrets are encrypted with the first key. The other keys are needed no more.")


def _value(name: str) -> str:
    """A line from the terminal without showing it, or all of standard input without its last line break."""
    if sys.stdin.isatty():
        return getpass(f"Value of {name} (not shown): ")
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")
