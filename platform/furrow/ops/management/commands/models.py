from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.core.context import tenant_tx
from furrow.core.errors import AppError
from furrow.gateway.chat import chat_models_known
from furrow.metering.model_rules import is_allowed, model_rules, model_rules_set
from furrow.metering.models.prices import ANY_MODEL
from furrow.tenants.selectors import tenant_by_slug
from furrow.tenants.services import SYSTEM


class Command(BaseCommand):
    help = (
        "Show which chat models a business may use, and change it; * stands for all without a rule."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the name of the business in addresses")
        parser.add_argument("--allow", action="append", default=[], metavar="MODEL")
        parser.add_argument("--withhold", action="append", default=[], metavar="MODEL")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_by_slug(options["slug"])
        if tenant is None:
            raise CommandError(f"No business has the name {options['slug']}.")
        wanted = dict.fromkeys(options["withhold"], False) | dict.fromkeys(options["allow"], True)
        if len(wanted) < len(options["withhold"]) + len(options["allow"]):
            raise CommandError("Name each model once.")
        with tenant_tx(tenant.id):
            try:
                model_rules_set(actor=SYSTEM, allowed=wanted)
            except AppError as error:
                raise CommandError(str(error.message)) from None
            rules, known = model_rules(), chat_models_known()
        for name in dict.fromkeys([*known, *sorted(rules), ANY_MODEL]):
            self.stdout.write(f"{name}: {'allowed' if is_allowed(rules, name) else 'withheld'}")
