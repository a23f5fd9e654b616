"""Liveness, readiness and metrics, for the supervisor, a load balancer and Prometheus."""

import hmac

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from redis.exceptions import RedisError

from furrow.core.context import unscoped
from furrow.core.models import Job
from furrow.core.redis import sync_redis
from furrow.metering.metrics import metrics_observe

_jobs = Gauge("furrow_jobs", "Background jobs by lane and state", ["lane", "state"])


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches nothing else, so that a slow database does not get it restarted."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and Redis answer, else 503 naming which does not."""
    checks = {"database": _database_answers(), "redis": _redis_answers()}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for holders of METRICS_TOKEN; without a token set there is nothing to see."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        return HttpResponse(status=404)
    _count_jobs()
    metrics_observe()
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _count_jobs() -> None:
    _jobs.clear()
    with unscoped("count the jobs of all tenants"):
        for lane, state in Job.objects.filter(state__in=["queued", "running"]).values_list(
            "lane", "state"
        ):
            _jobs.labels(lane, state).inc()


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        return False


def _redis_answers() -> bool:
    try:
        return bool(sync_redis().ping())
    except (RedisError, OSError):
        return False
