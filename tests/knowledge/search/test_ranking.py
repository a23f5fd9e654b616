"""What counts beyond the words: names, citations, known questions, twins, dates; and that each gives its reason."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk, Document, KnownQuestion
from furrow.knowledge.ranking.known import Known, KnownQuestions, Place
from furrow.knowledge.ranking.naming import documents_named
from furrow.knowledge.services.known import known_question_add, known_question_delete
from furrow.knowledge.text.analysis import analyse_query
from furrow.knowledge.text.names import families_cited, family, readable
from furrow.tenants.services import SYSTEM


def test_named_document_comes_first(shop):
    for name in ("LimeEnergyCo_19990909_Distributor", "Theglobe_Sponsorship", "Papa_Franchise"):
        shop.add_text(name, "Either party may end the agreement by notice of thirty days.")
    shop.run_jobs()
    result = shop.search(
        "Consider the Theglobe sponsorship; who may end it by notice?", mode="lexical"
    )
    assert result.hits[0].title == "Theglobe_Sponsorship"
    assert result.hits[0].reasons["named"] > 1


def test_a_word_of_a_title_does_not_name_it():
    query = analyse_query("退货的运费谁出")
    assert documents_named(query, {1: "退货政策与售后服务说明", 2: "发货时间"}) == {}
    assert 1 in documents_named(
        analyse_query("退货政策与售后服务说明里怎么写"), {1: "退货政策与售后服务说明"}
    )


def test_joined_words_of_a_title_are_found(shop):
    shop.add_text("HarvestNoticeAutumn", "Picking begins on Monday.")
    shop.run_jobs()
    assert shop.found("autumn notice", mode="lexical") == ["HarvestNoticeAutumn"]


def test_cited_work_counts_more(shop):
    shop.add_text("果园管理办法", "果树每年修剪两次。")
    shop.add_text("果园工作手册", "果树每年修剪两次。\n一般在冬天。")
    shop.add_text("通知甲", "按照《果园工作手册》执行。")
    shop.add_text("通知乙", "细则见《果园工作手册》第三条。")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        assert Document.objects.get(title="果园工作手册").cited_by == 2
    result = shop.search("果树修剪", mode="lexical")
    cited = next(hit for hit in result.hits if hit.title == "果园工作手册")
    assert cited.reasons["cited"] > 1


def test_known_question_teaches_like_ones(shop):
    shop.add_text("Rules", "坏果请在两天内拍照。")
    shop.add_text("Other", "店门口有停车位。")
    shop.run_jobs()
    assert shop.found("桃子发霉找谁", mode="lexical") == []
    with tenant_tx(shop.tenant_id):
        chunk = Chunk.objects.select_related("document").get(text__contains="坏果")
        question = known_question_add(actor=SYSTEM, chunk=chunk, text="桃子发霉怎么办")
        assert known_question_add(actor=SYSTEM, chunk=chunk, text="桃子发霉怎么办") == question
    hit = shop.search("桃子发霉找谁", mode="lexical").hits[0]
    assert (hit.title, "known_passage" in hit.reasons) == ("Rules", True)
    with tenant_tx(shop.tenant_id):
        known_question_delete(actor=SYSTEM, question=question)
    assert shop.found("桃子发霉找谁", mode="lexical") == []


def test_known_question_follows_its_passage_into_a_new_version(shop):
    shop.upload("坏果请在两天内拍照。\n", "rules.txt")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        chunk = Chunk.objects.select_related("document").get()
        known_question_add(actor=SYSTEM, chunk=chunk, text="水果烂了找谁")
    shop.upload("坏果请在两天内拍照。", "rules.txt")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        assert (
            KnownQuestion.objects.get().chunk_id
            == Chunk.objects.get(is_enabled=True, version__state="live").id
        )
    shop.upload("坏果请在三天内拍照。", "rules.txt")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        assert KnownQuestion.objects.get().chunk_id is None


def test_stranger_is_taught_nothing(shop, cast):
    shop.add_text("Rules", "坏果请在两天内拍照。")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        chunk = Chunk.objects.select_related("document").get()
        known_question_add(actor=SYSTEM, chunk=chunk, text="水果烂了找谁")
    with tenant_tx(cast.other_tenant.id):
        assert not KnownQuestion.objects.exists()


def test_lessons_fade_with_unlikeness():
    place = Place(UUID(int=1), "law", "part")
    teacher = KnownQuestions([Known("水果烂了怎么办", (place,))], {"law": 1}, 10)
    like, unlike = (teacher.lessons(analyse_query(q)) for q in ("水果烂了找谁", "几点开门"))
    assert like.chunks[UUID(int=1)] > 0
    assert not unlike.chunks


def test_words_nearly_the_same_are_shown_once(shop):
    text = "收到货物以后请在四十八小时内检查，发现问题马上拍照并联系客服。"
    shop.add_text("One", text)
    shop.add_text("Two", text.replace("，", ",", 1))
    shop.add_text("Three", text.replace("四十八", "二十四"))
    shop.run_jobs()
    result = shop.search("收到货物检查拍照", mode="lexical", explain=True)
    shown = {hit.title: hit.also_in for hit in result.hits}
    assert len(shown) == 2
    assert "Three" in shown
    assert sorted(map(tuple, shown.values())) in ([(), ("One",)], [(), ("Two",)])
    assert [cut.code for cut in result.cut] == ["duplicate"]


def test_search_tells_what_its_dates_keep_back(shop):
    today = timezone.localdate()
    shop.add_text("Old", "Autumn discount ten percent.", valid_to=today - timedelta(days=1))
    shop.add_text("Soon", "Winter discount ten percent.", valid_from=today + timedelta(days=1))
    shop.run_jobs()
    result = shop.search("discount", explain=True)
    assert result.hits == []
    assert {(cut.hit.title, cut.code) for cut in result.cut} == {
        ("Old", "expired"),
        ("Soon", "not_yet_valid"),
    }
    day = (today + timedelta(days=2)).isoformat()
    assert shop.found("discount", filters={"valid_on": day}) == ["Soon"]
    before = today - timedelta(days=3)
    result = shop.search("discount", explain=True, filters={"valid_on": before})
    assert [hit.title for hit in result.hits] == ["Old"]
    assert [(cut.hit.title, cut.code) for cut in result.cut] == [("Soon", "not_yet_valid")]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("中华人民共和国民法典第五十四条", "民法典"),
        ("退货政策_v2 2024.docx", "退货政策"),
        ("价目表（2025年3月）.xlsx", "价目表"),
        ("Price list 2025.pdf", "price list"),
        ("第三条", "第三条"),
    ],
)
def test_editions_and_articles_are_one_family(title, name):
    assert (family(title) or title) == name


def test_titles_between_marks_are_cited():
    assert families_cited("依照《中华人民共和国公司法》和《公司法》第三条") == ["公司法"]
    assert readable("TheglobeComInc_EX-10") == "Theglobe Com Inc EX 10"
