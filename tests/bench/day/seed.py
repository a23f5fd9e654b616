"""Run by `manage.py shell` inside the started product: orders, three members of staff, the widget's key; as JSON."""

import json
import os
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.support.services.orders import order_upsert
from furrow.accounts.services import user_ensure
from furrow.assistants.models import Assistant
from furrow.channels.services import widget_ensure, widget_update
from furrow.conversations.service_report import served
from furrow.core.context import tenant_tx
from furrow.tenants.models import Membership, Role
from furrow.tenants.selectors import tenant_by_slug
from furrow.tenants.services import SYSTEM
from tests.bench.day.script import SITE, orders_of

STAFF = ("林小满", "陈大壮", "Amy Wu")


def seed(visits: int) -> dict[str, Any]:
    tenant = tenant_by_slug("orchard")
    assert tenant is not None
    with tenant_tx(tenant.id):
        for order in orders_of(visits):
            _order_keep(order)
        assistant = Assistant.objects.get(deleted_at=None)
        widget = widget_ensure(assistant=assistant)
        widget_update(actor=SYSTEM, widget=widget, allowed_origins=[*widget.allowed_origins, SITE])
        users = [
            user_ensure(email=f"day{n}@staff.test", name=name, is_verified=True)
            for n, name in enumerate(STAFF)
        ]
        for user in users:
            Membership.objects.get_or_create(user=user, defaults={"role": Role.STAFF})
    return {
        "tenant": str(tenant.id),
        "slug": tenant.slug,
        "key": str(widget.public_key),
        "staff": [
            {"id": str(user.id), "name": user.name, "cookie": _signed_in(user)} for user in users
        ],
        "cookie_name": settings.SESSION_COOKIE_NAME,
    }


def _order_keep(order: dict[str, Any]) -> None:
    now = timezone.now()
    is_sent = order["status"] != "paid"
    values = {
        "number": order["number"], "phone_tail": order["phone_tail"], "status": order["status"], "region": "广东",
        "ordered_at": now - timedelta(days=3), "paid_at": now - timedelta(days=3),
        "shipped_at": now - timedelta(days=2) if is_sent else None,
        "delivered_at": now - timedelta(hours=5) if order["status"] in {"delivered", "completed"} else None,
        "paid_amount": order["paid_amount"], "freight": "8.00", "carrier": "顺丰速运" if is_sent else "",
        "tracking_number": order["tracking_number"] if is_sent else "",
    }  # fmt: skip
    lines = [{"sku_code": order["sku_code"], "quantity": 1, "line_amount": order["paid_amount"]}]
    order_upsert(platform="other", values=values, lines=lines, as_of=now)


def _signed_in(user: Any) -> str:
    """Signed in as the sign-in page leaves it; how one signs in is another test's affair."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def main() -> None:
    sys.stdout.write(json.dumps(seed(int(os.environ["DAY_VISITS"]))) + "\n")


def report() -> None:
    """The product's own report of yesterday and today."""
    tenant = tenant_by_slug("orchard")
    assert tenant is not None
    today = timezone.localdate()
    with tenant_tx(tenant.id):
        found = served(today - timedelta(days=2), today)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
