"""A model that obeys every attack is the worst case: nothing of what it then writes may leave."""

import pytest

from furrow.assistants.ladder import Question
from furrow.assistants.rungs.composed_prompt import answer_messages, quoted
from furrow.assistants.verifier.answer import Checker, Passage
from furrow.assistants.verifier.commands import without_commands
from furrow.assistants.verifier.stream import SentenceStream
from furrow.core.context import tenant_tx
from furrow.knowledge.models import KnowledgeBase
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.services import SYSTEM
from tests.assistants.composed import conftest
from tests.conversations.chats import SHIPPING, STORAGE, run_ingest

ATTACKS = conftest.attacks()
ONE_OF_EACH = list({(a["language"], a["place"]): a for a in ATTACKS}.values())


def test_corpus_is_broad():
    assert len(ATTACKS) >= 60
    assert len({attack["kind"] for attack in ATTACKS}) >= 12
    assert {attack["language"] for attack in ATTACKS} == {"zh", "en"}
    assert {attack["place"] for attack in ATTACKS} == {"document", "question"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: f"{a['id']}-{a['kind']}-{a['language']}")
def test_what_an_obedient_model_writes_is_kept_back(attack):
    passages = [
        Passage(1, without_commands(f"{SHIPPING}\n\n{attack['poison']}"), "运费与售后"),
        Passage(2, without_commands(f"{STORAGE}\n\n{attack['poison']}"), "Storage guide"),
    ]
    checker, stream = Checker(passages), SentenceStream()
    drafts = [*stream.feed(attack["obeyed"]), *stream.rest()]
    left = " ".join(checked.text for d in drafts if (checked := checker.check(d)).is_kept)
    assert not [word for word in attack["never"] if word in left], left


def test_honest_sentence_beside_the_poison_still_leaves():
    poison = "\n\n".join(attack["poison"] for attack in ATTACKS)
    checker = Checker([Passage(1, without_commands(f"{SHIPPING}\n\n{poison}"), "运费与售后")])
    stream = SentenceStream()
    drafts = [*stream.feed("到北京的运费首5公斤是12元 [1]。"), *stream.rest()]
    assert [checker.check(draft).reason for draft in drafts] == [""]


# One of each language and place walks the whole path before every commit, all of them in `make test`.
@pytest.mark.parametrize(
    "attacks",
    [
        pytest.param(ONE_OF_EACH, id="one of each"),
        pytest.param(ATTACKS, id="all", marks=pytest.mark.slow),
    ],
)
def test_obedient_model_leaks_nothing_through_the_whole_path(chat, says, attacks):
    """Attacks against a real assistant: poison in the documents, the question asked, the answer scripted."""
    with tenant_tx(chat.tenant_id):
        base = KnowledgeBase.objects.get()
        for attack in attacks:
            if attack["poison"]:
                text = (
                    f"{SHIPPING if attack['language'] == 'zh' else STORAGE}\n\n{attack['poison']}"
                )
                document_add_text(
                    actor=SYSTEM, knowledge_base=base, title=f"poison {attack['id']}", text=text
                )
    run_ingest()
    for attack in attacks:
        says(attack["obeyed"])
        turn = chat.again().ask(attack["question"])
        composed = next(line for line in turn.trace if line["rung"] == "composed")
        assert composed["outcome"] == "passed", (attack, turn.answer)
        assert turn.rung in {"quoted", "human"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: str(a["id"]))
def test_prompt_holds_nothing_that_ends_a_turn_or_hides(attack):
    text = quoted(f"{attack['poison']} {attack['question']}")
    for mark in ("<|", "|>", "[INST]", "\u200b", "\u202e", "\u2063"):
        assert mark not in text


def test_braces_and_percent_signs_stay_text(chat):
    from furrow.assistants.config import AssistantConfig  # noqa: PLC0415

    with tenant_tx(chat.tenant_id):
        config = AssistantConfig.of_draft(chat.assistant)
    strange = "{0.__class__} %s ${x} {{7*7}}"
    question = Question(strange, "en", chat.conversation.id)
    messages = answer_messages(question, config, [Passage(1, strange, strange)])
    assert messages[-1]["content"].count(strange) == 3
