from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.accounts.models import User
from furrow.accounts.services import sign_in_link_create


class Command(BaseCommand):
    help = "Print a link that signs an existing user in once, within 30 minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email__iexact=options["email"], is_active=True).first()
        if user is None:
            raise CommandError(f"No active user has the address {options['email']}.")
        self.stdout.write(f"{settings.PUBLIC_URL}/accounts/link/{sign_in_link_create(user=user)}/")
