"""A fruit shop with the demo's goods, zones and rules, and orders of three platforms."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.support.demo import orders_load, shop_load
from furrow.core.context import tenant_tx
from furrow.tenants.services import Actor


@pytest.fixture
def actor(cast):
    return Actor.user(cast.owner)


@pytest.fixture
def scoped(cast):
    with tenant_tx(cast.tenant.id):
        yield cast.tenant


@pytest.fixture
def shop(scoped):
    """Inside the tenant's transaction."""
    shop_load()
    return scoped


@pytest.fixture
def orders(shop):
    return {order.number: order for order in orders_load()}


@pytest.fixture
def long_ago():
    return timezone.now() - timedelta(days=500)
