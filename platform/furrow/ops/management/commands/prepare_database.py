from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from furrow.core.security import InsecureDatabase
from furrow.ops import runtime


class Command(BaseCommand):
    help = (
        "Make the database ready: the app's role, all migrations, row-level security. "
        "Uses DATABASE_OWNER_URL; run it once before the first start and after every upgrade."
    )
    # The checks may ask the database for what this command is about to make.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        app, owner = (connections[alias].settings_dict for alias in ("default", "owner"))
        if app["USER"] == owner["USER"]:
            raise CommandError(
                "DATABASE_URL and DATABASE_OWNER_URL name the same role. The app needs one of its own, "
                "which owns nothing: that is what keeps the businesses apart."
            )
        try:
            runtime.prepare_database(
                {
                    "DATABASE_URL": settings.DATABASE_URL,
                    "DATABASE_OWNER_URL": settings.DATABASE_OWNER_URL,
                }
            )
        except (DatabaseError, InsecureDatabase) as error:
            raise CommandError(f"The database is not ready. {str(error).strip()}") from error
        self.stdout.write(f"The database is ready for the role {app['USER']}.")
