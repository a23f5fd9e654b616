"""Golden questions: written, taken from an answer, imported; each refused with a reason where it cannot be judged."""

import pytest

from furrow.assistants.evaluation import golden, importing, selectors
from furrow.assistants.evaluation.judging import Said
from furrow.assistants.models import GoldenQuestion
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, LimitReached, NotFound
from furrow.knowledge.models import Document
from furrow.tenants.models import AuditEntry


@pytest.fixture
def document(bench):
    with tenant_tx(bench.tenant_id):
        return Document.objects.get(title="运费与售后")


def test_question_is_kept_once_however_it_is_written(bench):
    bench.add("运费多少？", facts=[["12元"]])
    with pytest.raises(Conflict):
        bench.add("運費多少")


@pytest.mark.parametrize(
    "expected",
    [
        {"facts": [["？！"]]},
        {"facts": [["x" * 201]]},
        {"facts": [["a"]] * 21},
        {"forbidden": ["…"]},
        {"expects": "magic"},
        {"rung": "../etc"},
        {"expects": "refusal", "facts": [["12元"]]},
        {"expects": "handover", "rung": "quoted"},
    ],
)
def test_expectation_that_cannot_be_judged_is_refused(bench, expected):
    with pytest.raises(Invalid):
        bench.add("运费多少", **expected)


def test_document_of_another_tenant_is_refused(bench, cast, document):
    with tenant_tx(cast.other_tenant.id), pytest.raises(Invalid):
        golden.golden_create(
            actor=bench.actor, assistant=bench.assistant, question="x", document_id=document.id
        )


def test_good_answer_is_expected_again(bench, document):
    said = Said("quoted", "12元", [{"document_id": str(document.id), "page": None}])
    with tenant_tx(bench.tenant_id):
        row = golden.golden_take(
            actor=bench.actor, assistant=bench.assistant, question="运费多少", said=said
        )
        again = golden.golden_take(
            actor=bench.actor, assistant=bench.assistant, question="运费多少？", said=said
        )
    assert (row.expects, row.document_id, row.origin) == ("answer", document.id, "chat")
    assert again.id == row.id


def test_bad_answer_is_taken_as_what_it_should_have_been(bench):
    unknown = Said("human", "sorry", is_gap=True)
    with tenant_tx(bench.tenant_id):
        row = golden.golden_take(
            actor=bench.actor,
            assistant=bench.assistant,
            question="q",
            said=unknown,
            expects="answer",
        )
        right = golden.golden_take(
            actor=bench.actor, assistant=bench.assistant, question="r", said=unknown
        )
    assert (row.expects, right.expects) == ("answer", "refusal")


def test_set_has_an_end(bench, monkeypatch):
    monkeypatch.setattr(golden, "MAX_QUESTIONS", 1)
    bench.add("a")
    with pytest.raises(LimitReached):
        bench.add("b")


TABLE = """问题,期望,要点,不得出现,文档,页码
到北京的运费多少,,12元|12 yuan; 2元,免费,运费与售后,
你们收比特币吗,不知道,,,,
坏果要几张照片,,3张,,没有这份文件,
,,3张,,,
到北京的运费多少？,,12元,,,
"""


def read(bench, data: bytes):
    with tenant_tx(bench.tenant_id):
        return importing.golden_import(actor=bench.actor, assistant=bench.assistant, data=data)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_table_keeps_its_good_lines_and_names_the_bad_ones(bench, document, encoding):
    done = read(bench, TABLE.encode(encoding))
    assert (done.created, done.known) == (2, 1)
    assert [line for line, _ in done.problems] == [4, 5]
    assert "没有这份文件" in done.problems[0][1]
    with tenant_tx(bench.tenant_id):
        first, second = selectors.golden_list(bench.assistant)
    assert first.facts == [["12元", "12 yuan"], ["2元"]]
    assert first.forbidden == ["免费"]
    assert (first.document_id, second.expects) == (document.id, "refusal")


def test_exported_table_can_be_read_again(bench, document):
    bench.add("=1+1 多少", facts=[["2", "二个"], ["3"]], document_id=document.id)
    with tenant_tx(bench.tenant_id):
        text = importing.golden_csv(selectors.golden_list(bench.assistant))
        GoldenQuestion.objects.all().delete()
    assert "\n'=1+1" in text.replace("\r", "")
    assert read(bench, text.encode()).created == 1
    with tenant_tx(bench.tenant_id):
        row = GoldenQuestion.objects.get()
    assert (row.question, row.facts) == ("=1+1 多少", [["2", "二个"], ["3"]])


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02\xff", b"a,b\n1,2\n", "名字\nx\n".encode()])
def test_file_that_is_no_table_is_refused_in_words(bench, data):
    with pytest.raises(Invalid):
        read(bench, data)


def test_changes_are_audited_without_contents(bench):
    row = bench.add("secret question", facts=[["secret"]])
    with tenant_tx(bench.tenant_id):
        golden.golden_update(actor=bench.actor, golden=row, note="n", is_enabled=False)
        golden.golden_delete(actor=bench.actor, golden=row)
        entries = AuditEntry.objects.filter(object_type="golden_question")
        assert [e.action.split(".")[1] for e in entries.order_by("created_at")] == [
            "created", "updated", "deleted",
        ]  # fmt: skip
        assert "secret" not in str([e.data for e in entries])


def test_stranger_cannot_find_a_question(bench, cast):
    row = bench.add("q")
    with tenant_tx(cast.other_tenant.id), pytest.raises(NotFound):
        selectors.golden_get(row.id)
