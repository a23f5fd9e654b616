from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from furrow.accounts.services import sign_in_link_create, user_ensure
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError
from furrow.tenants.models import SCOPES
from furrow.tenants.services import SYSTEM, api_key_create, tenant_create


class Command(BaseCommand):
    help = "Create a business with its owner; prints a sign-in link and, if asked, an API key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--email", required=True, help="the owner's e-mail address")
        parser.add_argument("--slug", default="", help="the name in addresses")
        parser.add_argument("--language", default="zh-hans", choices=["zh-hans", "en"])
        parser.add_argument(
            "--api-key", action="store_true", help="also make a key with every right"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            owner = user_ensure(email=options["email"], is_verified=True)
            tenant = tenant_create(
                name=options["name"],
                owner=owner,
                slug=options["slug"],
                language=options["language"],
            )
        except AppError as error:
            raise CommandError(str(error.message)) from None
        link = f"{settings.PUBLIC_URL}/accounts/link/{sign_in_link_create(user=owner)}/"
        self.stdout.write(f"Business:     {tenant.name} ({settings.PUBLIC_URL}/t/{tenant.slug}/)")
        self.stdout.write(f"Sign-in link: {link}")
        if options["api_key"]:
            with tenant_tx(tenant.id):
                _, secret = api_key_create(actor=SYSTEM, name="first key", scopes=list(SCOPES))
            self.stdout.write(f"API key:      {secret}")
