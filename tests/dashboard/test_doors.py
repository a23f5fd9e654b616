"""Who may enter which page: the stranger nowhere, each role where its rights reach."""

import pytest
from django.test import Client
from django.urls import reverse

from furrow.core.context import tenant_tx
from furrow.dashboard.urls import trade_urlpatterns
from furrow.tenants.models import PERMISSIONS, AuditEntry, Membership, Role
from tests.dashboard.routes import dashboard_routes, tenant_prefixes, url_of

ROUTES = dashboard_routes()


def methods_of(route) -> dict[str, str]:
    return {method: needed for method, needed in route.callback.permissions.items() if needed}


# One test walks all routes: a shop is built once, and the failing route stands in the message.
def test_every_route_declares_its_permissions():
    for route in ROUTES:
        needed = methods_of(route)
        assert needed, route.name
        assert set(needed.values()) <= set(PERMISSIONS), route.name


def test_stranger_cannot_enter_any_page(cast, shop):
    stranger = cast.client(cast.stranger)
    for route in ROUTES:
        url = url_of(route, cast.tenant.slug, shop)
        for method in methods_of(route):
            response = getattr(stranger, method.lower())(url)
            assert response.status_code == 404, (route.name, method)
            assert "Orchard" not in response.content.decode(), route.name


def test_visitor_is_asked_to_sign_in(cast, shop):
    visitor = Client()
    for route in ROUTES:
        for method in methods_of(route):
            response = getattr(visitor, method.lower())(url_of(route, cast.tenant.slug, shop))
            assert response["Location"].startswith("/accounts/login/"), (route.name, method)


def test_stranger_finds_nothing_by_id_in_the_own_business(cast, shop):
    stranger = cast.client(cast.stranger)
    for route in ROUTES:
        if not route.pattern.converters:
            continue
        url = url_of(route, cast.other_tenant.slug, shop)
        for method in methods_of(route):
            response = getattr(stranger, method.lower())(url)
            assert response.status_code == 404, (route.name, method)


@pytest.mark.parametrize(
    "role", ["viewer", *(pytest.param(role, marks=pytest.mark.slow) for role in ("staff", "admin"))]
)
def test_role_is_refused_what_it_lacks(role, cast, shop):
    with tenant_tx(cast.tenant.id):
        Membership.objects.filter(user=cast.teammate).update(role=role)
        before = AuditEntry.objects.count()
    client = cast.client(cast.teammate)
    for route in ROUTES:
        url = url_of(route, cast.tenant.slug, shop)
        for method, needed in methods_of(route).items():
            if role not in PERMISSIONS[needed]:
                response = getattr(client, method.lower())(url)
                assert response.status_code == 403, (route.name, method)
    with tenant_tx(cast.tenant.id):
        assert AuditEntry.objects.count() == before


def test_every_route_under_a_tenant_is_known_here():
    """A new prefix with a tenant in it needs a stranger test of its own."""
    assert tenant_prefixes() == ["t/<slug:tenant_slug>/", "t/<slug:tenant_slug>/"]
    assert isinstance(trade_urlpatterns, list)


def test_stream_of_an_answer_is_for_members_only(cast, shop):
    url = reverse("turn_events", args=[cast.tenant.slug, shop.turn.id])
    assert cast.client(cast.stranger).get(url).status_code == 404
    own = reverse("turn_events", args=[cast.other_tenant.slug, shop.turn.id])
    assert cast.client(cast.stranger).get(own).status_code == 404
    response = cast.client(cast.viewer).get(url)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"


def test_admin_cannot_make_or_touch_an_owner(cast, shop):
    with tenant_tx(cast.tenant.id):
        Membership.objects.filter(user=cast.teammate).update(role=Role.ADMIN)
        boss = Membership.objects.get(user=cast.owner)
        viewer = Membership.objects.get(user=cast.viewer)
    admin = cast.client(cast.teammate)
    slug = cast.tenant.slug
    for member, data in ((boss, {"role": "viewer"}), (viewer, {"role": "owner"})):
        url = reverse("dashboard:member_update", args=[slug, member.id])
        assert admin.post(url, data).status_code == 403
    assert admin.post(reverse("dashboard:member_remove", args=[slug, boss.id])).status_code == 403
    invite = reverse("dashboard:invite", args=[slug])
    page = admin.post(invite, {"email": "friend@example.test", "role": "owner"})
    assert page.context["form"].errors["role"]
