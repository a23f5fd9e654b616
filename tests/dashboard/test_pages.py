"""Each page for the owner: it renders in both languages, keeps the content policy, and asks the database little."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from furrow.core.context import tenant_tx
from furrow.knowledge.models import KnowledgeBase
from tests.dashboard.conftest import read_document
from tests.dashboard.routes import dashboard_routes, url_of

# Downloads, not pages; they are tested where their pages are.
NOT_PAGES = {"document_file", "costs_table", "invoice_pdf", "golden_export", "photo", "service_pdf"}
PAGES = [
    route
    for route in dashboard_routes()
    if route.callback.permissions["GET"] and route.name not in NOT_PAGES
]
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|javascript:", re.IGNORECASE)


@pytest.mark.parametrize("language", ["zh-hans", pytest.param("en", marks=pytest.mark.slow)])
def test_every_page_renders_within_the_content_policy(language, owner, cast, shop):
    owner.cookies["django_language"] = language
    for route in PAGES:
        response = owner.get(url_of(route, cast.tenant.slug, shop))
        assert response.status_code == 200, route.name
        page = response.content.decode()
        assert f'<html lang="{language}"' in page, route.name
        assert not INLINE.search(page), route.name
        for script in re.findall(r"<script[^>]*>", page):
            assert "src=" in script or "application/json" in script, route.name
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy


def test_htmx_gets_no_second_shell(owner, cast, shop):
    """Partials exist where htmx asks; a full page inside a page would repeat the navigation."""
    partial = {
        "base",
        "base_create",
        "base_update",
        "document",
        "document_update",
        "search",
        "turn",
        "golden_create",
        "golden_update",
        "golden_import",
        "run",
        "repair",
    }
    for route in PAGES:
        if route.name in partial:
            url = url_of(route, cast.tenant.slug, shop)
            page = owner.get(url, headers={"HX-Request": "true"}).content.decode()
            assert "<html" not in page, route.name


def test_empty_business_says_what_to_do_next(cast):
    stranger = cast.client(cast.stranger)
    stranger.cookies["django_language"] = "en"
    slug = cast.other_tenant.slug
    for name, words in (
        ("home", "Three steps to your assistant"),
        ("bases", "Upload the first files"),
        ("assistants", "Create an assistant"),
        ("search", "Add documents first"),
        ("answers", "Create one first"),
        ("gaps", "No gaps"),
        ("quality", "No assistant yet"),
        ("conversations", "Nobody has asked yet"),
        ("tickets", "Nobody is waiting"),
        ("keys", "Create one for each program"),
        ("costs", "Nothing was spent yet"),
        ("invoices", "Its invoice is made by itself"),
        ("worth", "No chats in this time"),
        ("webhooks", "E-mail works without this"),
        ("budgets", "Begin with one for the whole business"),
    ):
        page = stranger.get(reverse(f"dashboard:{name}", args=[slug])).content.decode()
        assert words in page, name


def test_steps_are_counted_as_they_are_done(owner, cast, shop):
    owner.cookies["django_language"] = "en"
    page = owner.get(reverse("dashboard:home", args=[cast.tenant.slug]))
    assert page.context["start"].done == 3
    assert page.context["figures"].questions == 1
    assert page.context["figures"].answered_share == 1
    assert page.context["figures"].open_tickets == 1
    assert page.context["figures"].open_gaps == 1


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("home", 29),
        ("bases", 16),
        ("assistants", 16),
        ("conversations", 16),
        ("tickets", 16),
        ("gaps", 18),
        ("quality", 21),
        ("members", 16),
        ("keys", 16),
        ("audit", 16),
    ],
)
def test_list_page_asks_a_fixed_number_of_queries(
    name, most, owner, cast, shop, django_assert_max_num_queries
):
    with django_assert_max_num_queries(most):
        owner.get(reverse(f"dashboard:{name}", args=[cast.tenant.slug]))


def test_documents_cost_the_same_queries_however_many_there_are(
    owner, cast, shop, django_assert_max_num_queries
):
    url = reverse("dashboard:base", args=[cast.tenant.slug, shop.base.id])
    with tenant_tx(cast.tenant.id):
        base = KnowledgeBase.objects.get(id=shop.base.id)
        for number in range(12):
            read_document(base, f"document {number}")
    with django_assert_max_num_queries(19):
        page = owner.get(url).content.decode()
    assert page.count("document ") >= 12


def test_navigation_shows_only_what_the_role_may_open(viewer, owner, cast):
    home = reverse("dashboard:home", args=[cast.tenant.slug])
    keys = reverse("dashboard:keys", args=[cast.tenant.slug])
    assert keys in owner.get(home).content.decode()
    assert keys not in viewer.get(home).content.decode()


def test_page_that_the_database_has_no_room_for_says_when_to_come_back(owner, cast, monkeypatch):
    def full():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(1)")

    monkeypatch.setattr("furrow.dashboard.views.home.selectors.figures", full)
    owner.cookies["django_language"] = "en"
    response = owner.get(f"/t/{cast.tenant.slug}/")
    assert response.status_code == 503
    assert 2 <= int(response.headers["Retry-After"]) <= 6
    assert "few seconds" in response.content.decode()
