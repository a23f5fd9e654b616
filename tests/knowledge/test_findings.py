"""What the owner sees of cleaning, and that a choice holds for the next upload."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from furrow.core.context import tenant_tx
from furrow.knowledge.disagreements import DisagreementsHandler
from furrow.knowledge.models import Chunk, Document, DocumentVersion, Finding
from furrow.knowledge.selectors import findings_counts, findings_of
from furrow.knowledge.services import findings
from furrow.knowledge.services.documents import document_delete, document_update
from furrow.knowledge.services.findings import findings_decide
from furrow.tenants.services import SYSTEM

PAGE = """# 发货

我们每天下午三点前把订单交给快递站，周日休息。

首页 | 关于我们 | 产品中心 | 联系我们

退货地址：____________________，请先联系客服。
"""


@pytest.fixture
def uploaded(shop):
    shop.upload(PAGE, "page.md")
    shop.run_jobs()
    return shop


def found(shop, **wanted):
    with tenant_tx(shop.tenant_id):
        return list(findings_of(shop.base, **wanted))


def decide(shop, findings, state):
    with tenant_tx(shop.tenant_id):
        ids = [finding.id for finding in findings]
        done = findings_decide(actor=SYSTEM, knowledge_base=shop.base, finding_ids=ids, state=state)
        return done.count


def passages(shop):
    with tenant_tx(shop.tenant_id):
        rows = Chunk.objects.filter(version__state="live", is_enabled=True)
        return "\n".join(rows.order_by("ordinal").values_list("text", flat=True))


def test_findings_say_what_is_left_out_and_what_is_to_decide(uploaded):
    kinds = {(finding.kind, finding.state) for finding in found(uploaded)}
    assert kinds == {("boilerplate", "removed"), ("placeholder", "open")}
    with tenant_tx(uploaded.tenant_id):
        assert findings_counts(uploaded.base)["open"] == {"placeholder": 1}


def test_words_left_out_are_not_searched_and_come_back(uploaded):
    assert "退货地址" in passages(uploaded)
    assert decide(uploaded, found(uploaded, kind="placeholder"), "removed") == 1
    uploaded.run_jobs()
    assert "退货地址" not in passages(uploaded)
    assert "快递站" in passages(uploaded)
    assert uploaded.found("退货地址 先联系客服") == [] or "退货地址" not in passages(uploaded)
    decide(uploaded, found(uploaded, kind="placeholder"), "open")
    uploaded.run_jobs()
    assert "退货地址" in passages(uploaded)


def test_kept_words_are_searched(uploaded):
    assert "产品中心" not in passages(uploaded) or found(uploaded, kind="boilerplate")
    decide(uploaded, found(uploaded, kind="boilerplate"), "kept")
    uploaded.run_jobs()
    assert "产品中心" in passages(uploaded)
    assert [finding.state for finding in found(uploaded, kind="boilerplate")] == ["kept"]


def test_choice_is_remembered_for_the_next_upload(uploaded):
    decide(uploaded, found(uploaded, kind="placeholder"), "removed")
    uploaded.run_jobs()
    uploaded.upload(PAGE.replace("周日休息", "周日也发货"), "page.md")
    uploaded.run_jobs()
    assert "周日也发货" in passages(uploaded)
    assert "退货地址" not in passages(uploaded)
    uploaded.upload("另一份说明。\n\n退货地址：____________________，请先联系客服。\n", "other.md")
    uploaded.run_jobs()
    assert [f.state for f in found(uploaded, kind="placeholder")] == ["removed", "removed"]


@pytest.fixture
def disputed(shop):
    """Two price lists of one day, each with its price of the same thing."""
    for title, price in (("价目一", "58元"), ("价目二", "68元")):
        shop.add_text(title, f"下午三点前的订单当天发货。\n\n赣南脐橙礼盒的零售价是{price}。")
    shop.run_jobs()
    return shop


def disputes(shop):
    return {row.document.title: row for row in found(shop, kind="contradiction")}


def test_both_documents_that_disagree_are_told(disputed):
    rows = disputes(disputed)
    assert set(rows) == {"价目一", "价目二"}
    (other,) = rows["价目一"].reason["others"]
    assert (rows["价目一"].reason["said"], other["said"], other["title"]) == (
        "58元",
        "68元",
        "价目二",
    )
    with tenant_tx(disputed.tenant_id):
        text = DocumentVersion.objects.get(document_id=other["document"], state="live").text
    assert "68元" in text[other["start"] : other["end"]]


@pytest.mark.slow
def test_dispute_ends_when_a_document_is_put_right_or_goes(disputed):
    disputed.add_text("价目三", "赣南脐橙礼盒的零售价是78元。", external_id="three")
    disputed.run_jobs()
    assert len(disputes(disputed)["价目一"].reason["others"]) == 2
    disputed.add_text("价目三", "赣南脐橙礼盒的零售价是58元。", external_id="three")
    disputed.run_jobs()
    assert set(disputes(disputed)) == {"价目一", "价目二", "价目三"}
    with tenant_tx(disputed.tenant_id):
        document_delete(actor=SYSTEM, document=disputes(disputed)["价目二"].document)
    disputed.run_jobs()
    assert disputes(disputed) == {}


@pytest.mark.slow
def test_words_left_out_contradict_nobody_and_can_come_back(disputed):
    decide(disputed, [disputes(disputed)["价目二"]], "removed")
    disputed.run_jobs()
    assert {title: row.state for title, row in disputes(disputed).items()} == {"价目二": "removed"}
    assert "68元" not in passages(disputed)
    decide(disputed, [disputes(disputed)["价目二"]], "open")
    disputed.run_jobs()
    assert {row.state for row in disputes(disputed).values()} == {"open"}
    assert len(disputes(disputed)) == 2


def test_lists_of_different_times_do_not_disagree(disputed, monkeypatch):
    one, two = (row.document for _, row in sorted(disputes(disputed).items()))
    today = timezone.localdate()
    with tenant_tx(disputed.tenant_id):
        document_update(actor=SYSTEM, document=one, valid_to=today)
    disputed.run_jobs()
    assert len(disputes(disputed)) == 2
    # Tomorrow the first has expired: nothing is in dispute any more, without any job.
    monkeypatch.setattr(timezone, "localdate", lambda *_: today + timedelta(days=1))
    assert disputes(disputed) == {}
    monkeypatch.undo()
    with tenant_tx(disputed.tenant_id):
        document_update(actor=SYSTEM, document=two, valid_from=today + timedelta(days=1))
    disputed.run_jobs()
    assert disputes(disputed) == {}


def test_settling_and_its_undo_reach_every_place(disputed, monkeypatch):
    monkeypatch.setattr(findings, "MAX_AT_ONCE", 1)
    with tenant_tx(disputed.tenant_id):
        right = disputes(disputed)["价目一"].document_id
        done = findings.disputes_settle(
            actor=SYSTEM, knowledge_base=disputed.base, document_id=right
        )
    disputed.run_jobs()
    assert "68元" not in passages(disputed)
    with tenant_tx(disputed.tenant_id):
        findings.findings_restore(actor=SYSTEM, knowledge_base=disputed.base, before=done.before)
    disputed.run_jobs()
    assert {row.state for row in disputes(disputed).values()} == {"open"}
    assert len(disputes(disputed)) == 2


def test_words_of_the_right_document_are_not_left_out_with_the_others(shop):
    """Both lists state both prices: settling for the one keeps its words, wherever else they stand."""
    for title in ("价目一", "价目二"):
        shop.add_text(title, "脐橙礼盒的零售价是58元。\n\n脐橙礼盒的零售价是68元。")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        right = disputes(shop)["价目一"].document_id
        findings.disputes_settle(actor=SYSTEM, knowledge_base=shop.base, document_id=right)
    assert {row.state for row in found(shop, kind="contradiction")} == {"kept"}


def test_change_that_began_before_the_comparison_is_not_missed(disputed):
    """It is committed while the job runs, and asked for this very job."""
    document = disputes(disputed)["价目二"].document
    renewed = []

    class Job:
        tenant_id, subject_id = disputed.tenant_id, disputed.base.id

        def renew(self):
            if not renewed:
                with tenant_tx(self.tenant_id):
                    Document.objects.filter(id=document.id).update(valid_to=date(2020, 1, 1))
            renewed.append(True)

    DisagreementsHandler().run(Job())
    assert disputes(disputed) == {}
    assert len(renewed) == 2


def test_stranger_sees_and_decides_nothing(uploaded, cast):
    rows = found(uploaded)
    with tenant_tx(cast.other_tenant.id):
        assert list(findings_of(uploaded.base)) == []
        ids = [row.id for row in rows]
        done = findings_decide(
            actor=SYSTEM, knowledge_base=uploaded.base, finding_ids=ids, state="removed"
        )
        assert done.count == 0
    assert {f.state for f in found(uploaded)} == {"removed", Finding.State.OPEN}
