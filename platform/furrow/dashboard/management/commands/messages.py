"""`manage.py messages`: collects the texts to translate, merges them into the catalogue and compiles it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from furrow.dashboard.translations import (
    catalogue_merge,
    catalogue_path,
    compile_catalogues,
    problems,
)


class Command(BaseCommand):
    help = "Merges new texts into the Chinese catalogue and compiles it; --check only looks, --compile only compiles."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a text has no Chinese")
        parser.add_argument("--compile", action="store_true", help="leave the catalogue as it is")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        if options["compile"]:
            compile_catalogues()
            return
        catalogue = catalogue_merge()
        found = problems(catalogue)
        if not check:
            catalogue_path().parent.mkdir(parents=True, exist_ok=True)
            catalogue.save(str(catalogue_path()))
            compile_catalogues()
        for problem in found:
            self.stderr.write(problem)
        if found and check:
            raise CommandError(
                f"{len(found)} texts are not ready. Run manage.py messages, then translate."
            )
        self.stdout.write(f"{len(catalogue)} texts, {len(found)} to translate")
