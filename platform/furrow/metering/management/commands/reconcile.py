"""`manage.py reconcile`: fetch receipts, end forgotten holds, sum up, and compare everything now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from furrow.core.context import tenant_context
from furrow.core.errors import UpstreamFailed
from furrow.metering.money import amount_text
from furrow.metering.receipt_pages import receipt_sources, receipts_client
from furrow.metering.receipts import receipts_pull
from furrow.metering.reconcile import Report, reconcile
from furrow.metering.rollups import rollup_run
from furrow.metering.sweep import sweep_expired


class Command(BaseCommand):
    help = "Compare what servers, receipts, usage and balances say; fails when they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        with tenant_context(None):
            reports = {source: self._one(source) for source in receipt_sources()}
        if not all(report.is_clean for report in reports.values()):
            raise CommandError("Sums differ: see above and the operator's page.")

    def _one(self, source: str) -> Report:
        with receipts_client(source) as client:
            try:
                receipts_pull(client, source=source)
            except UpstreamFailed as error:
                self.stderr.write(f"{source}: {error.message}")
            sweep_expired()
            while rollup_run():
                pass
            report = reconcile(source=source, client=client)
        self.stdout.write(
            f"{source}: server {report.engine_tokens}, receipts {report.boot_tokens} tokens in this run;"
            f" receipts {report.receipt_tokens}, usage {report.event_tokens} tokens in all;"
            f" balances differ by {amount_text(report.balance_difference)},"
            f" holds by {amount_text(report.held_difference)};"
            f" {report.missing_receipts} receipts missing, {report.overdue_holds} holds overdue"
        )
        return report
