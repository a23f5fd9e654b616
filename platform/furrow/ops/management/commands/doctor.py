"""`manage.py doctor`: says in plain words what is wrong and what to do."""

import shutil
from collections.abc import Callable
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError
from redis.exceptions import RedisError

from furrow.core import security
from furrow.core.context import unscoped
from furrow.core.egress import internal_client
from furrow.core.errors import AppError
from furrow.core.models import Job
from furrow.core.redis import sync_redis
from furrow.metering.alarms import alarms_open
from furrow.metering.invoice_font import font_place

MINIMUM_POSTGRES = 160000
MINIMUM_PGVECTOR = (0, 8, 4)
MINIMUM_FREE_BYTES = 1 << 30


class Trouble(AppError):
    """One thing that is wrong, with what to do about it."""


def check_database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int")
            number = int(cursor.fetchone()[0])
            cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
            row = cursor.fetchone()
    except OperationalError as error:
        raise Trouble(f"It does not answer. Start Furrow with make run. ({error})") from None
    if number < MINIMUM_POSTGRES:
        raise Trouble("It is older than PostgreSQL 16. Upgrade it.")
    version = tuple(int(part) for part in str(row[0]).split(".")) if row else ()
    if version < MINIMUM_PGVECTOR:
        raise Trouble(
            "It lacks pgvector 0.8.4 or newer. Install it and run CREATE EXTENSION vector."
        )
    return f"PostgreSQL {number // 10000}, pgvector {row[0]}"


def check_tenancy() -> str:
    try:
        security.verify(connections["default"])
    except security.InsecureDatabase as error:
        raise Trouble(f"{error}. Run manage.py migrate --database owner.") from None
    return "every tenant table forces row-level security"


def check_migrations() -> str:
    executor = MigrationExecutor(connections["default"])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        raise Trouble(f"{len(plan)} migrations wait. Run manage.py migrate --database owner.")
    return "all applied"


def check_redis() -> str:
    try:
        sync_redis().ping()
    except RedisError:
        raise Trouble(
            "It does not answer. Questions wait and answers do not appear live. Check REDIS_URL."
        ) from None
    return "answers"


def check_model_server() -> str:
    address, key = settings.EMBEDDINGS_URL, settings.EMBEDDINGS_API_KEY
    try:
        with internal_client(address, timeout_s=5, api_key=key) as client:
            response = client.post(
                "/embeddings", json={"model": settings.EMBEDDINGS_MODEL, "input": "ping"}
            )
    except httpx.HTTPError:
        raise Trouble(
            "It does not answer. Search goes on by words alone. Start it, or check EMBEDDINGS_URL."
        ) from None
    if response.status_code != 200:
        raise Trouble(
            f"It answered {response.status_code} for the model {settings.EMBEDDINGS_MODEL}. Search goes on "
            "by words alone. Check EMBEDDINGS_URL, EMBEDDINGS_MODEL and EMBEDDINGS_API_KEY."
        )
    return f"{settings.EMBEDDINGS_MODEL} answers"


def check_workers() -> str:
    with unscoped("look for stuck jobs of all tenants"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT lane, count(*) FROM core_job WHERE state = 'queued'"
            " AND run_after < now() - interval '2 minutes' GROUP BY lane"
        )
        stuck = cursor.fetchall()
        failed = Job.objects.filter(state=Job.State.FAILED).count()
    if stuck:
        lanes = ", ".join(f"{count} in {lane}" for lane, count in stuck)
        raise Trouble(f"Jobs wait for over two minutes: {lanes}. Are the workers running?")
    return f"no job waits too long ({failed} failed so far)"


def check_disk() -> str:
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.MEDIA_ROOT).free
    if free < MINIMUM_FREE_BYTES:
        raise Trouble("Less than 1 GB is free where uploads are kept. Make room.")
    return f"{free >> 30} GB free for uploads"


def check_invoices() -> str:
    place = font_place()
    if settings.INVOICE_FONT and place is None:
        raise Trouble("INVOICE_FONT names no file. Chinese may be missing on invoices.")
    if place is None:
        return "no Chinese font here, so readers of invoices must have one (INVOICE_FONT)"
    return f"Chinese comes from {place.name}"


def check_sums() -> str:
    found = alarms_open()
    if found:
        kinds = "; ".join(f"{alarm.get_kind_display()} ({alarm.source})" for alarm in found)
        raise Trouble(f"{kinds}. The page Comparison says more, and takes what you found.")
    return "no alarm is open"


CHECKS: dict[str, Callable[[], str]] = {
    "Database": check_database,
    "Tables": check_migrations,
    "Tenant walls": check_tenancy,
    "Redis": check_redis,
    "Workers": check_workers,
    "Model server": check_model_server,
    "Disk": check_disk,
    "Invoices": check_invoices,
    "Sums": check_sums,
}


class Command(BaseCommand):
    help = "Check this installation and say in plain words what is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        troubles = 0
        for name, check in CHECKS.items():
            try:
                self.stdout.write(f"✓ {name}: {check()}")
            except (AppError, DatabaseError, OSError) as error:
                troubles += 1
                self.stdout.write(f"✗ {name}: {error}")
        if troubles:
            raise CommandError(f"{troubles} of {len(CHECKS)} checks failed.")
        self.stdout.write("Everything is well.")
