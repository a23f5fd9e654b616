"""A contract from the upload to its findings: read once, each finding once, decisions that stay."""

import io
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.contracts import selectors
from apps.contracts.demo import review_begin
from apps.contracts.jobs import READ
from apps.contracts.models import (
    Contract,
    ContractVersion,
    Decision,
    Finding,
    Obligation,
    ReviewRun,
)
from apps.contracts.reviewing import run as running
from apps.contracts.reviewing.failures import fault_message
from apps.contracts.reviewing.outcome import judged
from apps.contracts.reviewing.source import text_of
from apps.contracts.services.contracts import contract_delete, contract_restore, version_upload
from apps.contracts.services.reviews import finding_decide, run_cancel, run_start
from furrow.channels.models import WebhookDelivery
from furrow.channels.webhooks import endpoint_create
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.core.models import Job
from furrow.knowledge import failures
from furrow.tenants.services import SYSTEM
from tests.apps.contracts.conftest import SALE, handed_in, jobs_run, reviewed, word_file


def by_rule(run):
    return {one.finding.rule: one for one in judged(run)}


def test_findings_quote_the_text_character_by_character(run, cast):
    with tenant_tx(cast.tenant.id):
        source = text_of(run.version)
        rows = list(Finding.objects.filter(run=run, is_passed=False))
        assert {"deposit_limit", "court_and_arbitration", "rule:prepay_second"} <= {
            row.rule for row in rows
        }
        for row in rows:
            assert source.text[row.start : row.end] == row.quote
            if row.quote:
                place = source.place_of(row.start)
                assert (place.page, place.paragraph) == (row.page, row.paragraph)
        assert run.state == ReviewRun.State.DONE
        assert run.dropped == 0


def test_rule_brings_the_figure_to_its_limit(run, cast):
    with tenant_tx(cast.tenant.id):
        found = by_rule(run)
        assert found["rule:prepay_second"].suggestion == "乙方应预付合同总价的30%作为预付款。"
        assert found["rule:inspection_min"].suggestion == "乙方应在收货后3日内验收，逾期视为合格。"
        assert found["rule:force_majeure"].suggestion.startswith("因不可抗力不能履行的")


def test_rules_of_the_other_side_are_left_out(run, cast):
    """The buyer is advised: the seller's rules on payment within thirty days are not asked."""
    with tenant_tx(cast.tenant.id):
        assert "rule:payment_first" not in by_rule(run)


def test_passed_items_are_kept_too(run, cast):
    with tenant_tx(cast.tenant.id):
        passed = {one.finding.rule for one in judged(run, is_passed=True)}
        assert {"rule:quality", "rule:breach", "amount_words"} <= passed
        assert not passed & {one.finding.rule for one in judged(run)}


def test_contract_knows_kind_parties_and_days(run, cast):
    with tenant_tx(cast.tenant.id):
        contract = Contract.objects.get()
        assert (contract.kind, contract.side, contract.risk) == ("sale", "second", "high")
        names = [party["name"] for party in run.version.parties]
        assert names == ["洛川县塬上果业有限公司", "眉县青禾商贸有限公司"]
        days = {(row.what, row.due_on.isoformat()) for row in Obligation.objects.all()}
        assert days == {
            ("delivery", "2027-03-01"),
            ("beginning", "2027-01-01"),
            ("ending", "2027-12-31"),
            ("notice", "2027-12-01"),
        }


def test_decisions_stay_with_their_words(run, contract, cast):
    """Across a new review, and across a new version where the words are the same."""
    with tenant_tx(cast.tenant.id):
        found = by_rule(run)
        for rule, state in (("deposit_limit", "accepted"), ("rule:penalty", "rejected")):
            finding_decide(actor=SYSTEM, finding=found[rule].finding, state=state)
        edited = found["court_and_arbitration"].finding
        finding_decide(actor=SYSTEM, finding=edited, text="提交洛川县人民法院诉讼解决。")
        changed = SALE.replace("40%支付", "35%支付")
        version_upload(actor=SYSTEM, contract=contract, file=_file(changed), file_name="two.docx")
    again = reviewed(cast.tenant, contract)
    with tenant_tx(cast.tenant.id):
        found = by_rule(again)
        assert again.version.number == 2
        assert found["deposit_limit"].state == "accepted"
        assert found["court_and_arbitration"].suggestion == "提交洛川县人民法院诉讼解决。"
        # These words are others now.
        assert found["rule:penalty"].state == "open"


def test_open_findings_and_risk_follow_the_decisions(run, cast):
    with tenant_tx(cast.tenant.id):
        found = judged(run)
        assert Contract.objects.get().open_count == len(found)
        for one in found:
            finding_decide(actor=SYSTEM, finding=one.finding, state="rejected")
        row = Contract.objects.get()
        assert (row.open_count, row.risk) == (0, "")


def test_dead_worker_leaves_each_finding_once(cast, contract, monkeypatch):
    """Dies after its findings are kept but before the step is noted, and once more before the end."""
    deaths = iter([True, True])
    kept = running._Review._finish

    def dies(self):
        if next(deaths, False):
            # As after a kill: what was committed stays, the job is still leased.
            raise KeyboardInterrupt
        kept(self)

    monkeypatch.setattr(running._Review, "_finish", dies)
    with tenant_tx(cast.tenant.id):
        review_begin(contract, "sale")
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            jobs_run()
        with tenant_tx(cast.tenant.id):
            Job.objects.filter(kind="contracts.review").update(state="queued", lease_token=None)
            # The step's note is lost, its findings are not.
            ReviewRun.objects.update(stages={})
    jobs_run()
    with tenant_tx(cast.tenant.id):
        run = selectors.run_newest(contract)
        assert run.state == ReviewRun.State.DONE
        spans = list(Finding.objects.filter(run=run).values_list("rule", "start", "end"))
        assert len(spans) == len(set(spans)) > 20


def test_cancelled_review_stops_and_another_can_start(cast, contract):
    with tenant_tx(cast.tenant.id):
        version = selectors.version_newest(contract)
        run = run_start(actor=SYSTEM, version=version)
        with pytest.raises(Conflict):
            run_start(actor=SYSTEM, version=version)
        run_cancel(actor=SYSTEM, run=run)
        with pytest.raises(Conflict):
            run_cancel(actor=SYSTEM, run=run)
    jobs_run()
    with tenant_tx(cast.tenant.id):
        assert selectors.run_newest(contract).state == ReviewRun.State.CANCELLED
        assert not Finding.objects.exists()
        run_start(actor=SYSTEM, version=version)


def test_removed_contract_takes_no_review_and_is_read_when_it_comes_back(cast, contract):
    """Its reading was stopped; without a new one the page would wait for ever."""
    with tenant_tx(cast.tenant.id):
        version = selectors.version_newest(contract)
        contract_delete(actor=SYSTEM, contract=contract)
        with pytest.raises(NotFound):
            run_start(actor=SYSTEM, version=version)
    jobs_run()
    with tenant_tx(cast.tenant.id):
        assert selectors.version_newest(contract).state == "queued"
        contract_restore(actor=SYSTEM, contract=contract)
    jobs_run()
    with tenant_tx(cast.tenant.id):
        assert selectors.version_newest(contract).state == "ready"


def test_removal_locks_rows_in_the_order_of_the_worker(cast, contract):
    """Run, job, contract: the other way round both would wait for each other."""
    with tenant_tx(cast.tenant.id):
        run_start(actor=SYSTEM, version=selectors.version_newest(contract))
        with CaptureQueriesContext(connection) as queries:
            contract_delete(actor=SYSTEM, contract=contract)
    written = [q["sql"].split('"')[1] for q in queries if q["sql"].startswith("UPDATE")]
    assert written == ["contracts_reviewrun", "core_job", "core_job", "contracts_contract"]


def test_cancel_in_the_middle_keeps_what_was_found(cast, contract, monkeypatch):
    rules = running.rules_findings

    def cancels(batch, **options):
        with tenant_tx(cast.tenant.id):
            run_cancel(actor=SYSTEM, run=selectors.run_get(batch.run.id))
        rules(batch, **options)

    monkeypatch.setattr(running, "rules_findings", cancels)
    run = reviewed(cast.tenant, contract)
    with tenant_tx(cast.tenant.id):
        assert run.state == ReviewRun.State.CANCELLED
        assert {row.source for row in Finding.objects.all()} == {"check"}


def test_finished_review_is_told_by_webhook(cast, contract):
    with tenant_tx(cast.tenant.id):
        endpoint_create(actor=SYSTEM, url="https://office.example/", events=["run.finished"])
    run = reviewed(cast.tenant, contract)
    with tenant_tx(cast.tenant.id):
        message = json.loads(WebhookDelivery.objects.get().body)
        assert message["event"] == "run.finished"
        assert message["data"]["run_id"] == str(run.id)
        assert message["data"]["findings"]["high"] >= 2
        assert "定金" not in json.dumps(message, ensure_ascii=False)


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [(b"PK\x03\x04 broken", "broken.docx", "damaged"), (b"%PDF-1.7 nothing", "x.pdf", "damaged")],
)
def test_file_that_cannot_be_read_ends_in_a_sentence(cast, data, name, code):
    contract = handed_in(cast.tenant, data, name)
    jobs_run()
    with tenant_tx(cast.tenant.id):
        version = ContractVersion.objects.get()
        assert (version.state, version.error_code) == ("failed", code)
        with pytest.raises(Conflict):
            run_start(actor=SYSTEM, version=version)
        assert selectors.contract_get(contract.id).title == name.partition(".")[0]


def test_sentences_for_people_speak_of_the_contract():
    for code in [*failures.PARSING, *failures.MESSAGES]:
        for language in ("zh-hans", "en"):
            text = fault_message(code, language)
            assert "知识库" not in text
            assert "knowledge base" not in text


def test_file_of_another_kind_is_refused_at_the_door(cast):
    with pytest.raises(Invalid):
        handed_in(cast.tenant, b"MZ", "setup.exe")
    with tenant_tx(cast.tenant.id):
        assert not Contract.objects.exists()
        assert not Job.objects.filter(kind=READ).exists()


def test_decision_needs_what_it_says(run, cast):
    with tenant_tx(cast.tenant.id):
        finding = judged(run)[0].finding
        passed = judged(run, is_passed=True)[0].finding
        for values in ({"state": "gone"}, {"state": "edited"}, {"feedback": "perhaps"}):
            with pytest.raises(Invalid):
                finding_decide(actor=SYSTEM, finding=finding, **values)
        with pytest.raises(Invalid):
            finding_decide(actor=SYSTEM, finding=passed, state="accepted")
        finding_decide(actor=SYSTEM, finding=passed, feedback="wrong")
        assert Decision.objects.get().feedback == "wrong"


def _file(text):
    return io.BytesIO(word_file(text))
