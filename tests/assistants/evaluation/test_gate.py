"""Publishing asks the golden questions first: what would break is stopped, what is well goes out by itself."""

import pytest

from furrow.assistants.config import AssistantConfig
from furrow.assistants.evaluation import asking, gate, selectors
from furrow.assistants.evaluation.gate import publication_request
from furrow.assistants.models import Assistant, PublicationCheck
from furrow.assistants.services import assistant_create
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.tenants.models import AuditEntry


def request(bench, **options):
    with tenant_tx(bench.tenant_id):
        return publication_request(actor=bench.actor, assistant=bench.assistant, **options)


def live(bench) -> int:
    with tenant_tx(bench.tenant_id):
        return int(Assistant.objects.get(id=bench.assistant.id).published.number)


def audited(bench) -> list[str]:
    with tenant_tx(bench.tenant_id):
        return list(AuditEntry.objects.order_by("created_at").values_list("action", flat=True))


@pytest.fixture
def golden(bench):
    bench.add("到北京的运费多少", facts=[["12元"]])
    bench.add("坏果要几张照片", facts=[["3张"]])


def test_without_golden_questions_publishing_is_immediate_and_says_so(bench):
    bench.draft(threshold=0.3)
    outcome = request(bench)
    assert outcome.version.number == 2
    assert not outcome.has_golden


def test_first_publication_never_waits_for_anything_to_compare(bench):
    with tenant_tx(bench.tenant_id):
        fresh = assistant_create(actor=bench.actor, name="new")
        outcome = publication_request(actor=bench.actor, assistant=fresh)
    assert outcome.version.number == 1


def test_good_draft_is_published_once_it_was_checked(bench, golden):
    bench.draft(threshold=0.3)
    outcome = request(bench, note="looser")
    assert outcome.version is None
    assert live(bench) == 1
    bench.work()
    check = bench.fresh(outcome.check)
    assert check.state == "published"
    assert live(bench) == 2
    with tenant_tx(bench.tenant_id):
        version = Assistant.objects.get(id=bench.assistant.id).published
        assert version.note == "looser"
        assert version.published_by.email == "owner@example.test"
    assert audited(bench)[-2:] == ["publication.checked", "assistant.published"]


def test_draft_that_breaks_something_is_blocked(bench, golden):
    bench.draft(threshold=1.0)
    check = request(bench).check
    bench.work()
    assert bench.fresh(check).state == "blocked"
    assert live(bench) == 1
    assert bench.fresh(check.run).summary["broken"] == 2


def test_written_reason_overrides_and_is_audited(bench, golden):
    bench.draft(threshold=1.0)
    check = request(bench).check
    bench.work()
    outcome = request(bench, override_reason="The photo rule changed today.")
    assert outcome.version.number == live(bench) == 2
    kept = bench.fresh(check)
    assert (kept.state, kept.override_reason) == ("published", "The photo rule changed today.")
    with tenant_tx(bench.tenant_id):
        entry = AuditEntry.objects.filter(action="assistant.published").latest("created_at")
    assert entry.data["override_reason"] == "The photo rule changed today."


def test_blank_reason_is_none(bench, golden):
    bench.draft(threshold=1.0)
    assert request(bench, override_reason="   ").version is None
    with pytest.raises(Invalid):
        request(bench, override_reason="x" * 501)


def test_what_failed_before_does_not_block(bench):
    bench.add("你们收比特币吗", facts=[["可以"]])
    bench.draft(threshold=0.3)
    check = request(bench).check
    bench.work()
    assert bench.fresh(check).state == "published"


def test_what_is_published_is_what_was_checked(bench, golden):
    bench.draft(threshold=0.3)
    request(bench)
    bench.draft(threshold=0.9)
    bench.work()
    with tenant_tx(bench.tenant_id):
        version = Assistant.objects.get(id=bench.assistant.id).published
    assert AssistantConfig.of_version(version).threshold == 0.3


def test_asking_twice_checks_once_and_a_changed_draft_begins_again(bench, golden):
    bench.draft(threshold=0.3)
    first = request(bench).check
    assert request(bench).check.id == first.id
    bench.draft(threshold=0.32)
    second = request(bench).check
    assert second.id != first.id
    assert bench.fresh(first).state == "withdrawn"
    assert bench.fresh(first.run).state == "cancelled"
    bench.work()
    assert live(bench) == 2


def test_unchanged_draft_needs_no_check(bench, golden):
    assert request(bench).version.number == 2


def test_withdrawn_publication_changes_nothing(bench, golden):
    bench.draft(threshold=0.3)
    check = request(bench).check
    with tenant_tx(bench.tenant_id):
        gate.publication_withdraw(actor=bench.actor, check=check)
        with pytest.raises(Conflict):
            gate.publication_withdraw(actor=bench.actor, check=check)
    bench.work()
    assert live(bench) == 1
    with tenant_tx(bench.tenant_id):
        assert selectors.check_open(bench.assistant) is None


def test_check_that_could_not_be_made_blocks(bench, golden, monkeypatch):
    def broken(*_):
        raise Invalid("no")

    monkeypatch.setattr(asking, "climb", broken)
    bench.draft(threshold=0.3)
    check = request(bench).check
    bench.work()
    assert bench.fresh(check).state == "blocked"
    assert bench.fresh(check.run).state == "failed"
    assert live(bench) == 1


def test_stranger_cannot_find_the_check(bench, cast, golden):
    bench.draft(threshold=0.3)
    check = request(bench).check
    with tenant_tx(cast.other_tenant.id):
        with pytest.raises(NotFound):
            selectors.check_get(check.id)
        assert not PublicationCheck.objects.exists()
