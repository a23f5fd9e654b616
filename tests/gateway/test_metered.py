"""Every embedding is paid: held before, settled after, and refused where there is no money for it."""

from decimal import Decimal

import pytest
from django.db import transaction

from furrow.assistants.rungs.approved import Candidate, Match, by_meaning
from furrow.core.context import TenantNotSet, tenant_context, tenant_tx
from furrow.core.errors import UpstreamFailed
from furrow.gateway.embeddings import embed_texts
from furrow.gateway.metered import OpenTransaction, metered
from furrow.knowledge.search import search
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.metering.attribution import attributed
from furrow.metering.budgets import budget_set
from furrow.metering.errors import BudgetExceeded
from furrow.metering.holds import Bounds
from furrow.metering.models import Hold, UsageEvent
from furrow.metering.receipt_pages import receipts_client
from furrow.metering.receipts import receipts_pull
from furrow.tenants.services import SYSTEM
from tests import fixtures_embeddings

_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server
no_embedding_server = fixtures_embeddings.no_embedding_server


@pytest.fixture
def tenant_id(cast):
    with tenant_context(cast.tenant.id):
        yield cast.tenant.id


def rows(tenant_id, model):
    with tenant_tx(tenant_id):
        return list(model.objects.order_by("created_at"))


@pytest.fixture
def no_budget(tenant_id):
    with tenant_tx(tenant_id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(0))


def pull():
    with receipts_client() as client:
        return receipts_pull(client)


def test_what_the_server_counted_is_paid(embedding_server, tenant_id):
    with attributed(assistant_id="a", channel="widget"):
        embed_texts(["one two three", "four"])
    (event,) = rows(tenant_id, UsageEvent)
    assert (event.in_miss, event.out, event.basis) == (8, 0, "reported")
    assert event.cost == Decimal("0.0000008")
    assert (event.kind, event.model, event.assistant_id) == ("embedding", "fake-one", "a")
    (hold,) = rows(tenant_id, Hold)
    assert hold.state == "settled"
    assert embedding_server.requests[0]["headers"]["x-request-id"] == f"{hold.request_id}.1"


def test_i15_every_request_has_a_hold_before_it_is_sent(embedding_server, tenant_id, monkeypatch):
    """The engine's double looks whether there is one; inside the test's transaction it must look from here."""
    known = set()
    original = fixtures_embeddings.EmbeddingServer.receipt_add

    def receipt_add(self, request_id, *args, **counts):
        assert request_id.partition(".")[0] in known, "a call without a hold"
        original(self, request_id, *args, **counts)

    monkeypatch.setattr(fixtures_embeddings.EmbeddingServer, "receipt_add", receipt_add)
    from furrow.gateway import metered as module  # noqa: PLC0415  patched for this test

    real = module.hold_open

    def noting(**options):
        hold = real(**options)
        known.add(hold.request_id)
        return hold

    monkeypatch.setattr(module, "hold_open", noting)
    embed_texts([f"text {n}" for n in range(130)], priority="batch")
    assert len(known) == 3


def test_server_that_does_not_count_is_paid_by_estimate(embedding_server, tenant_id):
    embedding_server.is_counting = False
    embed_texts(["苹果 apple"])
    (event,) = rows(tenant_id, UsageEvent)
    assert (event.basis, event.in_miss) == ("estimated", 2 + 2 + 2)
    assert pull().corrected == 1
    assert sum(row.in_miss for row in rows(tenant_id, UsageEvent)) == 4


def test_answer_that_got_lost_is_ours_and_the_delivered_one_is_paid(embedding_server, tenant_id):
    embedding_server.losses = 1
    embed_texts(["one"], priority="batch")
    assert pull().settled == 1
    paid, lost = rows(tenant_id, UsageEvent)
    assert (paid.attempt, paid.absorbed, paid.charged > 0) == (2, 0, True)
    assert (lost.attempt, lost.charged, lost.absorbed > 0) == (1, 0, True)


def test_call_with_no_answer_is_settled_from_its_receipt(embedding_server, tenant_id):
    embedding_server.losses = 2
    with pytest.raises(UpstreamFailed):
        embed_texts(["one"])
    assert [hold.state for hold in rows(tenant_id, Hold)] == ["open"]
    assert pull().settled == 2
    assert [hold.state for hold in rows(tenant_id, Hold)] == ["settled"]
    assert [event.charged > 0 for event in rows(tenant_id, UsageEvent)] == [True, False]


def test_call_that_never_reached_the_server_costs_nothing(no_embedding_server, tenant_id):
    with pytest.raises(UpstreamFailed):
        embed_texts(["one"])
    assert [hold.state for hold in rows(tenant_id, Hold)] == ["voided"]
    assert rows(tenant_id, UsageEvent) == []


def test_refused_request_costs_nothing(embedding_server, tenant_id):
    embedding_server.models = {"another"}
    with pytest.raises(UpstreamFailed):
        embed_texts(["one"])
    assert [hold.state for hold in rows(tenant_id, Hold)] == ["voided"]


def test_without_budget_the_server_is_not_asked(embedding_server, tenant_id, no_budget):
    with pytest.raises(BudgetExceeded):
        embed_texts(["one"])
    assert embedding_server.requests == []
    assert rows(tenant_id, Hold) == []


def test_without_budget_search_compares_words(embedding_server, tenant_id, no_budget):
    with tenant_tx(tenant_id):
        base = knowledge_base_create(actor=SYSTEM, name="KB")
    found = search(knowledge_base_ids=[base.id], query="red apples")
    assert found.notes == ["vectors_not_paid"]


def test_without_budget_approved_answers_are_matched_by_words(
    embedding_server, tenant_id, no_budget
):
    matches = [Match(Candidate(tenant_id, "yes", ("do you ship to Tibet",)), 0.5)]
    assert by_meaning("do you ship to Tibet now", matches) == matches


def test_without_a_tenant_nobody_is_asked(embedding_server, db):
    with pytest.raises(TenantNotSet):
        embed_texts(["one"])
    assert embedding_server.requests == []


def test_model_is_never_called_inside_a_transaction(embedding_server, tenant_id):
    with transaction.atomic(), pytest.raises(OpenTransaction):
        embed_texts(["one"])
    assert embedding_server.requests == []


def test_crash_between_hold_and_answer_leaves_the_hold_to_the_sweep(tenant_id):
    def crash():
        with metered(model="m", kind="embedding", bounds=Bounds(10)) as call:
            call.next_attempt()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crash()
    assert [hold.state for hold in rows(tenant_id, Hold)] == ["open"]
