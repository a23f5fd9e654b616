"""Near-identical questions share a line of the gaps list; one answer or dismissal is for the whole line."""

from datetime import timedelta

import pytest
from django.utils import timezone

from furrow.assistants import selectors, services
from furrow.assistants.evaluation.gaps import gaps_ask
from furrow.assistants.models import Gap
from furrow.assistants.services import approved_answer_create, assistant_create
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.tenants.services import Actor

SAME = [
    ("可以寄到新疆吗", "新疆能寄吗"),
    ("能开发票吗", "发票怎么开"),
    ("退货运费谁出", "退货的运费由谁承担"),
    ("do you have gift cards", "gift card available?"),
]
APART = [
    ("可以寄到新疆吗", "可以寄到西藏吗"),
    ("May I bring a dog?", "May I bring a cat?"),
    ("押金什么时候退", "定金什么时候退"),
    ("运费多少钱", "运费多久退"),
    ("5公斤装有货吗", "10公斤装有货吗"),
    ("红富士苹果怎么保存", "猕猴桃怎么保存"),
]


@pytest.fixture
def actor(cast):
    return Actor.user(cast.owner)


@pytest.fixture
def assistant(cast, actor):
    with tenant_tx(cast.tenant.id):
        yield assistant_create(actor=actor, name="小青")


def record(assistant, *questions):
    return [services.gap_record(assistant=assistant, question=text) for text in questions]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_other_wording_joins_the_line(assistant, first, second):
    head, other = record(assistant, first, second)
    assert other.head_id == head.id


@pytest.mark.parametrize(("first", "second"), APART)
def test_another_question_gets_its_own_line(assistant, first, second):
    assert record(assistant, first, second)[1].head_id is None


def test_lines_are_ranked_by_how_often_and_how_recently(assistant, django_assert_num_queries):
    record(assistant, "可以寄到新疆吗", "新疆能寄吗", "新疆能寄吗", "能开发票吗")
    stale = record(assistant, *["有没有榴莲"] * 5)[0]
    Gap.objects.filter(id=stale.id).update(last_asked_at=timezone.now() - timedelta(days=60))
    with django_assert_num_queries(2):
        lines = list(selectors.gap_clusters(assistant))
        wordings = selectors.gap_wordings(lines)
    assert [(gap.question, gap.wordings, gap.asked) for gap in lines] == [
        ("可以寄到新疆吗", 2, 3),
        ("能开发票吗", 1, 1),
        ("有没有榴莲", 1, 5),
    ]
    assert [gap.question for gap in wordings[lines[0].id]] == ["新疆能寄吗"]


def test_answer_closes_the_line_and_knows_its_wordings(assistant, actor):
    head, other = record(assistant, "可以寄到新疆吗", "新疆能寄吗")
    approved = services.gap_answer(actor=actor, gap=head, answer="暂时不能。")
    assert approved.variants == ["新疆能寄吗"]
    assert not list(selectors.gap_clusters(assistant))
    other.refresh_from_db()
    assert (other.state, other.approved_answer_id) == ("answered", approved.id)


def test_wordings_left_out_stay_open_as_a_line_of_their_own(assistant, actor):
    head, same, else_, more = record(
        assistant, "能开发票吗", "发票怎么开", "开发票吗", "发票能开吗"
    )
    services.gap_answer(actor=actor, gap=head, answer="能。", only=[same.id])
    (line,) = selectors.gap_clusters(assistant)
    assert (line.id, line.wordings) == (else_.id, 2)
    more.refresh_from_db()
    assert more.head_id == else_.id


def test_dismissal_and_its_undo_are_for_the_line(assistant, actor):
    head, other = record(assistant, "可以寄到新疆吗", "新疆能寄吗")
    services.gap_dismiss(actor=actor, gap=head)
    assert not list(selectors.gap_clusters(assistant))
    services.gap_reopen(actor=actor, gap=head)
    assert [gap.wordings for gap in selectors.gap_clusters(assistant)] == [2]
    other.refresh_from_db()
    assert other.state == "open"


def test_wording_asked_again_after_the_answer_opens_alone(assistant, actor):
    head, _ = record(assistant, "可以寄到新疆吗", "新疆能寄吗")
    services.gap_answer(actor=actor, gap=head, answer="不能。")
    record(assistant, "新疆能寄吗")
    (line,) = selectors.gap_clusters(assistant)
    assert (line.question, line.wordings) == ("新疆能寄吗", 1)


def test_lines_of_another_assistant_are_not_mixed_in(assistant, actor):
    other = assistant_create(actor=actor, name="other")
    record(other, "可以寄到新疆吗")
    assert record(assistant, "新疆能寄吗")[0].head_id is None
    assert len(selectors.gap_clusters(assistant)) == 1
    assert len(selectors.gap_clusters()) == 2


def test_gaps_that_are_answered_now_leave_the_list(cast, actor, settings):
    settings.EMBEDDINGS_LANGUAGES = ["none"]
    with tenant_tx(cast.tenant.id):
        made = assistant_create(actor=actor, name="小青")
        gaps = record(made, "可以寄到新疆吗", "有没有榴莲")
        approved_answer_create(
            actor=actor, assistant=made, question="可以寄到新疆吗", answer="不能。"
        )
        run = gaps_ask(assistant=made, gaps=gaps)
    while jobs.run_next("ingest"):
        pass
    with tenant_tx(cast.tenant.id):
        assert [gap.question for gap in selectors.gap_clusters(made)] == ["有没有榴莲"]
        assert Gap.objects.get(question="可以寄到新疆吗").asked_count == 1
        run.refresh_from_db()
    assert run.summary["candidate"]["passed"] == 1
