"""A contract and a playbook in one language, for the browser's walk over all pages."""

import io
from typing import Any

from apps.contracts import selectors
from apps.contracts.demo import review_begin
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.services.contracts import contract_upload
from apps.contracts.services.inquiries import inquiry_ask
from apps.contracts.services.playbooks import playbook_create, starters_ensure
from furrow.tenants.services import SYSTEM

WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "title": "苹果买卖合同", "name": "本所买卖清单", "rule": "账期最多三十日", "words": "付清", "note": "账期越长风险越大。", "question": "货款何时付清？",
        "text": "苹果买卖合同\n甲方（卖方）：塬上果业有限公司\n乙方（买方）：青禾商贸有限公司\n第一条 价款\n总价100,000元，定金30,000元。"
                "\n第二条 付款\n乙方应在2027年3月1日前付清货款，逾期按合同总价的40%支付违约金。",
    },
    "en": {
        "title": "Supply of apples", "name": "Sales of the house", "rule": "Paid within thirty days", "words": "pay", "note": "The longer the term, the greater the risk.", "question": "When is the price due?",
        "text": "SUPPLY AGREEMENT\n1. Price\nThe price is USD 10,000.\n2. Payment\nThe Buyer shall pay within 90 days of receipt."
                "\n3. Delivery\nThe goods are delivered on March 1, 2027.",
    },
}  # fmt: skip


def seed(code: str) -> dict[str, Any]:
    """Inside `tenant_tx`; gives the parameters of the contract routes. A worker makes the review."""
    words = WORDS[code]
    starters_ensure(actor=SYSTEM, language=code)
    rule = RuleSpec(
        "term",
        "threshold",
        "high",
        {code: words["rule"]},
        note={code: words["note"]},
        terms={"words": [words["words"]], "unit": "days", "max": "30"},
    )
    playbook = playbook_create(actor=SYSTEM, name=words["name"], kind="sale", rules=[rule])
    contract = contract_upload(
        actor=SYSTEM,
        file=io.BytesIO(words["text"].encode()),
        file_name="contract.txt",
        title=words["title"],
        side="first",
    )
    review_begin(contract, "sale")
    version = selectors.version_newest(contract)
    question = inquiry_ask(actor=SYSTEM, text=words["question"])
    return {
        "contract_id": version.contract_id,
        "playbook_id": playbook.id,
        "inquiry_id": question.id,
        "key": "term",
    }
