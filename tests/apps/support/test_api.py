"""The shop's REST API: its guide runs, strangers find nothing, and all of a call is taken over or nothing."""

import json
import re
import uuid
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.support.models import Order, Sku
from furrow.api.root import api as rest_api
from furrow.core.context import tenant_tx
from tests.api.test_stranger_sweep import call, fingerprint
from tests.apps.support.conftest import picture
from tests.apps.support.rows import shop_rows
from tests.docs.test_api_guide import _calls
from tests.replay import made_once

GUIDE = (Path(__file__).parents[3] / "docs" / "api-support.md").read_text(encoding="utf-8")
PREFIX = "/api/v1/support/"
BODIES = {
    "post requests/{request_id}/decision": {"is_done": True},
    "patch claims/{claim_id}": {"bad_kg": "1"},
    "post claims/{claim_id}/decision": {"is_approved": True},
}
LISTS = {
    "get products": None,
    "get shipping-rules": None,
    "get orders": None,
    "get requests": None,
    "get claims": None,
    "put products": {"items": [{"code": "MINE", "name_en": "x"}]},
    "put shipping-rules": {"items": [{"name": "mine", "regions": ["江西"], "first_fee": "1"}]},
    "put orders": {"items": [{"number": "1234567890", "status": "paid"}]},
    "post facts": {"question": "脐橙多少钱"},
    "post claims": {"reason": "spoiled"},
}
# Their ids stand in the body.
IN_BODY = {"put stock", "post requests"}


def operations():
    paths = rest_api.get_openapi_schema()["paths"]
    return [
        (method, path.removeprefix(PREFIX))
        for path, methods in paths.items()
        if path.startswith(PREFIX)
        for method in methods
    ]


@pytest.fixture
def rows(cast):
    with tenant_tx(cast.tenant.id):
        return made_once("support, all", shop_rows)


def test_every_operation_has_its_stranger_case():
    for method, path in operations():
        name = f"{method} {path}"
        known = name in LISTS or name in IN_BODY or (method == "get" and "{" in path)
        assert known or name in BODIES or path.endswith("/photos"), name


def test_stranger_gets_what_a_random_id_gets(rows, cast, stranger_api):
    before = fingerprint(cast.tenant)
    known = {f"{name}_id": str(row.id) for name, row in rows.items()}
    absent = {name: str(uuid.uuid4()) for name in known}
    for method, path in operations():
        if "{" not in path:
            continue
        answers = []
        for ids in (known, absent):
            url = PREFIX + path.format(**ids)
            if path.endswith("/photos"):
                file = SimpleUploadedFile("p.jpg", picture(3, size=(40, 30)), "image/jpeg")
                answers.append(stranger_api.post(url, {"kind": "label", "file": file}))
            else:
                answers.append(call(stranger_api, method, url, BODIES.get(f"{method} {path}")))
        assert [each.status_code for each in answers] == [404, 404], (path, answers[0].content)
        assert answers[0].json()["error"]["code"] == answers[1].json()["error"]["code"]
    assert fingerprint(cast.tenant) == before


def test_foreign_ids_inside_bodies_answer_like_random_ones(rows, cast, stranger_api):
    before = fingerprint(cast.tenant)
    for order_id in (str(rows["order"].id), str(uuid.uuid4())):
        for path, body in (
            ("requests", {"order_id": order_id, "kind": "urge"}),
            ("claims", {"order_id": order_id, "reason": "lost"}),
        ):
            assert call(stranger_api, "post", PREFIX + path, body).status_code == 404
    stock = {"items": [{"code": "HN-1", "quantity": 1}]}
    assert call(stranger_api, "put", PREFIX + "stock", stock).status_code == 404
    assert fingerprint(cast.tenant) == before


@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists_show_the_stranger_nothing(rows, cast, stranger_api, name):
    method, path = name.split(" ")
    answer = call(stranger_api, method, PREFIX + path, LISTS[name])
    assert answer.status_code in {200, 201}, answer.content
    text = answer.content.decode()
    for value in (*[str(row.id) for row in rows.values()], "69.90", "88887777666655", "SF99887766"):
        assert value not in text


def test_call_is_taken_over_as_a_whole_or_not_at_all(rows, cast, api):
    body = {"items": [{"code": "N-1", "name_zh": "新"}, {"code": "N-2"}]}
    assert call(api, "put", PREFIX + "products", body).status_code == 422
    with tenant_tx(cast.tenant.id):
        assert not Sku.objects.filter(code="N-1").exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("products", {"items": [{"code": "HN-1", "price": 69.9}]}),
        ("products", {"items": [{"code": "HN-1", "prise": "1"}]}),
        ("shipping-rules", {"items": [{"name": "x", "regions": ["Atlantis"], "first_fee": "1"}]}),
        ("orders", {"items": [{"number": "1234567890", "status": "gone"}]}),
        ("orders", {"items": [{"number": "1234567890", "status": "paid", "phone": "12"}]}),
    ],
)
def test_slip_in_a_row_is_refused(rows, api, path, body):
    assert call(api, "put", PREFIX + path, body).status_code == 422


def test_offer_cannot_be_sent(rows, api):
    body = {"reason": "spoiled", "facts": {"offer": "999"}}
    assert call(api, "post", PREFIX + "claims", body).status_code == 422


def test_phone_is_cut_to_its_end(rows, cast, api):
    body = {"items": [{"number": "5555666677778888", "status": "paid", "phone": "13812346789"}]}
    assert call(api, "put", PREFIX + "orders", body).json() == {"made": 1, "changed": 0}
    with tenant_tx(cast.tenant.id):
        assert Order.objects.get(number="5555666677778888").phone_tail == "6789"


def test_every_call_has_an_example():
    shown = {(c.method, re.sub(r"\$[A-Z]+", "{}", c.url.split("?")[0])) for c in _calls(GUIDE)}
    offered = {(m.upper(), PREFIX + re.sub(r"\{\w+\}", "{}", path)) for m, path in operations()}
    assert shown == offered


def test_examples_run_in_the_order_of_the_guide(api, cast):
    known: dict[str, str] = {}
    for each in _calls(GUIDE):
        if each.form:
            url = each.url.replace("$CLAIM", known["CLAIM"])
            file = SimpleUploadedFile("label.jpg", picture(5), "image/jpeg")
            answer = api.post(url, {"kind": each.form["kind"], "file": file})
        else:
            answer = each.send(api, known)
        assert answer.status_code in {200, 201}, f"{each.method} {each.url}: {answer.content!r}"
        data = json.loads(answer.content)
        if each.method == "GET" and "/orders?" in each.url:
            known["ORDER"] = data["items"][0]["id"]
        elif each.method == "POST" and each.url.endswith(("/requests", "/claims")):
            known.setdefault("REQUEST" if each.url.endswith("/requests") else "CLAIM", data["id"])
        elif each.url.endswith("/facts"):
            assert "69.90元" in data["text"]
            assert "8.00元" in data["text"]
