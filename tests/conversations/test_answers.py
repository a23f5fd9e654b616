"""What a visitor gets for an answer, through the worker's job, over real documents."""

from datetime import timedelta

import pytest
from django.utils import timezone

from furrow.assistants import services as assistants
from furrow.assistants.models import ApprovedAnswer, Gap
from furrow.assistants.selectors import gaps_list
from furrow.conversations import selectors
from furrow.conversations.models import Conversation, Ticket
from furrow.core.context import tenant_tx
from furrow.core.errors import UpstreamFailed
from furrow.core.extensions import extensions
from furrow.knowledge.models import Document
from furrow.knowledge.services.documents import document_update
from furrow.tenants.services import SYSTEM


def approve(chat, question, answer, **fields):
    with tenant_tx(chat.tenant_id):
        return assistants.approved_answer_create(
            actor=SYSTEM, assistant=chat.assistant, question=question, answer=answer, **fields
        )


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("到北京的运费多少", "到北京的运费首5公斤12元，续重每公斤2元。"),
        ("几点前付款当天发货？", "每天16:00前付款的订单当天发货，16:00后的次日发货。"),
        ("收到坏果要提供几张照片", "收到坏果请在签收后24小时内联系客服，并提供3张照片。"),
        ("新疆发货吗", "新疆、西藏和海外地区目前不发货。"),
        (
            "How can I ripen kiwis faster?",
            "Put the kiwis in a bag with one or two apples to ripen them faster.",
        ),
        (
            "How many letters can a printed card of a gift box carry?",
            "Gift boxes can carry a printed card of up to sixty letters.",
        ),
    ],
)
def test_question_gets_the_sentence_of_the_document(chat, question, sentence):
    turn = chat.ask(question)
    assert turn.rung == "quoted"
    assert sentence in turn.answer
    assert "[1]" in turn.answer
    with tenant_tx(chat.tenant_id):
        for citation in turn.citations:
            document = Document.objects.select_related("live_version").get(
                id=citation["document_id"]
            )
            text = document.live_version.text
            assert text[citation["start"] : citation["end"]] == citation["quote"]
            assert citation["title"] == document.title
    assert [citation["n"] for citation in turn.citations] == list(range(1, len(turn.citations) + 1))


def test_document_past_its_last_day_is_quoted_no_more(chat):
    with tenant_tx(chat.tenant_id):
        document = Document.objects.get(title="运费与售后")
        today = timezone.localdate()
        document_update(actor=SYSTEM, document=document, valid_to=today)
    assert chat.ask("到北京的运费多少").citations
    with tenant_tx(chat.tenant_id):
        document_update(actor=SYSTEM, document=document, valid_to=today - timedelta(days=1))
    turn = chat.ask("到北京的运费多少")
    assert "12元" not in turn.answer
    assert str(document.id) not in {citation["document_id"] for citation in turn.citations}


def test_quote_that_no_longer_stands_in_the_document_is_dropped(chat):
    with tenant_tx(chat.tenant_id):
        for document in Document.objects.select_related("live_version"):
            version = document.live_version
            version.text = "x" + version.text
            version.save(update_fields=["text"])
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "human"
    assert {"rung": "quoted", "reason": "quotes_not_verified"}.items() <= turn.trace[-2].items()


def test_unknown_code_is_not_answered_with_another_product(chat):
    turn = chat.ask("HN-2025/A3 到北京的运费多少")
    assert turn.rung == "human"
    assert turn.citations == []


def test_short_answer_and_its_paragraph_stay_together(chat):
    quote = chat.ask("审核要多久才退款").citations[0]["quote"]
    assert quote == "客服会在48小时内审核并退款。"
    turn = chat.ask("坏果赔付")
    # A heading is no answer: what stands under it is.
    assert turn.citations[0]["quote"].startswith("收到坏果请在签收后24小时内")


def test_approved_answer_wins_and_is_counted(bare_chat):
    row = approve(bare_chat, "到北京运费多少？", "12元起。", variants=["北京运费"])
    turn = bare_chat.ask("请问到北京运费多少")
    assert (turn.rung, turn.answer, turn.citations) == ("approved", "12元起。", [])
    assert bare_chat.ask("北京运费？").rung == "approved"
    with tenant_tx(bare_chat.tenant_id):
        assert ApprovedAnswer.objects.get(id=row.id).used_count == 2


def test_question_that_comes_near_is_offered_and_answered_when_taken(bare_chat):
    approve(bare_chat, "会员卡怎么办理？", "带身份证到前台填表即可。")
    approve(bare_chat, "停车要收费吗？", "住客免费停车。")
    turn = bare_chat.ask("会员卡丢了，要补一张怎么弄")
    assert turn.rung == "human"
    assert turn.answer.startswith("我不确定您问的是哪一个。")
    assert selectors.turn_payload(turn)["suggestions"] == ["会员卡怎么办理？"]
    taken = bare_chat.ask(turn.suggestions[0])
    assert (taken.rung, taken.answer) == ("approved", "带身份证到前台填表即可。")
    assert taken.suggestions == []
    with tenant_tx(bare_chat.tenant_id):
        # Nobody knows yet whether the offer was what the visitor meant.
        assert [gap.question for gap in gaps_list(bare_chat.assistant)] == [turn.text]


def test_answer_that_is_only_probably_meant_stands_under_its_own_question(bare_chat):
    approve(bare_chat, "修好的手机保修多久？", "换过的配件保修90天。")
    turn = bare_chat.ask("新手机保修多久")
    assert turn.rung == "approved"
    assert turn.answer == "关于“修好的手机保修多久？”：\n换过的配件保修90天。"
    assert turn.trace[-1]["is_sure"] is False


def test_nothing_is_offered_beside_what_is_sure_or_to_who_wants_a_person(bare_chat):
    approve(bare_chat, "可以开发票吗？", "可以。")
    approve(bare_chat, "发票抬头怎么改？", "告诉客服。")
    assert bare_chat.ask("可以开发票吗").suggestions == []
    assert bare_chat.ask("发票的事我要找人工客服").suggestions == []


def test_offer_beside_a_quote_must_come_nearer(chat):
    approve(chat, "北京有实体店吗？", "没有。")
    turn = chat.ask("到北京的运费多少")
    assert (turn.rung, turn.suggestions) == ("quoted", [])


def test_numbers_must_agree_with_the_approved_question(bare_chat):
    approve(bare_chat, "5公斤装到北京运费多少", "12元。")
    assert bare_chat.ask("5kg装到北京运费多少").rung == "approved"
    assert bare_chat.ask("10公斤装到北京运费多少").rung != "approved"


def test_approved_answer_speaks_only_on_its_days(bare_chat):
    today = timezone.localdate()
    approve(bare_chat, "春节放假吗", "除夕到初六休息。", valid_to=today - timedelta(days=1))
    assert bare_chat.ask("春节放假吗").rung != "approved"
    approve(bare_chat, "春节放假吗", "不休息。", valid_from=today, valid_to=today)
    assert bare_chat.ask("春节放假吗").answer == "不休息。"


def test_disabled_approved_answer_is_silent(chat):
    row = approve(chat, "到北京运费多少？", "12元起。")
    with tenant_tx(chat.tenant_id):
        assistants.approved_answer_update(actor=SYSTEM, approved_answer=row, is_enabled=False)
    assert chat.ask("到北京运费多少？").rung == "quoted"


@pytest.mark.parametrize(
    ("question", "start"),
    [("你们卖显卡吗", "抱歉"), ("Who won the chess final?", "Sorry, I do not know")],
)
def test_out_of_scope_question_is_not_known_and_counted(chat, question, start):
    turn = chat.ask(question)
    assert turn.rung == "human"
    assert turn.answer.startswith(start)
    assert turn.citations == []
    chat.ask(question)
    with tenant_tx(chat.tenant_id):
        gap = gaps_list(chat.assistant).get()
        assert (gap.question, gap.asked_count) == (question, 2)
        assert not Ticket.objects.exists()


def test_trace_says_why_each_rung_passed(chat, monkeypatch):
    approve(chat, "可以开发票吗", "可以。")
    # Which trades are there, and what they say, is not this test's matter.
    monkeypatch.setattr(extensions, "facts", {})
    turn = chat.ask("你们卖显卡吗")
    assert [(line["rung"], line["outcome"], line["reason"]) for line in turn.trace] == [
        ("greeting", "passed", "not_small_talk"),
        ("approved", "passed", "no_match"),
        ("fact", "passed", "not_installed"),
        ("composed", "passed", "no_model"),
        ("quoted", "passed", "no_evidence"),
        ("human", "answered", ""),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", "您好，欢迎光临"),
        ("Hello!", "Welcome!"),
        ("在吗，想问一下", "您好，欢迎光临"),
        ("Hi, I have a quick question", "Welcome!"),
        ("谢谢啦", "不客气"),
        ("thanks a lot", "You are welcome"),
        ("再见", "再见"),
        ("ok", "Good."),
    ],
)
def test_small_talk_is_answered_without_a_search(bare_chat, text, expected):
    turn = bare_chat.ask(text)
    assert turn.rung == "greeting"
    assert turn.answer.startswith(expected)
    assert len(turn.trace) == 1


def test_greeting_before_a_question_does_not_hide_it(chat):
    assert chat.ask("你好，请问到北京的运费多少").rung == "quoted"


@pytest.mark.parametrize(
    ("text", "word"), [("转人工", "工作人员"), ("I want to talk to a human", "our team")]
)
def test_asking_for_a_person_opens_one_ticket_with_the_transcript(chat, text, word):
    approve(chat, text, "There is nobody.")
    chat.ask("到北京的运费多少")
    turn = chat.ask(text)
    assert turn.rung == "human"
    assert word in turn.answer
    chat.ask(text)
    with tenant_tx(chat.tenant_id):
        ticket = selectors.tickets_list().get()
        assert (ticket.number, ticket.state, ticket.reason) == (1, "open", "asked")
        lines = selectors.transcript(ticket.conversation)
        assert [line["who"] for line in lines] == ["visitor", "assistant"] * 3
        assert lines[0]["text"] == "到北京的运费多少"
        assert ticket.conversation.state == Conversation.State.WAITING
        assert not Gap.objects.exists()


def test_phone_number_that_was_asked_for_goes_to_the_ticket(chat):
    chat.ask("转人工")
    turn = chat.ask("微信 guoyuan88，晚上在")
    assert (turn.rung, turn.answer) == ("human", "已记下您的联系方式，工作人员会联系您。")
    with tenant_tx(chat.tenant_id):
        assert selectors.tickets_list().get().contact == "微信 guoyuan88，晚上在"
        assert not Gap.objects.exists()


def test_person_switched_off_opens_no_ticket_and_gives_the_contact(bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        assistants.assistant_update(
            actor=SYSTEM,
            assistant=bare_chat.assistant,
            settings={"human": {"enabled": False, "contact": "0571-1234"}},
        )
        assistants.assistant_publish(actor=SYSTEM, assistant=bare_chat.assistant)
    turn = bare_chat.ask("转人工")
    assert "0571-1234" in turn.answer
    with tenant_tx(bare_chat.tenant_id):
        assert not Ticket.objects.exists()


def test_draft_and_published_version_answer_differently(bare_chat):
    with tenant_tx(bare_chat.tenant_id):
        assistants.assistant_update(
            actor=SYSTEM, assistant=bare_chat.assistant, settings={"greeting": {"zh": "新的问候"}}
        )
    assert bare_chat.ask("你好").answer.startswith("您好，欢迎光临")
    assert bare_chat.ask("你好", use_draft=True).answer == "新的问候"


def test_follow_up_question_carries_the_topic_on(chat):
    chat.ask("到北京的运费多少")
    turn = chat.ask("那续重呢？")
    assert turn.rung == "quoted"
    assert "续重每公斤2元" in turn.answer
    assert turn.trace[-1]["is_follow_up"] is True


def test_test_chat_records_no_gap_and_marks_its_ticket(bare_chat):
    test = bare_chat.again(is_test=True)
    test.ask("你们卖显卡吗")
    test.ask("转人工")
    with tenant_tx(bare_chat.tenant_id):
        assert not Gap.objects.exists()
        assert Ticket.objects.get().reason == "test"


class FlakyRung:
    name = "composed"

    def try_answer(self, question, config, ctx):
        ctx.stage("writing")
        ctx.delta("half an ans")
        raise UpstreamFailed("The model server is away.", code="model_away")


def test_rung_that_fails_midway_is_taken_back_and_the_next_one_answers(
    chat, monkeypatch, event_names
):
    monkeypatch.setitem(extensions.rungs, "composed", FlakyRung())
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "quoted"
    composed = next(line for line in turn.trace if line["rung"] == "composed")
    assert (composed["reason"], composed["code"]) == ("unavailable", "model_away")
    names = event_names(chat.frames(turn))
    assert names[:3] == ["status", "delta", "reset"]
    assert names[-2:] == ["answer", "done"]


def test_embedding_server_that_is_away_changes_nothing_for_words(chat, no_embedding_server):
    assert chat.ask("How can I ripen kiwis faster?").rung == "quoted"
