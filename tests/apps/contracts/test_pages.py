"""The contract pages: who may enter, that they render in both languages, and what their buttons do."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.contracts import selectors
from apps.contracts.demo import review_begin
from apps.contracts.models import Contract, Decision, Finding, Playbook, ReviewRun
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.reviewing.outcome import judged
from apps.contracts.services import playbooks as services
from apps.contracts.urls import urlpatterns
from furrow.core.context import tenant_tx
from furrow.tenants.models import PERMISSIONS, Membership
from furrow.tenants.services import SYSTEM
from tests.apps.contracts.conftest import SALE, jobs_run, word_file
from tests.apps.contracts.rows import known_ids

INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|javascript:", re.IGNORECASE)
NOT_PAGES = {"export", "progress", "run_events"}


@pytest.fixture
def ids(run, cast):
    with tenant_tx(cast.tenant.id):
        return known_ids()


@pytest.fixture
def owner(cast):
    client = cast.client(cast.owner)
    client.cookies["django_language"] = "en"
    return client


def url_of(name, slug, *args):
    return reverse(f"contracts:{name}", args=[slug, *args])


def route_url(route, slug, ids):
    kwargs = {name: ids[name] for name in route.pattern.converters}
    return reverse(f"contracts:{route.name}", kwargs={"tenant_slug": slug, **kwargs})


def methods_of(route):
    return [method for method, needed in route.callback.permissions.items() if needed]


def test_stranger_and_visitor_enter_no_page(cast, ids):
    stranger, visitor = cast.client(cast.stranger), Client()
    for route in urlpatterns:
        for method in methods_of(route):
            url = route_url(route, cast.tenant.slug, ids)
            assert getattr(stranger, method.lower())(url).status_code == 404, route.name
            response = getattr(visitor, method.lower())(url)
            assert response["Location"].startswith("/accounts/login/"), route.name


def test_stranger_finds_nothing_by_id_in_the_own_business(cast, ids):
    stranger = cast.client(cast.stranger)
    for route in urlpatterns:
        if not route.pattern.converters:
            continue
        for method in methods_of(route):
            url = route_url(route, cast.other_tenant.slug, ids)
            assert getattr(stranger, method.lower())(url).status_code == 404, route.name
    with tenant_tx(cast.other_tenant.id):
        assert not Decision.objects.exists()


@pytest.mark.parametrize("role", ["viewer", pytest.param("staff", marks=pytest.mark.slow)])
def test_role_is_refused_what_it_lacks(role, cast, ids):
    with tenant_tx(cast.tenant.id):
        Membership.objects.filter(user=cast.teammate).update(role=role)
    client = cast.client(cast.teammate)
    for route in urlpatterns:
        for method in methods_of(route):
            if role not in PERMISSIONS[route.callback.permissions[method]]:
                url = route_url(route, cast.tenant.slug, ids)
                assert getattr(client, method.lower())(url).status_code == 403, route.name


@pytest.mark.parametrize("language", ["zh-hans", pytest.param("en", marks=pytest.mark.slow)])
def test_every_page_renders_within_the_content_policy(language, owner, cast, ids):
    owner.cookies["django_language"] = language
    for route in urlpatterns:
        if not route.callback.permissions["GET"] or route.name in NOT_PAGES:
            continue
        response = owner.get(route_url(route, cast.tenant.slug, ids))
        page = response.content.decode()
        assert response.status_code == 200, route.name
        assert f'<html lang="{language}"' in page, route.name
        assert not INLINE.search(page), route.name


def test_search_for_what_no_title_can_hold_finds_nothing(owner, cast, ids):
    page = owner.get(url_of("contracts", cast.tenant.slug), {"query": "x\x00y"})
    assert "Nothing fits" in page.content.decode()


def test_empty_pages_say_what_to_do(owner, cast):
    slug = cast.tenant.slug
    assert "Hand in a Word file" in owner.get(url_of("contracts", slug)).content.decode()
    assert "starter library" in owner.get(url_of("playbooks", slug)).content.decode()
    assert "as soon as a contract was read" in owner.get(url_of("dates", slug)).content.decode()


def test_contract_goes_from_the_upload_to_the_review(owner, cast):
    """Handed in, read, the proposal edited, reviewed."""
    slug = cast.tenant.slug
    file = SimpleUploadedFile("apples.docx", word_file())
    answer = owner.post(url_of("contract_create", slug), {"file": file, "title": "Apples"})
    page_url = answer["Location"]
    assert "The file is being read" in owner.get(page_url).content.decode()
    jobs_run()
    assert "ready for review" in owner.get(page_url).content.decode()
    with tenant_tx(cast.tenant.id):
        contract = Contract.objects.get()
        playbook = Playbook.objects.get(starter="sale")
    start = url_of("review_start", slug, contract.id)
    page = owner.get(start).content.decode()
    assert "Sale of produce" in page or "农产品买卖" in page
    shown = re.search(r'name="shown" value="([^"]+)"', page)
    form = {"playbook": playbook.id, "side": "second", "strength": "balanced", "with_checks": "on"}
    # Without scripts the rules on the page are still those of the neutral side: they are shown anew first.
    again = owner.post(start, {**form, "shown": shown[1], "rules": ["quality"]})
    assert again.status_code == 200
    shown = re.search(r'name="shown" value="([^"]+)"', again.content.decode())
    sent = {**form, "shown": shown[1], "rules": ["prepay_second"], "level-prepay_second": "high"}
    assert owner.post(start, sent)["Location"] == page_url
    assert "Under review" in owner.get(page_url).content.decode()
    jobs_run()
    with tenant_tx(cast.tenant.id):
        run = selectors.run_newest(contract)
        by_rule = {one.finding.rule: one for one in judged(run)}
        assert by_rule["rule:prepay_second"].finding.level == "high"
        assert not any(rule == "rule:quality" for rule in by_rule)
        assert selectors.contract_get(contract.id).side == "second"
    progress = owner.get(url_of("progress", slug, contract.id))
    assert progress["HX-Redirect"] == page_url


def test_finding_is_accepted_edited_and_taken_back(owner, cast, ids):
    url = url_of("finding_decide", cast.tenant.slug, ids["finding_id"])

    def state():
        with tenant_tx(cast.tenant.id):
            row = Decision.objects.get()
            return row.state, row.text, row.comment

    assert owner.post(url, {"state": "accepted"})["Location"].endswith(
        f"#finding-{ids['finding_id']}"
    )
    assert state() == ("accepted", "", "")
    owner.post(url, {"state": "edited", "text": "另行约定"})
    owner.post(url, {"comment": "问过客户"})
    assert state() == ("edited", "另行约定", "问过客户")
    card = owner.post(url, {"state": "open"}, headers={"HX-Request": "true"}).content.decode()
    assert f'id="finding-{ids["finding_id"]}"' in card
    assert 'hx-swap-oob="true"' in card
    assert state() == ("open", "", "问过客户")
    assert owner.post(url, {}).status_code == 422


def test_text_is_marked_where_a_finding_quotes_it(owner, cast, ids):
    page = owner.get(url_of("contract", cast.tenant.slug, ids["contract_id"])).content.decode()
    with tenant_tx(cast.tenant.id):
        quoted = list(Finding.objects.filter(is_passed=False).exclude(quote=""))
    marks = dict(re.findall(r'data-finding="([^"]+)" href="[^"]+">([^<]+)</a>', page))
    assert marks
    assert all(str(row.id) in page for row in quoted)
    assert any(marks.get(str(row.id)) == row.quote for row in quoted)
    assert "预付合同总价的<del>50</del><ins>30</ins>%作为预付款" in page


def test_quotes_are_text_and_never_markup(owner, cast):
    """A contract that tries to be a page."""
    slug = cast.tenant.slug
    text = "买卖合同\n第一条 价款\n<script>alert(1)</script>定金为【  】元，合同总价为100元。"
    owner.post(
        url_of("contract_create", slug), {"file": SimpleUploadedFile("x.txt", text.encode())}
    )
    jobs_run()
    with tenant_tx(cast.tenant.id):
        contract = Contract.objects.get()
        review_begin(contract, "sale")
    jobs_run()
    page = owner.get(url_of("contract", slug, contract.id)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_contract_is_removed_and_comes_back(owner, cast, ids):
    slug = cast.tenant.slug
    owner.post(url_of("contract_delete", slug, ids["contract_id"]))
    assert owner.get(url_of("contract", slug, ids["contract_id"])).status_code == 404
    owner.post(url_of("contract_restore", slug, ids["contract_id"]))
    assert owner.get(url_of("contract", slug, ids["contract_id"])).status_code == 200


def test_rule_is_written_in_plain_words_and_makes_a_version(owner, cast, ids):
    slug = cast.tenant.slug
    form = {
        "name": "Rent-free at most three months", "check_kind": "threshold", "side": "first", "level": "high",
        "words": "免租期\nrent-free", "unit": "months", "max": "3", "statutes": "中华人民共和国民法典 第七百零五条",
    }  # fmt: skip
    made = owner.post(url_of("rule_create", slug, ids["playbook_id"]), form)
    assert made["Location"] == url_of("playbook", slug, ids["playbook_id"])
    with tenant_tx(cast.tenant.id):
        playbook = Playbook.objects.get(id=ids["playbook_id"])
        version = selectors.playbook_version_newest(playbook)
        rules = selectors.rules_of(version)
        assert version.number == 2
        assert rules[-1].terms == {
            "words": ["免租期", "rent-free"],
            "unless": [],
            "unit": "months",
            "max": "3",
        }
        key = rules[-1].key
    owner.post(url_of("rule_update", slug, ids["playbook_id"], key), {**form, "max": ""})
    with tenant_tx(cast.tenant.id):
        assert selectors.playbook_version_newest(playbook).number == 2
    owner.post(url_of("rule_delete", slug, ids["playbook_id"], key))
    with tenant_tx(cast.tenant.id):
        newest = selectors.playbook_version_newest(playbook)
        assert newest.number == 3
        assert key not in {rule.key for rule in selectors.rules_of(newest)}
        # The review keeps the version it ran with.
        assert ReviewRun.objects.get().playbook_version.number == 1


def test_rule_without_a_name_in_the_language_of_the_page_keeps_its_own(owner, cast, ids):
    rule = RuleSpec("own", "must_not", "high", {"zh": "不得转租"}, terms={"words": ["转租"]})
    with tenant_tx(cast.tenant.id):
        made = services.playbook_create(actor=SYSTEM, name="Own", rules=[rule])
    start = url_of("review_start", cast.tenant.slug, ids["contract_id"])
    page = owner.get(f"{start}?playbook={made.id}").content.decode()
    assert "<strong>不得转租</strong>" in page
    assert ">None<" not in page


def test_who_edits_at_the_same_moment_undoes_nothing(cast, ids):
    """The rules are read under the playbook's lock, not before it."""
    rules = [RuleSpec(key, "must_not", "low", {"en": key}, terms={"words": [key]}) for key in "ab"]
    with tenant_tx(cast.tenant.id):
        made = services.playbook_create(actor=SYSTEM, name="Own", rules=rules[:1])
        stale = selectors.playbook_get(made.id)
        for rule in rules[1:]:
            services.playbook_rules_edit(
                actor=SYSTEM, playbook=made, edit=lambda known, new=rule: [*known, new]
            )
        services.playbook_rules_edit(
            actor=SYSTEM, playbook=stale, edit=lambda known: [r for r in known if r.key != "a"]
        )
        newest = selectors.playbook_version_newest(made)
        assert [rule.key for rule in selectors.rules_of(newest)] == ["b"]


def test_two_first_contracts_at_once_bring_the_library_once(cast, monkeypatch):
    """The other one commits after we looked what is there."""

    def raced():
        monkeypatch.undo()
        services.starters_ensure(actor=SYSTEM, language="zh")
        return services.starters()

    monkeypatch.setattr(services, "starters", raced)
    with tenant_tx(cast.tenant.id):
        assert services.starters_ensure(actor=SYSTEM, language="zh") == 0
        assert Playbook.objects.count() == len(services.starters())


def test_date_is_done_and_not_done(owner, cast, ids):
    slug = cast.tenant.slug
    assert "2027" in owner.get(url_of("dates", slug)).content.decode()
    owner.post(url_of("date_done", slug, ids["obligation_id"]), {"is_done": "1"})
    with tenant_tx(cast.tenant.id):
        assert selectors.obligation_get(ids["obligation_id"]).is_done
    calendar = owner.get(url_of("export", slug, ids["contract_id"], "obligations.ics"))
    assert str(ids["obligation_id"]) not in calendar.content.decode()


def test_exports_come_as_files(owner, cast, ids):
    slug = cast.tenant.slug
    for name, start in (
        ("redline.docx", b"PK"), ("report.pdf", b"%PDF"), ("findings.csv", "\ufeff".encode()), ("findings.json", b"{"),
        ("obligations.ics", b"BEGIN:VCALENDAR\r\n"),
    ):  # fmt: skip
        answer = owner.get(url_of("export", slug, ids["contract_id"], name))
        assert answer.status_code == 200, name
        assert answer.content.startswith(start), name
        assert "attachment" in answer["Content-Disposition"]
    assert owner.get(url_of("export", slug, ids["contract_id"], "passwd")).status_code == 404


def test_versions_are_compared_clause_by_clause(owner, cast, ids):
    slug, url = cast.tenant.slug, url_of("comparison", cast.tenant.slug, ids["contract_id"])
    assert "Nothing to compare with yet" in owner.get(url).content.decode()
    changed = SALE.replace("45日内付清", "20日内付清").replace(
        "第七条 期限", "第七条 质保\n一年。\n第八条 期限"
    )
    file = SimpleUploadedFile("two.docx", word_file(changed))
    owner.post(url_of("version_create", slug, ids["contract_id"]), {"file": file})
    assert "Not read yet" in owner.get(url).content.decode()
    jobs_run()
    page = owner.get(url).content.decode()
    assert "<del>45</del><ins>20</ins>" in page
    assert "2 clauses differ" in page
    assert owner.get(f"{url}?with=9").status_code == 404
    assert owner.get(f"{url}?with=nothing").status_code == 404


def test_newer_version_that_cannot_be_read_is_tried_again_from_the_review(owner, cast, ids):
    slug, page_url = cast.tenant.slug, url_of("contract", cast.tenant.slug, ids["contract_id"])
    broken = SimpleUploadedFile("two.docx", b"PK\x03\x04 broken")
    owner.post(url_of("version_create", slug, ids["contract_id"]), {"file": broken})
    jobs_run()
    retry = url_of("version_retry", slug, ids["contract_id"])
    assert f'action="{retry}"' in owner.get(page_url).content.decode()
    owner.post(retry)
    assert "The file is being read" in owner.get(page_url).content.decode()


def test_quality_shows_which_rules_are_taken(owner, cast, ids):
    slug = cast.tenant.slug
    page = owner.get(url_of("quality", slug)).content.decode()
    assert "Nothing decided yet" in page
    assert "1 review" in page
    with tenant_tx(cast.tenant.id):
        found = {one.finding.rule: one.finding for one in judged(ReviewRun.objects.get())}
    for rule, values in (
        ("deposit_limit", {"state": "accepted"}),
        ("rule:penalty", {"state": "rejected"}),
        ("rule:penalty", {"feedback": "wrong"}),
    ):
        owner.post(url_of("finding_decide", slug, found[rule].id), values)
    page = owner.get(url_of("quality", slug)).content.decode()
    assert "1 findings taken, 1 rejected" in page
    assert page.index("Penalty at most 30 % of the price") < page.index(
        "Deposit of at most a fifth"
    )
    assert "0 %" in page
    assert "100 %" in page


def test_playbook_is_tried_on_contracts_without_changing_them(owner, cast, ids):
    page = owner.get(url_of("playbook_trial", cast.tenant.slug, ids["playbook_id"]))
    text = page.content.decode()
    assert "1 of 1" in text
    assert "all in order" in text
    with tenant_tx(cast.tenant.id):
        assert ReviewRun.objects.count() == 1
        other = Playbook.objects.get(starter="loan")
    empty = owner.get(url_of("playbook_trial", cast.tenant.slug, other.id)).content.decode()
    assert "No contract to try it on" in empty
