"""Loads articles of statutes, so that findings show the words of what they cite."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.contracts.laws.library import laws_load


class Command(BaseCommand):
    help = (
        "Load lines of JSON {law, article, version, path, text}, plain or .xz, into the law library. "
        "Loading a file again adds nothing; a newer version of an article is shown instead of the older one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            added, lines = laws_load(path)
        except ValueError as error:
            raise CommandError(f"{error} Articles before it are kept.") from error
        self.stdout.write(f"{lines:,} articles read, {added:,} new")
