"""What the owner sees of cleaning, and that a choice holds for the next upload."""

import pytest

from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk, Finding
from furrow.knowledge.selectors import findings_counts, findings_of
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
        return findings_decide(actor=SYSTEM, knowledge_base=shop.base, finding_ids=ids, state=state)


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


def test_contradiction_between_documents_is_found(shop):
    shop.add_text("价目一", "赣南脐橙礼盒的零售价是58元。")
    shop.run_jobs()
    shop.add_text("价目二", "赣南脐橙礼盒的零售价是68元。")
    shop.run_jobs()
    (finding,) = found(shop, kind="contradiction")
    assert finding.document.title == "价目二"
    assert "58元" in finding.reason["detail"]


def test_stranger_sees_and_decides_nothing(uploaded, cast):
    rows = found(uploaded)
    with tenant_tx(cast.other_tenant.id):
        assert list(findings_of(uploaded.base)) == []
        ids = [row.id for row in rows]
        assert (
            findings_decide(
                actor=SYSTEM, knowledge_base=uploaded.base, finding_ids=ids, state="removed"
            )
            == 0
        )
    assert {f.state for f in found(uploaded)} == {"removed", Finding.State.OPEN}
