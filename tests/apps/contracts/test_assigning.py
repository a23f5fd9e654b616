"""Findings given to a colleague: to members who may decide, found again by them, kept with the words."""

import pytest
from django.urls import reverse

from apps.contracts import selectors
from apps.contracts.models import Decision, ReviewRun
from apps.contracts.quality import rule_records
from apps.contracts.reviewing.outcome import assigned_to, judged
from apps.contracts.services.reviews import finding_assign, finding_decide
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.tenants.services import SYSTEM
from tests.apps.contracts.conftest import reviewed


def finding_of(run, rule="deposit_limit"):
    return next(one.finding for one in judged(run) if one.finding.rule == rule)


def test_finding_waits_for_its_member_until_it_is_decided(run, contract, cast):
    with tenant_tx(cast.tenant.id):
        finding = finding_of(run)
        finding_assign(actor=SYSTEM, finding=finding, email=cast.teammate.email.upper())
        [waiting] = assigned_to(cast.teammate.pk)
        assert waiting.contract.id == contract.id
        assert [one.finding.id for one in waiting.found] == [finding.id]
        assert assigned_to(cast.owner.pk) == []
    again = reviewed(cast.tenant, contract)
    with tenant_tx(cast.tenant.id):
        # The new review's finding of the same words waits for the same person.
        [waiting] = assigned_to(cast.teammate.pk)
        assert waiting.found[0].finding.run_id == again.id
        finding_decide(actor=SYSTEM, finding=finding_of(again), state="accepted")
        assert assigned_to(cast.teammate.pk) == []


def test_finding_is_given_to_members_only_who_may_decide(run, cast):
    with tenant_tx(cast.tenant.id):
        for user in (cast.stranger, cast.viewer):
            with pytest.raises(Invalid):
                finding_assign(actor=SYSTEM, finding=finding_of(run), email=user.email)
        assert not Decision.objects.exists()
        names = {member.user.email for member in selectors.members_deciding()}
        assert cast.teammate.email in names
        assert not names & {cast.stranger.email, cast.viewer.email}


def test_mine_is_a_page_and_a_filter(run, contract, cast):
    slug = cast.tenant.slug
    owner, mate = cast.client(cast.owner), cast.client(cast.teammate)
    for client in (owner, mate):
        client.cookies["django_language"] = "en"
    with tenant_tx(cast.tenant.id):
        finding, other = finding_of(run), finding_of(run, "court_and_arbitration")
    url = reverse("contracts:finding_assign", args=[slug, finding.id])
    card = owner.post(
        url, {"assignee": cast.teammate.email}, headers={"HX-Request": "true"}
    ).content.decode()
    assert f'value="{cast.teammate.email}" selected' in card
    comment = reverse("contracts:finding_decide", args=[slug, finding.id])
    owner.post(comment, {"comment": "Please ask the client."})
    page = mate.get(reverse("contracts:mine", args=[slug])).content.decode()
    assert "Please ask the client." in page
    assert f"finding-{finding.id}" in page
    review = reverse("contracts:contract", args=[slug, contract.id])
    mine = mate.get(f"{review}?show=mine").content.decode()
    assert f'id="finding-{finding.id}"' in mine
    assert f'id="finding-{other.id}"' not in mine
    assert (
        "Nothing waits for you"
        in owner.get(reverse("contracts:mine", args=[slug])).content.decode()
    )
    owner.post(url, {"assignee": ""})
    assert (
        "Nothing waits for you" in mate.get(reverse("contracts:mine", args=[slug])).content.decode()
    )


def test_quality_tells_false_alarms_missed_items_and_good_finds_apart(run, cast):
    with tenant_tx(cast.tenant.id):
        found, passed = judged(run), judged(ReviewRun.objects.get(), is_passed=True)
        finding_decide(actor=SYSTEM, finding=found[0].finding, state="rejected", feedback="wrong")
        finding_decide(actor=SYSTEM, finding=found[1].finding, state="accepted", feedback="right")
        finding_decide(actor=SYSTEM, finding=passed[0].finding, feedback="wrong")
        records = {record.rule: record for record in rule_records()}
        assert len(records) == 3
        figures = {
            rule: (r.taken, r.rejected, r.wrong, r.missed, r.right) for rule, r in records.items()
        }
        assert figures[found[0].finding.rule] == (0, 1, 1, 0, 0)
        assert figures[found[1].finding.rule] == (1, 0, 0, 0, 1)
        assert figures[passed[0].finding.rule] == (0, 0, 0, 1, 0)


def test_assigned_finding_is_listed_by_the_api(run, cast, api):
    with tenant_tx(cast.tenant.id):
        finding = finding_of(run)
    answer = api.patch(
        f"/api/v1/contracts/findings/{finding.id}",
        {"assignee": cast.teammate.email},
        content_type="application/json",
    )
    assert answer.json()["assignee"] == cast.teammate.email
    listed = api.get("/api/v1/contracts/findings", {"assignee": cast.teammate.email}).json()
    assert [one["findings"][0]["id"] for one in listed["items"]] == [str(finding.id)]
    assert api.get("/api/v1/contracts/findings", {"assignee": "x@y.z"}).json() == {"items": []}
    refused = api.patch(
        f"/api/v1/contracts/findings/{finding.id}",
        {"assignee": cast.stranger.email},
        content_type="application/json",
    )
    assert refused.status_code == 422
