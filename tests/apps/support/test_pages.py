"""The shop's pages: who may enter, that they render in both languages, and what their buttons do."""

import re
import uuid
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.support.models import Claim, ImportBatch, ShopSettings, Sku, StaffRequest
from apps.support.urls import urlpatterns
from furrow.core.context import tenant_tx
from furrow.dashboard.translations import compile_catalogues
from furrow.tenants.models import PERMISSIONS, Membership
from tests.apps.support.conftest import picture
from tests.apps.support.rows import known_ids, shop_rows
from tests.replay import made_once

INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|javascript:", re.IGNORECASE)
NOT_PAGES = {"import_sample", "photo"}


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    compile_catalogues()


@pytest.fixture
def rows(cast):
    with tenant_tx(cast.tenant.id):
        return made_once("support, all", shop_rows)


@pytest.fixture
def owner(cast):
    client = cast.client(cast.owner)
    client.cookies["django_language"] = "en"
    return client


def url_of(route, slug, ids):
    kwargs = {name: ids[name] for name in route.pattern.converters}
    return reverse(f"support:{route.name}", kwargs={"tenant_slug": slug, **kwargs})


def methods_of(route):
    return {method: needed for method, needed in route.callback.permissions.items() if needed}


def test_stranger_and_visitor_enter_no_page(cast, rows):
    ids = known_ids(rows)
    stranger, visitor = cast.client(cast.stranger), Client()
    for route in urlpatterns:
        for method in methods_of(route):
            url = url_of(route, cast.tenant.slug, ids)
            assert getattr(stranger, method.lower())(url).status_code == 404, route.name
            response = getattr(visitor, method.lower())(url)
            assert response["Location"].startswith("/accounts/login/"), route.name


def test_stranger_finds_nothing_by_id_in_the_own_business(cast, rows):
    stranger, ids = cast.client(cast.stranger), known_ids(rows)
    for route in urlpatterns:
        if not set(route.pattern.converters) - {"kind", "topic"}:
            continue
        for method in methods_of(route):
            url = url_of(route, cast.other_tenant.slug, ids)
            assert getattr(stranger, method.lower())(url).status_code == 404, route.name
    order = reverse("support:claim_create", args=[cast.other_tenant.slug])
    assert stranger.get(f"{order}?order={ids['order_id']}").status_code == 404
    assert stranger.get(f"{order}?order=x").status_code == 404


@pytest.mark.parametrize("role", ["viewer", pytest.param("staff", marks=pytest.mark.slow)])
def test_role_is_refused_what_it_lacks(role, cast, rows):
    with tenant_tx(cast.tenant.id):
        Membership.objects.filter(user=cast.teammate).update(role=role)
    client, ids = cast.client(cast.teammate), known_ids(rows)
    for route in urlpatterns:
        for method, needed in methods_of(route).items():
            if role not in PERMISSIONS[needed]:
                url = url_of(route, cast.tenant.slug, ids)
                assert getattr(client, method.lower())(url).status_code == 403, route.name


@pytest.mark.parametrize("language", ["zh-hans", pytest.param("en", marks=pytest.mark.slow)])
def test_every_page_renders_within_the_content_policy(language, owner, cast, rows):
    owner.cookies["django_language"] = language
    for route in urlpatterns:
        if not route.callback.permissions["GET"] or route.name in NOT_PAGES:
            continue
        response = owner.get(url_of(route, cast.tenant.slug, known_ids(rows)))
        page = response.content.decode()
        assert response.status_code == 200, route.name
        assert f'<html lang="{language}"' in page, route.name
        assert not INLINE.search(page), route.name


def test_empty_shop_says_what_to_do_next(cast):
    stranger = cast.client(cast.stranger)
    stranger.cookies["django_language"] = "en"
    for name, words in (
        ("goods", "Import your price list"),
        ("zones", "No zones yet"),
        ("rules", "No claim rules yet"),
        ("imports", "Nothing imported yet"),
        ("orders", "No orders yet"),
        ("requests", "Nothing here"),
        ("claims", "Nothing here"),
    ):
        url = reverse(f"support:{name}", args=[cast.other_tenant.slug])
        assert words in stranger.get(url).content.decode(), name


def test_file_is_looked_at_taken_over_and_taken_back(owner, cast, rows):
    def page(name, *args):
        return reverse(f"support:{name}", args=[cast.tenant.slug, *args])

    file = SimpleUploadedFile("p.csv", "商家编码,商品名称,零售价\nX-9,苹果,9.90\n".encode("gbk"))
    answer = owner.post(page("import_create"), {"kind": "products", "file": file}, follow=True)
    assert "1 new, 0 updated" in answer.content.decode()
    with tenant_tx(cast.tenant.id):
        batch = ImportBatch.objects.latest("created_at")
        assert not Sku.objects.filter(code="X-9").exists()
    assert (
        "undo" in owner.post(page("import_apply", batch.id), follow=True).content.decode().lower()
    )
    with tenant_tx(cast.tenant.id):
        assert Sku.objects.get(code="X-9").price == Decimal("9.90")
    owner.post(page("import_undo", batch.id))
    with tenant_tx(cast.tenant.id):
        assert not Sku.objects.filter(code="X-9").exists()


def test_bad_row_is_named_and_blocks_the_file(owner, cast, rows):
    url = reverse("support:import", args=[cast.tenant.slug, rows["batch"].id])
    page = owner.get(url).content.decode()
    assert "零售价 “免费” is no amount" in page
    assert "1 row has a mistake" in page
    refused = owner.post(reverse("support:import_apply", args=[cast.tenant.slug, rows["batch"].id]))
    assert refused.status_code == 409
    owner.post(
        reverse("support:import_columns", args=[cast.tenant.slug, rows["batch"].id]),
        {"column-0": "code", "column-1": "name_zh", "column-2": ""},
    )
    with tenant_tx(cast.tenant.id):
        assert ImportBatch.objects.get(id=rows["batch"].id).rows_bad == 0


def test_staff_cannot_change_prices_with_a_file_but_bring_orders(cast, rows):
    staff = cast.client(cast.teammate)
    url = reverse("support:import_create", args=[cast.tenant.slug])

    def send(kind, text):
        file = SimpleUploadedFile("x.csv", text.encode())
        return staff.post(url, {"kind": kind, "file": file}).status_code

    assert send("products", "商家编码,商品名称,零售价\nHN-1,脐橙,1.00\n") == 403
    assert send("orders", "订单编号,订单状态\nQH20261118-007,已发货\n") == 302
    apply = reverse("support:import_apply", args=[cast.tenant.slug, rows["batch"].id])
    assert staff.post(apply, {"good_only": "1"}).status_code == 403


def test_price_changed_by_hand_is_confirmed_now(owner, cast, rows):
    url = reverse("support:sku_update", args=[cast.tenant.slug, rows["sku"].id])
    data = {
        "name_zh": "青禾脐橙",
        "price": "75.00",
        "stock": "3",
        "season": "全年",
        "aliases": "橙子, orange",
    }
    assert owner.post(url, data).status_code == 302
    with tenant_tx(cast.tenant.id):
        sku = Sku.objects.select_related("product").get(id=rows["sku"].id)
        assert (sku.price, sku.product.aliases) == (Decimal("75.00"), ["橙子", "orange"])
        assert sku.as_of > rows["sku"].as_of
    again = owner.post(url, {**data, "season": "春天"})
    assert again.context["form"].errors["season"]


def test_claim_page_shows_reckoning_photos_and_letter(owner, cast, rows):
    page = owner.get(
        reverse("support:claim", args=[cast.tenant.slug, rows["claim"].id])
    ).content.decode()
    assert "4 kg of 10 kg net weight are bad" in page
    assert "¥55.92" in page
    assert "Approve ¥55.92" in page


def test_staff_approve_and_take_it_back(cast, rows):
    staff = cast.client(cast.teammate)
    url = reverse("support:claim_decide", args=[cast.tenant.slug, rows["claim"].id])
    assert staff.post(url, {"is_approved": "1", "note": ""}).status_code == 302
    with tenant_tx(cast.tenant.id):
        claim = Claim.objects.get(id=rows["claim"].id)
        assert (claim.state, claim.decided_by_id) == ("approved", cast.teammate.pk)
    staff.post(reverse("support:claim_reopen", args=[cast.tenant.slug, rows["claim"].id]))
    with tenant_tx(cast.tenant.id):
        assert Claim.objects.get(id=rows["claim"].id).state == "review"


def test_denial_without_a_reason_comes_back_with_a_sentence(owner, cast, rows):
    url = reverse("support:claim_decide", args=[cast.tenant.slug, rows["claim"].id])
    page = owner.post(url, {"is_approved": "0", "note": ""})
    assert page.status_code == 200
    assert "Say why" in page.content.decode()


def test_claim_is_made_from_an_order_and_gets_a_photo(owner, cast, rows):
    url = reverse("support:claim_create", args=[cast.tenant.slug])
    made = owner.post(
        f"{url}?order={rows['order'].id}",
        {"reason": "missing", "sku_code": "HN-1", "language": "en"},
    )
    claim_id = uuid.UUID(made["Location"].rstrip("/").split("/")[-1])
    facts = reverse("support:claim_facts", args=[cast.tenant.slug, claim_id])
    owner.post(facts, {"paid": "139.80", "bad_count": "1", "total_count": "24"})
    photos = reverse("support:photo_create", args=[cast.tenant.slug, claim_id])
    for n, kind in enumerate(("label", "box")):
        file = SimpleUploadedFile("p.jpg", picture(n + 40), "image/jpeg")
        assert owner.post(photos, {"kind": kind, "file": file}).status_code == 302
    with tenant_tx(cast.tenant.id):
        claim = Claim.objects.get(id=claim_id)
        assert (claim.state, claim.offer) == ("approved", Decimal("5.83"))
        assert "5.83 yuan" in claim.letter


def test_photo_is_served_as_a_picture_only(owner, cast, rows):
    url = reverse("support:photo", args=[cast.tenant.slug, rows["claim"].id, rows["photo"].id])
    response = owner.get(url)
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content).startswith(b"\xff\xd8")


def test_wish_is_settled_once(owner, cast, rows):
    url = reverse("support:request_decide", args=[cast.tenant.slug, rows["request"].id])
    owner.post(url, {"is_done": "1", "note": "sent"})
    with tenant_tx(cast.tenant.id):
        wish = StaffRequest.objects.get()
        assert (wish.state, wish.note, wish.decided_by_id) == ("done", "sent", cast.owner.pk)
        assert not ShopSettings.objects.exists()
    assert owner.post(url, {"is_done": "0"}).status_code == 409


@pytest.mark.parametrize(("name", "most"), [("goods", 22), ("orders", 20), ("claims", 20)])
def test_list_asks_a_fixed_number_of_queries(
    name, most, owner, cast, rows, django_assert_max_num_queries
):
    with django_assert_max_num_queries(most):
        owner.get(reverse(f"support:{name}", args=[cast.tenant.slug]))
