"""Assistants: settings that fit, publishing and rolling back, approved answers, gaps."""

from datetime import timedelta

import pytest
from django.utils import timezone

from furrow.assistants import selectors, services
from furrow.assistants.config import AssistantConfig
from furrow.assistants.models import ApprovedAnswer, Gap
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.knowledge.models import KnowledgeBase
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import Actor


@pytest.fixture
def actor(cast):
    return Actor.user(cast.owner)


@pytest.fixture
def scoped(cast):
    with tenant_tx(cast.tenant.id):
        yield


@pytest.fixture
def assistant(scoped, actor):
    base = KnowledgeBase.objects.create(name="shop")
    return services.assistant_create(
        actor=actor, name="小青", template="shop", knowledge_base_ids=[base.id]
    )


def test_template_fills_what_is_not_given(assistant):
    config = AssistantConfig.of_draft(assistant)
    assert "运费" in config.greeting["zh"]
    assert len(config.suggestions["en"]) == 3
    assert config.human.enabled
    assert len(config.knowledge_base_ids) == 1


def test_own_settings_win_over_the_template_key_by_key(assistant, actor):
    services.assistant_update(
        actor=actor, assistant=assistant, settings={"greeting": {"en": "Hi"}, "threshold": 0.7}
    )
    config = AssistantConfig.of_draft(assistant)
    assert config.greeting["en"] == "Hi"
    assert "运费" in config.greeting["zh"]
    assert config.threshold == 0.7


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"threshold": 2}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"greeting": {"fr": "Bonjour"}}, "greeting.fr"),
        ({"greeting": "Hi"}, "greeting"),
        ({"human": {"enabled": "yes"}}, "human.enabled"),
        ({"suggestions": {"zh": ["x" * 121]}}, "suggestions.zh"),
        ({"search": {"mode": "magic"}}, "search.mode"),
        ({"quote_limit": 2.5}, "quote_limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_do_not_fit_are_named(scoped, actor, settings, field):
    with pytest.raises(Invalid) as caught:
        services.assistant_create(actor=actor, name="x", settings=settings)
    assert list(caught.value.details["fields"]) == [field]


def test_greeting_comes_first_and_a_person_last_whatever_is_chosen(assistant, actor):
    services.assistant_update(actor=actor, assistant=assistant, rungs=["human", "quoted"])
    assert AssistantConfig.of_draft(assistant).rungs == ("greeting", "quoted", "human")


@pytest.mark.parametrize("rungs", [["quoted", "quoted"], ["../etc"], ["x" * 41]])
def test_bad_rungs_are_refused(assistant, actor, rungs):
    with pytest.raises(Invalid):
        services.assistant_update(actor=actor, assistant=assistant, rungs=rungs)


def test_unknown_template_and_name_are_refused(scoped, actor):
    with pytest.raises(Invalid):
        services.assistant_create(actor=actor, name="x", template="nope")
    with pytest.raises(Invalid):
        services.assistant_create(actor=actor, name="  ")


def test_knowledge_base_of_another_tenant_is_refused(cast, actor):
    with tenant_tx(cast.other_tenant.id):
        foreign = KnowledgeBase.objects.create(name="theirs")
    with tenant_tx(cast.tenant.id), pytest.raises(Invalid) as caught:
        services.assistant_create(actor=actor, name="x", knowledge_base_ids=[foreign.id])
    assert caught.value.details["missing"] == [str(foreign.id)]


def test_published_version_does_not_follow_the_draft(assistant, actor):
    version = services.assistant_publish(actor=actor, assistant=assistant, note="first")
    services.assistant_update(
        actor=actor, assistant=assistant, name="New", settings={"threshold": 0.9}
    )
    frozen, draft = AssistantConfig.of_version(version), AssistantConfig.of_draft(assistant)
    assert (frozen.name, draft.name) == ("小青", "New")
    assert frozen.threshold != draft.threshold


def test_roll_back_publishes_the_old_configuration_under_a_new_number(assistant, actor):
    first = services.assistant_publish(actor=actor, assistant=assistant)
    services.assistant_update(actor=actor, assistant=assistant, name="Second")
    services.assistant_publish(actor=actor, assistant=assistant)
    again = services.assistant_roll_back(actor=actor, assistant=assistant, version=first)
    assert again.number == 3
    assert AssistantConfig.of_version(again).name == "小青"
    assistant.refresh_from_db()
    assert assistant.published_id == again.id
    assert assistant.name == "Second"
    assert [v.number for v in selectors.assistant_versions(assistant)] == [3, 2, 1]


def test_version_of_another_assistant_cannot_be_published(assistant, actor):
    other = services.assistant_create(actor=actor, name="other")
    version = services.assistant_publish(actor=actor, assistant=other)
    with pytest.raises(NotFound):
        services.assistant_roll_back(actor=actor, assistant=assistant, version=version)


def test_deleted_assistant_is_hidden_and_comes_back(assistant, actor):
    services.assistant_delete(actor=actor, assistant=assistant)
    with pytest.raises(NotFound):
        selectors.assistant_get(assistant.id)
    with pytest.raises(NotFound):
        services.assistant_publish(actor=actor, assistant=assistant)
    with pytest.raises(Conflict):
        services.assistant_delete(actor=actor, assistant=assistant)
    services.assistant_restore(
        actor=actor, assistant=selectors.assistant_get(assistant.id, include_deleted=True)
    )
    assert selectors.assistant_get(assistant.id) == assistant


def test_stranger_cannot_find_the_assistant(cast, assistant):
    with tenant_tx(cast.other_tenant.id), pytest.raises(NotFound):
        selectors.assistant_get(assistant.id)


def test_changes_are_audited_without_contents(assistant, actor):
    services.assistant_update(actor=actor, assistant=assistant, instructions="secret recipe")
    entry = AuditEntry.objects.get(action="assistant.updated")
    assert entry.data == {"fields": ["instructions"]}
    assert entry.actor_label == "owner@example.test"


def test_list_costs_the_same_for_many_assistants(assistant, actor, django_assert_num_queries):
    for number in range(3):
        services.assistant_create(actor=actor, name=f"a{number}")
    with django_assert_num_queries(2):
        rows = list(selectors.assistants_list())
        assert [selectors.knowledge_base_ids_of(row) for row in rows][-1]


def test_approved_answer_checks_its_dates_and_texts(assistant, actor):
    today = timezone.localdate()
    with pytest.raises(Invalid):
        services.approved_answer_create(
            actor=actor,
            assistant=assistant,
            question="q",
            answer="a",
            valid_from=today,
            valid_to=today - timedelta(days=1),
        )
    with pytest.raises(Invalid):
        services.approved_answer_create(actor=actor, assistant=assistant, question="？", answer="a")
    row = services.approved_answer_create(
        actor=actor, assistant=assistant, question="q", answer="a", variants=["b ", "b", ""]
    )
    assert row.variants == ["b"]
    with pytest.raises(Invalid):
        services.approved_answer_update(
            actor=actor, approved_answer=row, valid_to=today - timedelta(days=2), valid_from=today
        )


def test_gap_is_counted_by_folded_words(assistant):
    services.gap_record(assistant=assistant, question="有没有榴莲？")
    gap = services.gap_record(assistant=assistant, question="有沒有榴蓮")
    assert gap.asked_count == 2
    assert Gap.objects.count() == 1
    assert services.gap_record(assistant=assistant, question="？！") is None


def test_answering_a_gap_makes_an_approved_answer(assistant, actor):
    gap = services.gap_record(assistant=assistant, question="有没有榴莲？")
    approved = services.gap_answer(actor=actor, gap=gap, answer="没有。")
    assert approved.question == "有没有榴莲？"
    assert list(selectors.gaps_list(assistant)) == []
    with pytest.raises(Conflict):
        services.gap_dismiss(actor=actor, gap=gap)


def test_dismissed_gap_stays_away_and_answered_one_returns(assistant, actor):
    dismissed = services.gap_record(assistant=assistant, question="天气怎么样")
    services.gap_dismiss(actor=actor, gap=dismissed)
    services.gap_record(assistant=assistant, question="天气怎么样")
    assert list(selectors.gaps_list(assistant)) == []
    answered = services.gap_record(assistant=assistant, question="有没有榴莲")
    services.gap_answer(actor=actor, gap=answered, answer="没有。")
    services.gap_record(assistant=assistant, question="有没有榴莲")
    assert [gap.question for gap in selectors.gaps_list(assistant)] == ["有没有榴莲"]


def test_wordings_of_two_people_at_once_are_both_kept(assistant, actor):
    answer = services.approved_answer_create(
        actor=actor, assistant=assistant, question="能自提吗？", answer="可以。"
    )
    seen_by_another = ApprovedAnswer.objects.get(id=answer.id)
    services.wordings_add(actor=actor, approved_answer=answer, wordings=["可以上门取吗？"])
    services.wordings_add(actor=actor, approved_answer=seen_by_another, wordings=["能来拿吗？"])
    answer.refresh_from_db()
    assert answer.variants == ["可以上门取吗？", "能来拿吗？"]
    answer.delete()
    with pytest.raises(NotFound):
        services.wordings_add(actor=actor, approved_answer=seen_by_another, wordings=["在哪取？"])
