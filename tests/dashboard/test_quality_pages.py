"""Golden questions, runs, comparisons and repairs through their pages."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from furrow.assistants.evaluation.golden import golden_create
from furrow.assistants.evaluation.models import (
    EvaluationResult,
    EvaluationRun,
    GoldenQuestion,
    PublicationCheck,
)
from furrow.assistants.evaluation.runs import Subject, run_create
from furrow.assistants.models import ApprovedAnswer, Assistant, Gap
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk, Document, PassageCorrection
from furrow.metering.prices import price_set
from furrow.tenants.services import Actor


@pytest.fixture(autouse=True)
def _words_only(settings):
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    settings.EMBEDDINGS_LANGUAGES = ["none"]


def work() -> None:
    for lane in ("chat", "ingest"):
        while jobs.run_next(lane):
            pass


def question(**changes):
    return {
        "question": "能开发票吗？",
        "expects": "answer",
        "facts": "发票 | invoice\n3天",
        "forbidden": "免费",
        "document_id": "",
        "page": "",
        "rung": "",
        "note": "",
        "is_enabled": "on",
        **changes,
    }


def newest(cast, model):
    with tenant_tx(cast.tenant.id):
        return model.objects.latest("created_at")


def test_question_is_written_changed_deleted_and_brought_back(owner, cast, shop, page):
    owner.post(page("golden_create", shop.assistant.id), question())
    made = newest(cast, GoldenQuestion)
    assert made.facts == [["发票", "invoice"], ["3天"]]
    owner.post(
        page("golden_update", made.id), question(document_id=str(shop.document.id), page="2")
    )
    owner.post(page("golden_delete", made.id))
    with tenant_tx(cast.tenant.id):
        assert not GoldenQuestion.objects.filter(question="能开发票吗？").exists()
    owner.post(page("golden_restore"))
    back = newest(cast, GoldenQuestion)
    assert (back.facts, back.forbidden, back.document_id, back.page) == (
        [["发票", "invoice"], ["3天"]], ["免费"], shop.document.id, 2,
    )  # fmt: skip
    assert owner.post(page("golden_restore")).status_code == 404


def test_question_that_cannot_be_judged_says_why(owner, shop, page):
    url = page("golden_create", shop.assistant.id)
    form = owner.post(url, question(expects="refusal")).context["form"]
    assert form.errors["expects"]
    assert owner.post(url, question(question="多久发货")).context["form"].errors["question"]


def test_table_is_imported_and_bad_lines_are_shown(owner, cast, shop, page):
    table = "question,facts,document\n怎么付款,微信,\n多久到,3天,没有\n"
    file = SimpleUploadedFile("set.csv", table.encode("gb18030"))
    shown = owner.post(page("golden_import", shop.assistant.id), {"file": file})
    assert [line for line, _ in shown.context["done"].problems] == [3]
    with tenant_tx(cast.tenant.id):
        assert GoldenQuestion.objects.filter(question="怎么付款").exists()
    exported = owner.get(page("golden_export", shop.assistant.id))
    assert "怎么付款" in exported.content.decode()
    assert "attachment" in exported["Content-Disposition"]


def test_answer_of_a_chat_is_taken_in_one_click(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        GoldenQuestion.objects.all().delete()
    response = owner.post(page("golden_from_turn", shop.turn.id))
    made = newest(cast, GoldenQuestion)
    assert response["Location"] == page("golden_update", made.id)
    assert (made.question, made.document_id, made.page) == ("多久发货？", shop.document.id, 1)
    owner.post(page("golden_from_turn", shop.turn.id))
    with tenant_tx(cast.tenant.id):
        assert GoldenQuestion.objects.count() == 1


def test_viewer_reads_and_changes_nothing(viewer, shop, page):
    for name in ("run", "quality"):
        args = [shop.run.id] if name == "run" else []
        shown = viewer.get(page(name, *args)).content.decode()
        assert page("run_cancel", shop.run.id) not in shown
        assert page("golden_delete", shop.golden.id) not in shown
    shown = viewer.get(page("repair", "turn", shop.turn.id)).content.decode()
    assert page("repair_run", "turn", shop.turn.id) not in shown


def test_publication_waits_for_the_golden_questions_and_is_blocked(owner, cast, shop, page):
    owner.cookies["django_language"] = "en"
    waiting = publication_waiting(owner, cast, shop, page)
    check = newest(cast, PublicationCheck)
    assert waiting["Location"] == page("run", check.run_id)
    _judged(cast, check.run_id, candidate=False, base=True)
    blocked = owner.get(page("run", check.run_id)).content.decode()
    assert "Not published: 1 answer that was right would be wrong" in blocked
    assert (
        "See what would break" in owner.get(page("assistant", shop.assistant.id)).content.decode()
    )
    url = page("publication_override", check.id)
    assert owner.post(url, {"override_reason": " "}).status_code == 422
    owner.post(url, {"override_reason": "new rule"})
    with tenant_tx(cast.tenant.id):
        assert Assistant.objects.get(id=shop.assistant.id).published.number == 2
    assert "new rule" in owner.get(page("run", check.run_id)).content.decode()


def publication_waiting(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        GoldenQuestion.objects.update(is_enabled=True)
        Assistant.objects.update(settings={"threshold": 0.9})
    return owner.post(page("publication", shop.assistant.id), {"note": "n"})


def _judged(cast, run_id, *, candidate, base) -> None:
    """As a worker would have left it."""
    from furrow.assistants.evaluation.asking import run_finish  # noqa: PLC0415

    with tenant_tx(cast.tenant.id):
        for side, is_passed in (("candidate", candidate), ("base", base)):
            EvaluationResult.objects.filter(run_id=run_id, side=side).update(
                is_done=True, is_passed=is_passed, rung="quoted", answer="…", duration_ms=3
            )
        fresh = EvaluationRun.objects.select_related("assistant").get(id=run_id)
        run_finish(fresh)


def test_publication_is_taken_back(owner, cast, shop, page):
    publication_waiting(owner, cast, shop, page)
    check = newest(cast, PublicationCheck)
    owner.post(page("publication_withdraw", check.id))
    assert newest(cast, PublicationCheck).state == "withdrawn"
    assert newest(cast, EvaluationRun).state == "cancelled"


def test_run_is_started_watched_and_stopped(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        GoldenQuestion.objects.update(is_enabled=True)
    owner.post(page("run_start", shop.assistant.id))
    run = newest(cast, EvaluationRun)
    assert 'hx-trigger="every 2s"' in owner.get(page("run", run.id)).content.decode()
    owner.post(page("run_cancel", run.id))
    assert newest(cast, EvaluationRun).state == "cancelled"
    assert "every 2s" not in owner.get(page("run", run.id)).content.decode()


def test_two_sides_are_compared_on_one_question_and_the_winner_is_published(
    owner, cast, shop, page
):
    with tenant_tx(cast.tenant.id):
        GoldenQuestion.objects.all().delete()
    url = page("comparison", shop.assistant.id)
    same = {"a": "1", "b": "1", "question": "几点营业"}
    assert owner.post(url, same).context["form"].non_field_errors()
    response = owner.post(url, {"a": "", "b": "1", "a_threshold": "0.2", "question": "几点营业"})
    run = newest(cast, EvaluationRun)
    assert response["Location"] == page("run", run.id)
    assert run.config["settings"]["threshold"] == 0.2
    work()
    shown = owner.get(page("run", run.id)).content.decode()
    assert shown.count("早上八点。") == 2
    owner.post(page("run_publication", run.id), {"side": "candidate"})
    with tenant_tx(cast.tenant.id):
        published = Assistant.objects.get(id=shop.assistant.id).published
    assert published.config["settings"]["threshold"] == 0.2


def test_two_models_are_compared(owner, cast, shop, page, settings):
    url = page("comparison", shop.assistant.id)
    assert "a_model" not in owner.get(url).context["form"].fields
    settings.CHAT_URL, settings.CHAT_MODEL = "http://127.0.0.1:9/v1", "own-chat"
    price_set(model="dear-chat", kind="out", per_million=Decimal(80), currency="CNY")
    offered = [name for name, _ in owner.get(url).context["form"].fields["b_model"].choices]
    assert offered == ["", "own-chat", "dear-chat", "-"]
    sides = {"a": "1", "b": "1", "a_model": "own-chat", "question": "几点营业"}
    refused = owner.post(url, {**sides, "b_model": "somebody-elses"})
    assert "b_model" in refused.context["form"].errors
    owner.post(url, {**sides, "b_model": "dear-chat"})
    run = newest(cast, EvaluationRun)
    written = [config["settings"]["composed"] for config in (run.config, run.base_config)]
    assert [(side["enabled"], side["model"]) for side in written] == [
        (True, "own-chat"),
        (True, "dear-chat"),
    ]
    assert {side["max_tokens"] for side in written} == {600}
    work()
    owner.cookies["django_language"] = "en"
    page_text = owner.get(page("run", run.id)).content.decode()
    assert "own-chat" in page_text
    assert "dear-chat" in page_text


def test_trend_shows_each_night_as_picture_and_table(owner, cast, shop, page):
    owner.cookies["django_language"] = "en"
    with tenant_tx(cast.tenant.id):
        GoldenQuestion.objects.update(is_enabled=True)
        for days, passed in ((2, 1), (1, 0)):
            run = run_create(
                assistant=shop.assistant, kind="nightly", candidate=Subject.draft(shop.assistant)
            )
            summary = {"candidate": {"asked": 1, "passed": passed, "failed": 1 - passed}}
            EvaluationRun.objects.filter(id=run.id).update(
                created_at=timezone.now() - timedelta(days=days), state="done",
                summary={**summary, "broken": 0, "fixed": 0},
            )  # fmt: skip
    shown = owner.get(page("quality"))
    chart = shown.context["chart"]
    assert [row.text for row in chart.rows] == ["100 % (1/1)", "0 % (0/1)"]
    assert chart.dots[0].y < chart.dots[1].y
    assert 'role="img"' in shown.content.decode()


def test_list_costs_the_same_for_many_questions(
    owner, cast, shop, page, django_assert_max_num_queries
):
    with tenant_tx(cast.tenant.id):
        for n in range(12):
            golden_create(
                actor=Actor.user(cast.owner), assistant=shop.assistant, question=f"第{n}问",
                document_id=shop.document.id,
            )  # fmt: skip
    with django_assert_max_num_queries(21):
        shown = owner.get(page("quality")).content.decode()
    assert shown.count("第1") >= 3


# Repair


def indexed(cast, shop) -> Chunk:
    """The pages' document as the search finds it."""
    from furrow.knowledge import indexing  # noqa: PLC0415

    with tenant_tx(cast.tenant.id):
        indexing.chunks_index(shop.base.id, shop.chunks)
        return Chunk.objects.get(id=shop.chunks[0].id)


def test_repair_shows_what_was_found_and_why_it_was_not_used(owner, cast, shop, page):
    owner.cookies["django_language"] = "en"
    indexed(cast, shop)
    with tenant_tx(cast.tenant.id):
        Assistant.objects.update(settings={"threshold": 1.0})
    shown = owner.get(page("repair", "turn", shop.turn.id))
    seen = shown.context["evidence"].seen
    assert seen[0].hit.chunk_id == shop.chunks[0].id
    assert seen[0].hit.ranks["lexical"] == 1
    assert seen[0].fate == "unsure"
    assert "Found, but not sure enough to be quoted." in shown.content.decode()


def test_question_is_asked_again_beside_the_old_answer(owner, cast, shop, page):
    url = page("repair", "turn", shop.turn.id)
    assert owner.get(url).context["again"] is None
    owner.post(page("repair_run", "turn", shop.turn.id))
    waiting = owner.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "every 1s" in waiting
    work()
    again = owner.get(url).context["again"]
    assert again.is_done
    assert again.question == "多久发货？"


def test_question_becomes_a_wording_of_an_answer_that_exists(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        answer = shop.assistant.approved_answers.create(question="几天发货呀？", answer="当天。")
        Gap.objects.filter(id=shop.gap.id).update(question="多久发货？", folded="多久发货")
    assert answer in owner.get(page("repair", "turn", shop.turn.id)).context["near"]
    owner.post(page("repair_wording", "turn", shop.turn.id), {"answer": str(answer.id)})
    with tenant_tx(cast.tenant.id):
        answer.refresh_from_db()
        assert Gap.objects.get(id=shop.gap.id).state == "answered"
    assert answer.variants == ["多久发货？"]
    owner.post(page("repair_run", "turn", shop.turn.id))
    work()
    again = owner.get(page("repair", "turn", shop.turn.id))
    assert again.context["again"].answer == "当天。"
    assert answer not in again.context["near"]


def test_approved_answer_closes_the_gap_and_is_given_next_time(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        Gap.objects.filter(id=shop.gap.id).update(question="多久发货？", folded="多久发货")
    owner.post(page("repair_answer", "turn", shop.turn.id), {"answer": "当天。"})
    with tenant_tx(cast.tenant.id):
        assert Gap.objects.get(id=shop.gap.id).state == "answered"
    owner.post(page("repair_run", "turn", shop.turn.id))
    work()
    again = owner.get(page("repair", "turn", shop.turn.id)).context["again"]
    assert (again.rung, again.answer) == ("approved", "当天。")


@pytest.mark.slow
def test_pinned_passage_answers_with_its_source_until_the_document_changes(owner, cast, shop, page):
    chunk = indexed(cast, shop)
    owner.post(page("repair_pin", "turn", shop.turn.id), {"chunk": str(chunk.id)})
    owner.post(page("repair_run", "turn", shop.turn.id))
    work()
    again = owner.get(page("repair", "turn", shop.turn.id)).context["again"]
    assert again.rung == "approved"
    assert again.citations[0]["quote"] == chunk.text.strip()
    with tenant_tx(cast.tenant.id):
        version = Document.objects.get(id=shop.document.id).live_version
        assert version.text[again.citations[0]["start"] : again.citations[0]["end"]] in chunk.text
        version.text = version.text.replace("16:00", "15:00")
        version.save()
    owner.post(page("repair_run", "turn", shop.turn.id))
    work()
    again = owner.get(page("repair", "turn", shop.turn.id)).context["again"]
    assert again.rung != "approved"
    assert "pin_outdated" in [step["reason"] for step in again.trace]
    with tenant_tx(cast.tenant.id):
        Document.objects.get(id=shop.document.id).delete()
        assert not ApprovedAnswer.objects.filter(answer=chunk.text.strip()).exists()


def test_corrected_passage_takes_the_place_of_the_wrong_one(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        PassageCorrection.objects.all().delete()
    chunk = indexed(cast, shop)
    data = {"chunk": str(chunk.id), "text": "现货订单18:00前付款当天发货。"}
    owner.post(page("repair_passage", "turn", shop.turn.id), data)
    work()
    with tenant_tx(cast.tenant.id):
        assert not Chunk.objects.get(id=chunk.id).is_enabled
        row = PassageCorrection.objects.select_related("replacement__live_version").get()
        assert "18:00" in row.replacement.live_version.text
    seen = owner.get(page("repair", "turn", shop.turn.id)).context["evidence"].seen
    assert "18:00" in seen[0].hit.text
    owner.post(page("correction_remove", row.id))
    with tenant_tx(cast.tenant.id):
        assert Chunk.objects.get(id=chunk.id).is_enabled
        assert Document.objects.get(id=row.replacement_id).deleted_at is not None


def test_document_shows_a_correction_whose_source_changed(owner, cast, shop, page):
    owner.cookies["django_language"] = "en"
    url = page("document", shop.document.id)
    assert "The file changed here since you corrected it" in owner.get(url).content.decode()
    owner.post(page("correction_keep", shop.correction.id))
    assert "The file changed here" not in owner.get(url).content.decode()


def test_dates_of_a_document_are_set_from_the_repair_page(owner, cast, shop, page):
    url = page("repair_date", "turn", shop.turn.id)
    data = {"document": str(shop.document.id), "valid_from": "2026-01-02", "valid_to": ""}
    owner.post(url, data)
    with tenant_tx(cast.tenant.id):
        assert str(Document.objects.get(id=shop.document.id).valid_from) == "2026-01-02"
    wrong = {**data, "valid_to": "2025-01-01"}
    assert owner.post(url, wrong).status_code == 422


def test_failed_golden_question_is_repaired_from_its_run(owner, cast, shop, page):
    _judged(cast, shop.run.id, candidate=False, base=False)
    with tenant_tx(cast.tenant.id):
        result = EvaluationResult.objects.filter(run=shop.run, side="candidate").get()
        ApprovedAnswer.objects.all().delete()
    url = page("repair", "result", result.id)
    assert owner.get(url).status_code == 200
    owner.post(page("repair_answer", "result", result.id), {"answer": "当天发货"})
    owner.post(page("repair_run", "result", result.id))
    work()
    again = owner.get(url).context["again"]
    # The golden question also wants a document cited, which an approved answer does not do.
    assert [check["kind"] for check in again.checks if not check["is_ok"]] == ["document"]


def test_bad_answer_goes_to_the_golden_set_as_what_it_should_be(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        GoldenQuestion.objects.all().delete()
    owner.post(page("repair_golden", "turn", shop.turn.id), {"expects": "refusal"})
    assert newest(cast, GoldenQuestion).expects == "refusal"


def test_unknown_case_is_not_found(owner, shop, page):
    assert owner.get(page("repair", "magic", shop.turn.id)).status_code == 404
    assert owner.get(page("repair", "result", shop.turn.id)).status_code == 404
