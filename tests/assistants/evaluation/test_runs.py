"""A run asks each question once through the real ladder, and leaves no trace where visitors are counted."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from furrow.assistants import ladder
from furrow.assistants.evaluation import asking, nightly, runs, selectors
from furrow.assistants.evaluation.models import EvaluationRun
from furrow.assistants.models import ApprovedAnswer, Gap
from furrow.assistants.services import approved_answer_create
from furrow.conversations.models import Conversation, Turn
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.core.models import Job
from furrow.metering.models import UsageEvent

PRICE = {"facts": [["12元"]]}


def test_golden_set_is_asked_and_judged_with_reasons(bench):
    bench.add("到北京的运费多少", facts=[["12元", "12 yuan"]])
    bench.add("坏果要几张照片", facts=[["5张"]])
    bench.add("你们收比特币吗", expects="refusal")
    bench.add("转人工", expects="handover")
    run = bench.start()
    assert bench.fresh(run).state == "queued"
    bench.work()
    right, wrong, refused, handed = bench.results(run)
    assert [r.is_passed for r in (right, wrong, refused, handed)] == [True, False, True, True]
    assert right.rung == "quoted"
    assert right.citations
    assert right.duration_ms is not None
    failed = [check for check in wrong.checks if not check["is_ok"]]
    assert failed == [{"kind": "fact", "is_ok": False, "wanted": "5张", "found": ""}]
    summary = bench.fresh(run).summary["candidate"]
    assert (summary["asked"], summary["passed"], summary["failed"]) == (4, 3, 1)


def test_run_reaches_no_figure_of_the_visitors(bench):
    with tenant_tx(bench.tenant_id):
        approved_answer_create(
            actor=bench.actor, assistant=bench.assistant, question="几点营业", answer="八点"
        )
    bench.add("几点营业", rung="approved")
    bench.add("你们收比特币吗")
    bench.add("转人工", expects="handover")
    bench.start()
    bench.work()
    with tenant_tx(bench.tenant_id):
        assert not Conversation.objects.exists()
        assert not Turn.objects.exists()
        assert not Gap.objects.exists()
        assert ApprovedAnswer.objects.get().used_count == 0


def test_killed_worker_is_followed_by_one_that_goes_on(bench, monkeypatch):
    for n in range(4):
        bench.add(f"到北京的运费多少，第{n}次问", **PRICE)
    run = bench.start()
    asked: list[str] = []

    class Killed(BaseException):
        pass

    def dying(question, *rest):
        asked.append(question.text)
        if len(asked) == 3:
            raise Killed
        return ladder.climb(question, *rest)

    monkeypatch.setattr(asking, "climb", dying)
    with pytest.raises(Killed):
        jobs.run_next("ingest")
    assert sum(r.is_done for r in bench.results(run)) == 2
    with tenant_tx(bench.tenant_id):
        Job.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    jobs.sweep()
    bench.work()
    assert bench.fresh(run).state == "done"
    # The one that was under way when the worker died is asked again, no other.
    assert sorted(asked) == sorted([*set(asked), asked[2]])
    assert len(set(asked)) == 4


def test_worker_that_lost_its_lease_stores_nothing(bench, monkeypatch):
    bench.add("到北京的运费多少", **PRICE)
    bench.add("坏果要几张照片", facts=[["3张"]])
    run = bench.start()

    def slow(question, *rest):
        with tenant_tx(bench.tenant_id):
            Job.objects.filter(kind=runs.RUN_JOB).update(lease_token=None)
        return ladder.climb(question, *rest)

    monkeypatch.setattr(asking, "climb", slow)
    jobs.run_next("ingest")
    assert not any(r.is_done for r in bench.results(run))


def test_long_run_gives_way_between_slices(bench, monkeypatch):
    monkeypatch.setattr(asking, "SLICE_S", -1.0)
    bench.add("到北京的运费多少", **PRICE)
    bench.add("坏果要几张照片", facts=[["3张"]])
    run = bench.start()
    jobs.run_next("ingest")
    with tenant_tx(bench.tenant_id):
        assert Job.objects.get(kind=runs.RUN_JOB).state == "queued"
    monkeypatch.setattr(asking, "SLICE_S", 8.0)
    bench.work()
    assert bench.fresh(run).state == "done"


def test_cancelled_run_stops_and_keeps_what_it_has(bench, monkeypatch):
    for n in range(3):
        bench.add(f"到北京的运费多少{n}", **PRICE)
    run = bench.start()

    def then_cancel(question, *rest):
        answer = ladder.climb(question, *rest)
        if question.text.endswith("1"):
            with tenant_tx(bench.tenant_id):
                runs.run_cancel(run=bench.fresh(run))
        return answer

    monkeypatch.setattr(asking, "climb", then_cancel)
    bench.work()
    assert bench.fresh(run).state == "cancelled"
    assert [r.is_done for r in bench.results(run)] == [True, False, False]
    with tenant_tx(bench.tenant_id), pytest.raises(Conflict):
        runs.run_cancel(run=bench.fresh(run))


def test_run_given_up_is_marked_as_failed(bench, monkeypatch):
    bench.add("到北京的运费多少", **PRICE)
    bench.add("坏果要几张照片", facts=[["3张"]])
    run = bench.start()

    def broken(*_):
        raise ValueError("boom")

    monkeypatch.setattr(asking, "climb", broken)
    for _ in range(3):
        jobs.run_next("ingest")
        with tenant_tx(bench.tenant_id):
            # The database's clock decides; what else waits in the lane stays out of the way.
            Job.objects.filter(kind=runs.RUN_JOB, state="queued").update(run_after=Now())
    failed = bench.fresh(run)
    assert (failed.state, failed.error_code) == ("failed", "internal")


def test_two_sides_show_what_was_fixed_and_what_broke(bench):
    bench.add("到北京的运费多少", facts=[["12元"]])
    bench.add("你们收比特币吗", expects="refusal")
    with tenant_tx(bench.tenant_id):
        strict = runs.Subject.draft(bench.assistant).changed({"threshold": 1.0})
        usual = runs.Subject.draft(bench.assistant)
    run = bench.start("compare", candidate=strict, base=usual)
    bench.work()
    with tenant_tx(bench.tenant_id):
        changes = [pair.change for pair in selectors.run_pairs(run)]
    assert changes == ["broken", ""]
    done = bench.fresh(run)
    assert (done.summary["broken"], done.summary["fixed"]) == (1, 0)
    back = bench.start("compare", candidate=usual, base=strict)
    bench.work()
    assert bench.fresh(back).summary["fixed"] == 1


def test_questions_of_a_run_are_frozen(bench):
    row = bench.add("到北京的运费多少", facts=[["12元"]])
    run = bench.start()
    with tenant_tx(bench.tenant_id):
        row.delete()
    bench.work()
    (result,) = bench.results(run)
    assert result.is_passed
    assert result.golden_id is None


def test_earlier_questions_of_the_chat_are_given_along(bench):
    with tenant_tx(bench.tenant_id):
        row = bench.add("那到北京呢？", facts=[["12元"]])
        row.history = [{"question": "运费怎么算", "answer": "…", "rung": "quoted"}]
        row.save()
    run = bench.start()
    bench.work()
    assert bench.results(run)[0].is_passed


def test_empty_set_is_refused_in_words(bench):
    with pytest.raises(Invalid):
        bench.start()


def test_stranger_finds_no_run(bench, cast):
    bench.add("到北京的运费多少", **PRICE)
    run = bench.start()
    result = bench.results(run)[0]
    with tenant_tx(cast.other_tenant.id):
        for find, row in ((selectors.run_get, run), (selectors.result_get, result)):
            with pytest.raises(NotFound):
                find(row.id)
        assert not EvaluationRun.objects.exists()


def test_tokens_are_metered_for_the_evaluation_and_no_visitor(bench, settings, embedding_server):
    settings.EMBEDDINGS_LANGUAGES = ["*"]
    bench.add("到北京的运费多少", **PRICE)
    run = bench.start()
    bench.work()
    result = bench.results(run)[0]
    with tenant_tx(bench.tenant_id):
        events = list(UsageEvent.objects.filter(turn_id=str(result.id)))
    assert events
    assert {(e.channel, e.visitor_id, e.assistant_id) for e in events} == {
        ("evaluation", "", str(bench.assistant.id))
    }
    assert result.cost_amount == sum(e.charged for e in events)


def test_nightly_run_begins_once_a_night(bench):
    night = timezone.localtime().replace(hour=3)
    assert nightly.nightly_enqueue(night) == 0
    bench.add("到北京的运费多少", **PRICE)
    assert nightly.nightly_enqueue(night.replace(hour=1)) == 0
    assert nightly.nightly_enqueue(night) == 1
    assert nightly.nightly_enqueue(night) == 0
    bench.work()
    with tenant_tx(bench.tenant_id):
        (run,) = selectors.trend(bench.assistant)
    assert (run.version_number, run.summary["candidate"]["passed"]) == (1, 1)
    with tenant_tx(bench.tenant_id):
        EvaluationRun.objects.update(created_at=night - timedelta(days=1))
    assert nightly.nightly_enqueue(night) == 1
