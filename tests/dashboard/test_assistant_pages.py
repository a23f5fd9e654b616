"""Assistants through their pages: edit, publish, roll back, try, answer gaps, close tickets."""

from decimal import Decimal

from furrow.assistants.models import ApprovedAnswer, Assistant, EvaluationRun, Gap
from furrow.assistants.services import gap_record
from furrow.channels.models import Widget
from furrow.conversations.models import Conversation, Ticket, Turn
from furrow.core.context import tenant_tx
from furrow.metering.model_rules import model_rules_set
from furrow.metering.prices import price_set
from furrow.tenants.services import SYSTEM


def draft(shop, **changes):
    return {
        "name": "小助手",
        "greeting_zh": "您好",
        "greeting_en": "Hello",
        "suggestions_zh": "多久发货？\n怎么退货？",
        "suggestions_en": "",
        "knowledge_base_ids": [str(shop.base.id)],
        "instructions": "",
        "rungs": ["quoted"],
        "threshold": "0.7",
        "human_enabled": "on",
        "human_contact": "138",
        "human_hours": "",
        **changes,
    }


def test_assistant_is_made_from_a_template(owner, cast, shop, page):
    data = {"name": "Shop", "template": "shop", "knowledge_base_ids": [str(shop.base.id)]}
    owner.post(page("assistant_create"), data)
    with tenant_tx(cast.tenant.id):
        made = Assistant.objects.get(name="Shop")
        assert list(made.knowledge_bases.all()) == [shop.base]


def test_draft_is_saved_and_stays_hidden_until_published(owner, cast, shop, page):
    url = page("assistant", shop.assistant.id)
    assert owner.post(url, draft(shop)).status_code == 302
    with tenant_tx(cast.tenant.id):
        found = Assistant.objects.get(id=shop.assistant.id)
        assert found.settings["threshold"] == 0.7
        assert found.settings["suggestions"]["zh"] == ["多久发货？", "怎么退货？"]
        assert found.rungs == ["greeting", "quoted", "human"]
        assert found.published.config["settings"]["threshold"] != 0.7
    assert owner.get(url).context["has_changes"]
    owner.post(page("publication", shop.assistant.id), {"note": "stricter"})
    assert not owner.get(url).context["has_changes"]


def test_switching_every_rung_off_is_kept(owner, cast, shop, page):
    owner.post(page("assistant", shop.assistant.id), draft(shop, rungs=[]))
    response = owner.get(page("assistant", shop.assistant.id))
    assert response.context["form"]["rungs"].value() == []


def test_model_writes_only_once_the_owner_ticks_it(owner, cast, shop, page, settings):
    settings.CHAT_URL, settings.CHAT_MODEL = "http://127.0.0.1:9/v1", "m"
    url = page("assistant", shop.assistant.id)
    shown = owner.get(url).context["form"]
    offered = [name for name, _ in shown.fields["rungs"].choices]
    assert offered.index("composed") < offered.index("quoted")
    assert "composed" not in shown["rungs"].value()
    for ticked in (["quoted"], ["composed", "quoted"]):
        owner.post(url, draft(shop, rungs=ticked))
        with tenant_tx(cast.tenant.id):
            found = Assistant.objects.get(id=shop.assistant.id)
        assert found.rungs == ["greeting", *ticked, "human"]
        assert found.settings["composed"]["enabled"] is ("composed" in ticked)
    assert owner.get(url).context["form"]["rungs"].value() == ["composed", "quoted"]


def test_wrong_draft_says_where(owner, cast, shop, page):
    many = "\n".join(str(n) for n in range(9))
    response = owner.post(
        page("assistant", shop.assistant.id), draft(shop, suggestions_zh=many, threshold="3")
    )
    assert response.status_code == 200
    assert response.context["form"].errors


def test_older_version_is_published_again(owner, cast, shop, page):
    owner.post(page("publication", shop.assistant.id), {"note": "second"})
    owner.post(page("roll_back", shop.assistant.id, 1))
    with tenant_tx(cast.tenant.id):
        assert Assistant.objects.get(id=shop.assistant.id).published.number == 3


def test_deleted_assistant_comes_back_by_undo(owner, cast, shop, page):
    owner.post(page("assistant_delete", shop.assistant.id))
    assert owner.get(page("assistant", shop.assistant.id)).status_code == 404
    owner.post(page("assistant_restore", shop.assistant.id))
    assert owner.get(page("assistant", shop.assistant.id)).status_code == 200


def test_test_chat_asks_the_draft_and_counts_nowhere(owner, cast, shop, page):
    url = page("chat", shop.assistant.id)
    reply = owner.post(url, {"text": "多久发货？"}, headers={"Accept": "application/json"}).json()
    with tenant_tx(cast.tenant.id):
        conversation = Conversation.objects.get(id=reply["conversation"])
        assert conversation.is_test
        assert Turn.objects.get(conversation=conversation).assistant_version is None
    assert owner.get(page("home")).context["figures"].questions == 1
    assert reply["conversation"] not in owner.get(page("conversations")).content.decode()
    again = {"text": "还有呢？", "conversation": reply["conversation"]}
    more = owner.post(url, again, headers={"Accept": "application/json"}).json()
    assert more["conversation"] == reply["conversation"]


def test_test_chat_works_without_scripts(owner, cast, shop, page):
    response = owner.post(page("chat", shop.assistant.id), {"text": "多久发货？"}, follow=True)
    assert [turn.text for turn in response.context["turns"]] == ["多久发货？"]


def test_test_chat_never_continues_a_visitors_conversation(owner, cast, shop, page):
    data = {"text": "hi", "conversation": str(shop.conversation.id)}
    url = page("chat", shop.assistant.id)
    reply = owner.post(url, data, headers={"Accept": "application/json"}).json()
    assert reply["conversation"] != str(shop.conversation.id)


def test_empty_question_is_refused_in_words(owner, cast, shop, page):
    url = page("chat", shop.assistant.id)
    response = owner.post(url, {"text": " "}, headers={"Accept": "application/json"})
    assert response.status_code == 422
    assert response.json()["error"]["message"]


def test_answer_shows_citation_and_way_down_the_ladder(owner, cast, shop, page):
    owner.cookies["django_language"] = "en"
    shown = owner.get(page("turn", shop.turn.id)).content.decode()
    assert f"{page('document', shop.document.id)}?start=5&amp;end=20" in shown
    assert "Nothing was close enough." in shown


def test_gap_becomes_an_approved_answer_in_one_step(owner, cast, shop, page):
    owner.post(page("gap_answer", shop.gap.id), {"answer": "可以。"})
    with tenant_tx(cast.tenant.id):
        assert Gap.objects.get(id=shop.gap.id).state == "answered"
        assert ApprovedAnswer.objects.filter(question="能开发票吗？", answer="可以。").exists()


def test_one_answer_is_for_the_ticked_wordings_of_a_line(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        same, other = (
            gap_record(assistant=shop.assistant, question=text)
            for text in ("发票能开吗", "开发票吗")
        )
    shown = owner.get(page("gaps"))
    assert [gap.id for gap in shown.context["page"]] == [shop.gap.id]
    data = {"answer": "可以。", "chosen": "1", "same": [str(same.id)]}
    owner.post(page("gap_answer", shop.gap.id), data)
    assert [gap.id for gap in owner.get(page("gaps")).context["page"]] == [other.id]
    with tenant_tx(cast.tenant.id):
        assert ApprovedAnswer.objects.get(answer="可以。").variants == ["发票能开吗"]


def test_gap_joins_an_answer_that_exists(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        other = gap_record(assistant=shop.assistant, question=f"请问{shop.approved.question}好不好")
    assert shop.approved in owner.get(page("gaps")).context["near"][other.id]
    owner.post(page("gap_join", other.id), {"answer": str(shop.approved.id)})
    with tenant_tx(cast.tenant.id):
        other.refresh_from_db()
        shop.approved.refresh_from_db()
    assert (other.state, other.approved_answer_id) == ("answered", shop.approved.id)
    assert other.question in shop.approved.variants


def test_gap_joins_no_answer_of_another_assistant(owner, cast, shop, page):
    with tenant_tx(cast.tenant.id):
        assistant = Assistant.objects.create(name="另一个")
        foreign = ApprovedAnswer.objects.create(
            assistant=assistant, question="能开票吗", answer="能"
        )
    gone = owner.post(page("gap_join", shop.gap.id), {"answer": str(foreign.id)})
    assert gone.status_code == 404
    with tenant_tx(cast.tenant.id):
        assert Gap.objects.get(id=shop.gap.id).state == "open"


def test_what_visitors_asked_is_ticked_into_the_wordings(owner, cast, shop, page):
    """First what was taken when it was offered, ticked already; what is stored is offered no more."""
    question = shop.approved.question
    with tenant_tx(cast.tenant.id):
        for number, text in enumerate(("第一种问法", "第二种问法", question), start=10):
            trace = [{"rung": "human", "suggested": [question]}] if number < 12 else []
            Turn.objects.create(
                conversation=shop.conversation, number=number, text=text, status="done", trace=trace
            )
    url = page("answer_update", shop.approved.id)
    form = owner.get(url).context["form"]
    asked = [value for value, _ in form.fields["asked"].choices]
    assert asked[:2] == ["第二种问法", "第一种问法"]
    assert form.initial["asked"] == ["第二种问法"]
    data = {"question": question, "answer": "好的。", "variants": "甲问\n乙问\n\n甲问"}
    owner.post(url, {**data, "asked": ["第二种问法"]})
    with tenant_tx(cast.tenant.id):
        shop.approved.refresh_from_db()
    assert shop.approved.variants == ["甲问", "乙问", "第二种问法"]
    left = [value for value, _ in owner.get(url).context["form"].fields["asked"].choices]
    assert "第二种问法" not in left
    assert "第一种问法" in left


def test_gaps_are_asked_again_from_their_page(owner, cast, shop, page):
    owner.post(page("gaps_ask", shop.assistant.id))
    with tenant_tx(cast.tenant.id):
        assert EvaluationRun.objects.latest("created_at").kind == "gaps"


def test_gap_is_dismissed(owner, cast, shop, page):
    owner.post(page("gap_dismiss", shop.gap.id))
    assert not list(owner.get(page("gaps")).context["page"])
    assert list(owner.get(page("gaps"), {"state": "dismissed"}).context["page"]) == [shop.gap]
    owner.post(page("gap_reopen", shop.gap.id))
    assert list(owner.get(page("gaps")).context["page"]) == [shop.gap]


def test_deleted_answer_comes_back_as_it_was(owner, cast, shop, page):
    url = page("answer_update", shop.approved.id)
    data = {"question": "几点营业？", "answer": "八点", "variants": "开门时间\nopen?",
            "valid_from": "2026-01-01", "valid_to": ""}  # fmt: skip
    owner.post(url, data)
    owner.post(page("answer_delete", shop.approved.id))
    with tenant_tx(cast.tenant.id):
        assert not ApprovedAnswer.objects.exists()
    owner.post(page("answer_restore"))
    with tenant_tx(cast.tenant.id):
        back = ApprovedAnswer.objects.get()
    assert (back.answer, back.variants, str(back.valid_from)) == (
        "八点", ["开门时间", "open?"], "2026-01-01",
    )  # fmt: skip
    assert owner.post(page("answer_restore")).status_code == 404


def test_ticket_is_closed_with_a_note_and_opened_again(owner, cast, shop, page):
    owner.post(page("ticket", shop.ticket.id), {"resolution": "refunded"})
    with tenant_tx(cast.tenant.id):
        assert Ticket.objects.get(id=shop.ticket.id).resolution == "refunded"
    refused = owner.post(page("ticket", shop.ticket.id), {"resolution": "again"})
    assert refused.context["form"].errors
    owner.post(page("ticket_reopen", shop.ticket.id))
    with tenant_tx(cast.tenant.id):
        assert Ticket.objects.get(id=shop.ticket.id).state == "open"


def test_widget_takes_sites_and_refuses_what_is_none(owner, cast, shop, page):
    url = page("widget", shop.assistant.id)
    data = {
        "is_enabled": "on",
        "allowed_origins": "https://www.Example.com/",
        "color": "#aa3300",
        "position": "left",
        "language": "en",
        "messages_per_minute": "5",
        "messages_per_day": "50",
    }
    owner.post(url, data)
    with tenant_tx(cast.tenant.id):
        assert Widget.objects.get().allowed_origins == ["https://www.example.com"]
    snippet = owner.get(url).context["snippet"]
    assert 'data-color="#aa3300" data-position="left" data-lang="en"' in snippet
    refused = owner.post(url, {**data, "allowed_origins": "https://a.example/path"})
    assert refused.context["form"].errors["allowed_origins"]


def test_owner_chooses_a_model_and_hears_when_it_is_taken_away(english, cast, shop, page, settings):
    settings.CHAT_URL, settings.CHAT_MODEL = "http://127.0.0.1:9/v1", "own"
    price_set(model="dear", kind="out", per_million=Decimal(80), currency="CNY")
    url = page("assistant", shop.assistant.id)
    offered = [
        name for name, _ in english.get(url).context["form"].fields["composed_model"].choices
    ]
    assert offered == ["", "own", "dear"]
    english.post(url, draft(shop, rungs=["composed", "quoted"], composed_model="dear"))
    english.post(page("publication", shop.assistant.id), {"note": ""})
    assert english.get(url).context["withheld_models"] == []
    assert "writes no answers" not in english.get(page("home")).content.decode()
    with tenant_tx(cast.tenant.id):
        model_rules_set(actor=SYSTEM, allowed={"dear": False})
    shown = english.get(url).content.decode()
    assert "The model dear is not open to your business any more" in shown
    assert "dear (not open to you any more)" in shown
    assert (
        "the model dear is not open to you any more" in english.get(page("home")).content.decode()
    )
    # Other settings are saved all the same; another model ends the notice once it is published.
    assert (
        english.post(url, draft(shop, rungs=["composed"], composed_model="dear")).status_code == 302
    )
    english.post(url, draft(shop, rungs=["composed"], composed_model=""))
    english.post(page("publication", shop.assistant.id), {"note": ""})
    assert english.get(url).context["withheld_models"] == []
    refused = english.post(url, draft(shop, composed_model="dear"))
    assert refused.context["form"].errors
