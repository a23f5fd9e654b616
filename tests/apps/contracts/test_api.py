"""The contract review API: its guide runs, strangers find nothing, and what is wrong is refused."""

import json
import re
import uuid
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.contracts.models import Playbook, ReviewRun
from furrow.api.root import api as rest_api
from furrow.core.context import tenant_tx
from tests.api.test_stranger_sweep import call, fingerprint
from tests.apps.contracts.conftest import SALE, jobs_run, word_file
from tests.apps.contracts.rows import known_ids
from tests.docs.test_api_guide import _calls

GUIDE = (Path(__file__).parents[3] / "docs" / "api-contracts.md").read_text(encoding="utf-8")
PREFIX = "/api/v1/contracts"
NAMES = "redline.docx|report.pdf|findings.csv|findings.json|obligations.ics"
BODIES = {
    "patch /{contract_id}": {"title": "stolen"},
    "post /{contract_id}/runs": {"side": "first"},
    "post /{contract_id}/estimates": {"side": "first"},
    "patch /findings/{finding_id}": {"state": "accepted"},
    "patch /playbooks/{playbook_id}": {"name": "stolen"},
    "post /runs/{run_id}/cancellation": {},
    "post /{contract_id}/versions": None,
}
LISTS = {
    "get ": None,
    "get /obligations": None,
    "get /playbooks": None,
    "get /findings": None,
    "post /playbooks": {"name": "mine", "rules": []},
    "post /playbooks/starters": {},
    "get /questions": None,
    "post /questions": {"text": "余款多少日内付清"},
}
# Their ids stand in the body.
IN_BODY = {"post /comparisons"}
UPLOADS = {"post ", "post /{contract_id}/versions"}
# Which answers give the later examples their names.
GIVEN = [
    (rf"POST {PREFIX}$", "CONTRACT"),
    (rf"POST {PREFIX}/playbooks$", "PLAYBOOK"),
    (rf"POST {PREFIX}/[^/]+/runs$", "RUN"),
    (rf"POST {PREFIX}/questions$", "QUESTION"),
]


def operations():
    paths = rest_api.get_openapi_schema()["paths"]
    return [
        (method, path.removeprefix(PREFIX))
        for path, methods in paths.items()
        if f"{path}/".startswith(f"{PREFIX}/")
        for method in methods
    ]


@pytest.fixture
def ids(run, cast):
    with tenant_tx(cast.tenant.id):
        return {name: str(value) for name, value in known_ids().items()}


def send(client, method, path, body):
    if f"{method} {path.template}" in UPLOADS:
        return client.post(str(path), {"file": SimpleUploadedFile("x.docx", word_file())})
    return call(client, method, str(path), body)


class Filled(str):
    """A path with its ids, which still knows its template."""

    template: str

    @classmethod
    def of(cls, template, ids):
        made = cls(PREFIX + template.format(**ids))
        made.template = template
        return made


def test_every_operation_has_its_stranger_case():
    for method, path in operations():
        name = f"{method} {path}"
        reads = method in {"get", "delete"} and "{" in path
        assert name in LISTS or name in BODIES or name in UPLOADS | IN_BODY or reads, name


def test_stranger_gets_what_a_random_id_gets(ids, cast, stranger_api):
    before = fingerprint(cast.tenant)
    absent = {
        name: value if name in {"key", "name"} else str(uuid.uuid4()) for name, value in ids.items()
    }
    for method, path in operations():
        if "{" in path:
            body = BODIES.get(f"{method} {path}")
            answers = [
                send(stranger_api, method, Filled.of(path, known), body) for known in (ids, absent)
            ]
            assert [each.status_code for each in answers] == [404, 404], (path, answers[0].content)
            assert answers[0].json()["error"]["code"] == answers[1].json()["error"]["code"]
    body = {"side": "first", "playbook_id": ids["playbook_id"]}
    mine = send(stranger_api, "post", Filled.of("", {}), None).json()["id"]
    assert call(stranger_api, "post", f"{PREFIX}/{mine}/runs", body).status_code == 404
    jobs_run()
    for known in ({"text": "余款多少日内付清", "contract_ids": [ids["contract_id"]]},):
        answer = call(stranger_api, "post", f"{PREFIX}/questions", known)
        assert answer.status_code == 404, answer.content
    for known in (
        {"contract_id": ids["contract_id"]},
        {"contract_id": mine, "other_contract_id": ids["contract_id"]},
    ):
        answer = call(stranger_api, "post", f"{PREFIX}/comparisons", known)
        assert answer.status_code == 404, answer.content
    assert fingerprint(cast.tenant) == before


@pytest.mark.parametrize("name", sorted(LISTS))
def test_lists_show_the_stranger_nothing(ids, cast, stranger_api, name):
    method, path = name.split(" ")
    answer = call(stranger_api, method, PREFIX + path, LISTS[name])
    assert answer.status_code in {200, 201, 202}, answer.content
    text = json.dumps(answer.json(), ensure_ascii=False)
    for value in (ids["contract_id"], ids["playbook_id"], ids["obligation_id"], "塬上果业"):
        assert value not in text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/playbooks", {"name": "x", "rules": [{"check_kind": "must_not", "name": {"en": "x"}, "terms": {}}]}),
        ("/playbooks", {"name": "x", "rules": [{"check_kind": "must_not", "name": {}, "terms": {"words": ["x"]}}]}),
        ("/playbooks", {"name": "x", "rules": [{"check_kind": "threshold", "name": {"en": "x"}, "terms": {"words": ["x"]}}]}),
        ("/playbooks", {"name": "x", "rules": [{"check_kind": "guess", "name": {"en": "x"}, "terms": {"words": ["x"]}}]}),
        ("/playbooks", {"name": "x", "rules": [{"check_kind": "must_not", "name": {"en": "x"}, "terms": {"words": ["a…b…c…d"]}}]}),
        *[
            ("/playbooks", {"name": "x", "rules": [{"check_kind": "numeric", "name": {"en": "x"}, "terms": {"words": ["x"], "unit": "days", **range_}}]})
            for range_ in ({"min": "1e999999"}, {"max": "1e-999999"}, {"min": "-1"}, {"min": "9", "max": "3"})
        ],
        ("/playbooks", {"name": " ", "rules": []}),
        ("/{contract_id}/runs", {"side": "first", "rules": ["no-such-rule"]}),
        ("/{contract_id}/runs", {"side": "third"}),
        ("/{contract_id}/runs", {"has_playbook": False, "has_checks": False}),
    ],
)  # fmt: skip
def test_slip_is_refused(ids, api, cast, path, body):
    assert call(api, "post", PREFIX + path.format(**ids), body).status_code == 422
    with tenant_tx(cast.tenant.id):
        assert ReviewRun.objects.count() == 1
        assert not Playbook.objects.filter(starter="").exists()


def test_file_that_is_no_contract_is_refused(api):
    answer = api.post(PREFIX, {"file": SimpleUploadedFile("setup.exe", b"MZ")})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "unsupported")


def test_every_call_has_an_example():
    shown = {
        (each.method, re.sub(rf"(?<=/)({NAMES})$", "{}", re.sub(r"\$[A-Z]+", "{}", each.url.split("?")[0])))
        for each in _calls(GUIDE)
    }  # fmt: skip
    offered = {
        (method.upper(), PREFIX + re.sub(r"\{\w+\}", "{}", path)) for method, path in operations()
    }
    assert shown == offered


@pytest.mark.slow
def test_examples_run_in_the_order_of_the_guide(api, cast):
    known = {}
    for each in _calls(GUIDE):
        if each.form:
            each.form.pop("file")
            file = SimpleUploadedFile("contract.docx", word_file())
            url = re.sub(r"\$([A-Z]+)", lambda found: known[found.group(1)], each.url)
            answer = api.post(url, {**each.form, "file": file})
        else:
            answer = each.send(api, known)
        line = f"{each.method} {each.url}"
        expected = {409} if each.url.endswith("/cancellation") else {200, 201, 202, 204}
        assert answer.status_code in expected, f"{line}: {answer.content!r}"
        for pattern, name in GIVEN:
            if re.search(pattern, line.replace("$", "x")):
                known.setdefault(name, answer.json()["id"])
        if each.method == "POST":
            jobs_run()
        if each.url.endswith("/findings"):
            known["FINDING"] = answer.json()["items"][0]["id"]


def test_contract_is_found_by_title_and_by_party(ids, api):
    def found(query):
        return [row["id"] for row in api.get(PREFIX, {"query": query}).json()["items"]]

    assert found("苹果") == found("塬上果业") == [ids["contract_id"]]
    assert found("洗衣机") == []
    # How parties are stored is no part of their names.
    assert found("start") == found("roles") == []


def test_lists_leave_the_words_of_contracts_in_the_database(ids, api):
    for path in ("", "/obligations", f"/{ids['contract_id']}/runs", f"/runs/{ids['run_id']}"):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(PREFIX + path).status_code == 200
        assert not [q["sql"] for q in queries if '"contracts_contractversion"."text"' in q["sql"]]


def test_places_of_an_older_review_count_in_the_text_of_its_version(ids, api):
    newer = SimpleUploadedFile("two.docx", word_file("新的合同\n" + SALE))
    assert api.post(f"{PREFIX}/{ids['contract_id']}/versions", {"file": newer}).status_code == 202
    jobs_run()
    run = api.get(f"{PREFIX}/runs/{ids['run_id']}").json()
    text = api.get(f"{PREFIX}/{ids['contract_id']}/text", {"version": run["version"]})
    rows = api.get(f"{PREFIX}/runs/{ids['run_id']}/findings").json()["items"]
    assert sum(run["findings"].values()) == len(rows) > 3
    for row in rows:
        assert text.content.decode()[row["start"] : row["end"]] == row["quote"]


def test_text_that_cannot_be_stored_is_refused(ids, api):
    """PostgreSQL keeps no NUL characters."""
    answers = [
        api.get(PREFIX, {"query": "a\x00"}),
        call(api, "patch", f"{PREFIX}/{ids['contract_id']}", {"title": "a\x00b"}),
        call(api, "patch", f"{PREFIX}/findings/{ids['finding_id']}", {"comment": "\x00"}),
    ]
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [(422, "invalid")] * 3
