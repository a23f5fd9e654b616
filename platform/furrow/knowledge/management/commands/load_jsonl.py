"""Loads `{external_id, title, text[, headings, metadata, valid_from, valid_to]}` lines into a knowledge base."""

import resource
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.core.context import unscoped
from furrow.knowledge.loading import Loader, LoadReport
from furrow.knowledge.models import KnowledgeBase

MAX_LISTED = 50


class Command(BaseCommand):
    help = (
        "Load lines of JSON into a knowledge base. The texts are found by their words at once and by "
        "meaning when the background job has embedded them. Loading a file again replaces by external_id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("knowledge_base_id", type=UUID)
        parser.add_argument("file", type=Path)
        parser.add_argument("--no-embed", action="store_true", help="do not queue the embedding")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        with unscoped("find the tenant of a knowledge base for the operator"):
            base = KnowledgeBase.objects.filter(
                id=options["knowledge_base_id"], deleted_at=None
            ).first()
        if base is None:
            raise CommandError("There is no knowledge base with this id.")
        started = time.monotonic()

        def show(report: LoadReport) -> None:
            rate = report.total / max(time.monotonic() - started, 0.001)
            self.stdout.write(f"{report.total:>9,} texts  {rate:>7,.0f}/s")

        loader = Loader(base.tenant_id, base.id)
        with path.open(encoding="utf-8", errors="replace") as lines:
            report = loader.load(lines, is_embedding=not options["no_embed"], on_batch=show)
        self._conclude(report, time.monotonic() - started)

    def _conclude(self, report: LoadReport, seconds: float) -> None:
        for number, reason in report.bad_lines[:MAX_LISTED]:
            self.stderr.write(f"line {number} skipped: {reason}")
        if len(report.bad_lines) > MAX_LISTED:
            self.stderr.write(f"and {len(report.bad_lines) - MAX_LISTED} more lines skipped")
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.stdout.write(
            f"{report.added} added, {report.replaced} replaced, {report.unchanged} unchanged,"
            f" {len(report.bad_lines)} lines skipped in {seconds:.1f} s"
            f" ({report.total / max(seconds, 0.001):,.0f}/s, peak memory {peak_mb:,.0f} MB)"
        )
