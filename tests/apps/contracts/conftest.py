"""A law office with a contract, handed in and reviewed through the real jobs."""

import io

import docx
import pytest

from apps.contracts import selectors
from apps.contracts.demo import review_begin
from apps.contracts.services.contracts import contract_upload
from apps.contracts.services.playbooks import starters_ensure
from furrow.core import jobs
from furrow.core.context import tenant_context, tenant_tx
from furrow.tenants.services import SYSTEM
from tests.replay import made_once

NAME = "苹果买卖合同.docx"
SALE = """苹果买卖合同
甲方（卖方）：洛川县塬上果业有限公司
乙方（买方）：眉县青禾商贸有限公司
第一条 标的
甲方向乙方出售苹果一批，质量标准为一级果，规格80毫米以上。
第二条 价款
合同总价为人民币100,000元（大写：壹拾万元整）。乙方应支付定金人民币30,000元。
第三条 交货
甲方于2027年3月1日前将货物送至乙方仓库。乙方应在收货后2日内验收，逾期视为合格。
第四条 付款
乙方应在验收合格后45日内付清余款。乙方应预付合同总价的50%作为预付款。
第五条 违约责任
任何一方违约，应按合同总价的40%支付违约金。乙方放弃就本合同提起诉讼的权利。
第六条 争议解决
因本合同发生的争议，提交洛川县人民法院诉讼解决，也可以向西安仲裁委员会申请仲裁。
第七条 期限
本合同自2027年1月1日起至2027年12月31日止，期满前30日双方可书面协商续签。
甲方（盖章）：　　　　　　乙方（盖章）："""


def word_file(text: str = SALE) -> bytes:
    """Each line a paragraph, cut into runs as Word does it."""
    made = docx.Document()
    for line in text.split("\n"):
        paragraph = made.add_paragraph()
        for at in range(0, len(line), 7):
            run = paragraph.add_run(line[at : at + 7])
            run.bold = bool(at % 2)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def jobs_run() -> None:
    """As a worker does, until none is left."""
    with tenant_context(None):
        while jobs.run_next("ingest"):
            pass


def handed_in(tenant, data: bytes, name: str, **values):
    with tenant_tx(tenant.id):
        starters_ensure(actor=SYSTEM, language="zh")
        return contract_upload(actor=SYSTEM, file=io.BytesIO(data), file_name=name, **values)


def reviewed(tenant, contract, kind="sale"):
    """Started and run to its end; the run."""
    with tenant_tx(tenant.id):
        review_begin(contract, kind)
    jobs_run()
    with tenant_tx(tenant.id):
        return selectors.run_newest(contract)


@pytest.fixture
def scoped(cast):
    with tenant_tx(cast.tenant.id):
        yield cast.tenant


@pytest.fixture
def office(cast):
    """The contract and its review."""
    return made_once("contract, reviewed", lambda: _office_make(cast.tenant))


def _office_make(tenant):
    contract = handed_in(tenant, word_file(), NAME, side="second")
    return contract, reviewed(tenant, contract)


@pytest.fixture
def run(office):
    return office[1]


@pytest.fixture
def contract(request, cast):
    """Handed in only; the reviewed one where a test asks for the `run` too."""
    if "office" in request.fixturenames:
        return request.getfixturevalue("office")[0]
    return made_once("contract", lambda: handed_in(cast.tenant, word_file(), NAME, side="second"))
