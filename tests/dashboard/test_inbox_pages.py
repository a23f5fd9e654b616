"""The inbox's pages: answering, being too late, handing back, drafts, settings and the report."""

from typing import Any

import pypdfium2
import pytest

from furrow.conversations import desk
from furrow.conversations.models import CannedReply, Conversation, Draft, Message, TopicMode, Turn
from furrow.core.context import tenant_tx
from furrow.tenants.hours import hours_read
from furrow.tenants.models import HoursSeason
from furrow.tenants.presence import members_present

HTMX = {"HX-Request": "true"}


@pytest.fixture
def talk(cast: Any, shop: Any) -> Conversation:
    return shop.conversation


@pytest.fixture
def staff(cast: Any) -> Any:
    return cast.client(cast.teammate)


def now(cast: Any, talk: Conversation) -> Conversation:
    with tenant_tx(cast.tenant.id):
        return Conversation.objects.get(id=talk.id)


def texts(cast: Any) -> list[tuple[str, str]]:
    with tenant_tx(cast.tenant.id):
        return list(Message.objects.order_by("number").values_list("kind", "text"))


def test_who_waits_stands_in_the_queue_and_looking_marks_presence(cast, owner, talk, page):
    response = owner.get(page("inbox"))
    assert "多久发货" in response.content.decode()
    assert members_present(cast.tenant.id) == [str(cast.owner.id)]
    part = owner.get(page("inbox"), headers=HTMX).content.decode()
    assert "<html" not in part
    assert 'hx-trigger="every 3s"' in part
    owner.post(page("inbox"))
    assert members_present(cast.tenant.id) == []


def test_a_viewer_sees_the_queue_but_counts_as_nobody_at_work(cast, viewer, talk, page):
    assert viewer.get(page("inbox")).status_code == 200
    assert members_present(cast.tenant.id) == []
    assert viewer.post(page("inbox_reply", talk.id), {"text": "x"}).status_code == 403


def test_a_talk_that_did_not_change_is_not_sent_again(owner, talk, page):
    whole = owner.get(page("inbox_talk", talk.id))
    url = f"{page('inbox_talk', talk.id)}?seen={whole.context['version']}"
    assert owner.get(url, headers=HTMX).status_code == 204
    owner.post(page("inbox_reply", talk.id), {"text": "hello", "key": "k"})
    changed = owner.get(url, headers=HTMX)
    assert "hello" in changed.content.decode()


def test_a_reply_takes_the_conversation_and_empties_the_form(cast, owner, talk, page):
    form = {"text": "明天发货。", "key": "k1", "as": "reply"}
    response = owner.post(page("inbox_reply", talk.id), form, headers=HTMX)
    assert response["HX-Trigger"] == "talk-changed"
    assert "明天发货" not in response.content.decode()
    assert now(cast, talk).owner_id == cast.owner.id
    assert texts(cast) == [("staff", "明天发货。")]


@pytest.mark.parametrize("is_htmx", [True, False])
def test_the_second_to_answer_is_told_and_keeps_the_text(cast, owner, staff, talk, page, is_htmx):
    owner.post(page("inbox_reply", talk.id), {"text": "first", "key": "a"})
    form = {"text": "my long answer", "key": "b"}
    headers = HTMX if is_htmx else {}
    response = staff.post(page("inbox_reply", talk.id), form, headers=headers)
    assert response.status_code == (200 if is_htmx else 409)
    shown = response.content.decode()
    assert "my long answer" in shown
    assert "Owner" in shown
    assert 'name="force"' in shown
    assert texts(cast) == [("staff", "first")]
    staff.post(page("inbox_reply", talk.id), {**form, "force": "1"})
    assert texts(cast)[-1] == ("staff", "my long answer")
    assert now(cast, talk).owner_id == cast.teammate.id


def test_a_note_stays_inside(cast, owner, talk, page):
    owner.post(page("inbox_reply", talk.id), {"text": "ask Wang", "key": "n", "as": "note"})
    assert texts(cast) == [("note", "ask Wang")]
    assert now(cast, talk).owner_id is None


def test_taking_over_handing_back_and_closing(cast, owner, talk, page):
    owner.post(page("inbox_owner", talk.id))
    assert now(cast, talk).state == "human"
    owner.post(page("inbox_hand_back", talk.id))
    assert now(cast, talk).state == "bot"
    owner.post(page("inbox_close", talk.id))
    closed = now(cast, talk)
    assert (closed.state, closed.csat_asked_at is not None) == ("closed", True)
    assert owner.post(page("inbox_reply", talk.id), {"text": "x"}).status_code == 409


@pytest.mark.parametrize("page_name", ["inbox_hand_back", "inbox_close"])
def test_a_colleague_ends_nothing_that_another_has(cast, owner, staff, talk, page, page_name):
    owner.post(page("inbox_owner", talk.id))
    shown = staff.get(page("inbox_talk", talk.id)).content.decode()
    assert page("inbox_hand_back", talk.id) not in shown
    response = staff.post(page(page_name, talk.id))
    assert response.status_code == 409
    assert "Owner" in response.content.decode()
    assert (now(cast, talk).state, now(cast, talk).owner_id) == ("human", cast.owner.id)
    staff.post(page("inbox_owner", talk.id), {"force": "1"})
    assert staff.post(page(page_name, talk.id)).status_code == 302


@pytest.mark.parametrize("page_name", ["inbox_hand_back", "inbox_close"])
def test_who_leads_the_business_may_end_what_a_colleague_has(
    cast, owner, staff, talk, page, page_name
):
    staff.post(page("inbox_owner", talk.id))
    assert page(page_name, talk.id) in owner.get(page("inbox_talk", talk.id)).content.decode()
    assert owner.post(page(page_name, talk.id)).status_code == 302
    assert now(cast, talk).state != "human"


def test_a_conversation_is_given_to_a_colleague_who_may_answer(cast, owner, talk, page):
    owner.post(page("inbox_owner", talk.id), {"member": str(cast.teammate.id)})
    assert now(cast, talk).owner_id == cast.teammate.id
    for user in (cast.viewer, cast.stranger):
        response = owner.post(page("inbox_owner", talk.id), {"member": str(user.id)})
        assert response.status_code == 403
    assert now(cast, talk).owner_id == cast.teammate.id


def test_a_draft_is_sent_with_one_tap_or_changed_first(cast, owner, shop, page):
    owner.post(page("draft_sending", shop.draft.id), {"text": "明天发货。"})
    with tenant_tx(cast.tenant.id):
        draft = Draft.objects.get(id=shop.draft.id)
        assert (draft.state, draft.is_edited) == ("sent", True)
    assert texts(cast) == [("staff", "明天发货。")]
    assert owner.post(page("draft_dropping", shop.draft.id)).status_code == 409


def test_a_ready_reply_is_filled_behind_what_was_typed(cast, owner, talk, shop, page):
    url = page("inbox_canned", talk.id, shop.canned.id)
    answer = owner.post(url, {"text": "一句"}, headers={"Accept": "application/json"})
    assert answer.json()["text"] == "一句\n您好，我是Owner。"
    assert "我是Owner" in owner.post(url, {"text": ""}).content.decode()
    assert texts(cast) == []
    with tenant_tx(cast.tenant.id):
        assert CannedReply.objects.get(id=shop.canned.id).used_count == 2


def test_the_summary_says_what_the_assistant_could_not(cast, owner, talk, page):
    with tenant_tx(cast.tenant.id):
        Turn.objects.create(
            conversation=talk, number=2, text="能开专票吗", rung="human", status="done"
        )
    shown = owner.get(page("inbox_talk", talk.id)).content.decode()
    assert shown.count("能开专票吗") >= 3  # latest, not answered, and said


def test_hours_topics_and_seasons_are_set_on_one_page(cast, owner, staff, page):
    week = {"form": "week", "zone": "Asia/Shanghai", "from_0": "8:00", "to_0": "18：00"}
    owner.post(page("inbox_settings"), week)
    owner.post(
        page("inbox_settings"),
        {"form": "topics", **dict.fromkeys(("complaint", "claim", "order", "shipping", "goods", "other"), "draft")},
    )  # fmt: skip
    season = {"name": "冬歇", "starts_on": "2026-12-20", "ends_on": "2027-01-10", "is_yearly": "on"}
    owner.post(page("season_create"), season)
    with tenant_tx(cast.tenant.id):
        assert hours_read().weekly[0] == ("08:00", "18:00")
        assert set(TopicMode.objects.values_list("mode", flat=True)) == {"draft"}
        row = HoursSeason.objects.get(name="冬歇")
    assert "冬歇" in owner.get(page("inbox_settings")).content.decode()
    bad = owner.post(page("inbox_settings"), {**week, "from_0": "25:00"})
    assert bad.status_code == 200
    assert staff.post(page("season_delete", row.id)).status_code == 403
    owner.post(page("season_delete", row.id))
    with tenant_tx(cast.tenant.id):
        assert not HoursSeason.objects.filter(name="冬歇").exists()


def test_a_ready_reply_with_an_unknown_variable_is_refused(cast, owner, shop, page):
    form = {"title": "x", "text_zh": "{nonsense}"}
    response = owner.post(page("canned_create"), form)
    assert "{nonsense}" in response.content.decode()
    owner.post(page("canned_delete", shop.canned.id))
    owner.post(page("canned_restore", shop.canned.id))
    with tenant_tx(cast.tenant.id):
        assert CannedReply.objects.get().deleted_at is None


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_report_has_a_paper_in_the_readers_language(cast, owner, talk, page, language):
    with tenant_tx(cast.tenant.id):
        desk.conversation_take(user=cast.owner, conversation=talk)
    owner.cookies["django_language"] = language
    shown = owner.get(page("service"))
    assert shown.context["report"].served.handed_over == 1
    paper = owner.get(page("service_pdf"))
    words = "\n".join(
        each.get_textpage().get_text_range() for each in pypdfium2.PdfDocument(paper.content)
    )
    assert {"zh-hans": "接待", "en": "How visitors were served"}[language] in words
    assert cast.tenant.name in words


def test_money_stands_in_the_report_of_leaders_only(owner, viewer, talk, page):
    assert owner.get(page("service")).context["report"].worth is not None
    assert viewer.get(page("service")).context["report"].worth is None
