"""The manifest: sample questions whose answers really stand in the files, answers, assistants."""

from typing import Any

import pytest

from furrow.ops.demo.manifest import QUESTIONS, TENANTS, DemoTenant, Question
from furrow.ops.demo.sources import FILES

SCANNED = ("price_sheet_scan.pdf", "harvest_notice.jpg")
in_scope = [
    pytest.param(tenant, question, id=f"{tenant}-{number}")
    for tenant, questions in QUESTIONS.items()
    for number, question in enumerate(questions)
    if question.is_in_scope
]
readable = [case for case in in_scope if case.values[1].file not in SCANNED]
scanned = [case for case in in_scope if case.values[1].file in SCANNED]
each_tenant = pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.slug)


@pytest.mark.parametrize(("tenant", "question"), readable)
def test_expected_answer_stands_in_the_named_file(
    tenant: str, question: Question, reader: Any
) -> None:
    path = FILES / tenant / question.file
    assert question.expected
    assert question.holds(reader.text(path))
    if path.suffix == ".pdf":
        pages = reader.pdf_pages(path)
        holding = tuple(n for n, page in enumerate(pages, start=1) if question.holds(page))
        assert question.pages == holding


@pytest.mark.slow
@pytest.mark.parametrize(("tenant", "question"), scanned)
def test_expected_answer_stands_in_the_scan(tenant: str, question: Question, reader: Any) -> None:
    pages = reader.recognised(FILES / tenant / question.file)
    assert all(question.holds(pages[number - 1]) for number in question.pages or (1,))


def test_holds_ignores_white_space_and_nothing_else() -> None:
    question = Question("zh", "?", "a.md", (), ("24小时内", "3 张"))
    assert question.holds("签收后24 小时\n内，发3张照片")
    assert not question.holds("签收后24小时内，发4张照片")
    assert not Question("en", "?", None, (), ()).holds("anything")


@each_tenant
def test_questions_cover_every_file_in_both_languages(tenant: DemoTenant) -> None:
    asked = [question for question in tenant.questions if question.is_in_scope]
    assert len(asked) >= 40
    assert {question.file for question in asked} == {file.name for file in tenant.files}
    assert min(sum(q.language == language for q in asked) for language in ("zh", "en")) >= 20
    texts = [question.text for question in tenant.questions]
    assert len(set(texts)) == len(texts)


@each_tenant
def test_out_of_scope_questions_expect_nothing(tenant: DemoTenant) -> None:
    outside = [question for question in tenant.questions if not question.is_in_scope]
    assert len(outside) == 15
    assert not any(question.expected or question.pages for question in outside)


@each_tenant
def test_approved_answers_exist_in_both_languages(tenant: DemoTenant) -> None:
    for language in ("zh", "en"):
        answers = [answer for answer in tenant.approved if answer.language == language]
        assert len(answers) >= 8
        assert all(answer.variants and answer.answer for answer in answers)
    assert not any("{{" in answer.answer for answer in tenant.approved)


@each_tenant
def test_manifest_names_only_what_it_defines(tenant: DemoTenant) -> None:
    bases = {base.slug for base in tenant.knowledge_bases}
    assert {file.knowledge_base for file in tenant.files} == bases
    assert all(bases.issuperset(assistant.knowledge_bases) for assistant in tenant.assistants)
    assert all(a.suggestions_zh and a.suggestions_en for a in tenant.assistants)
    assert all(file.path.is_file() for file in tenant.files)
