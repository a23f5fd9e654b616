from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.accounts.models import User


class Command(BaseCommand):
    help = "Let an existing user see and change the operator's pages, or no longer with --revoke."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--revoke", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        changed = User.objects.filter(email__iexact=options["email"], is_active=True).update(
            is_operator=not options["revoke"]
        )
        if not changed:
            raise CommandError(f"No active user has the address {options['email']}.")
        now = "no longer an operator" if options["revoke"] else "an operator"
        self.stdout.write(f"{options['email']} is {now}.")
