"""Pages that look after the knowledge: synonyms, findings, the search test's settings and questions of passages."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from furrow.assistants.models import Assistant
from furrow.core.context import tenant_tx
from furrow.knowledge.cleaning.flag import words_hash
from furrow.knowledge.models import Document, DocumentVersion, Finding, KnownQuestion, SynonymGroup
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.services import SYSTEM


def page(cast, name, *args):
    return reverse(f"dashboard:{name}", args=[cast.tenant.slug, *args])


def test_synonyms_are_added_and_deleted(owner, cast, shop):
    owner.post(page(cast, "synonyms"), {"words": "蜜柚，MY-02、红柚"})
    with tenant_tx(cast.tenant.id):
        group = SynonymGroup.objects.order_by("-created_at")[0]
    assert group.words == ["蜜柚", "MY-02", "红柚"]
    assert "蜜柚 = MY-02 = 红柚" in owner.get(page(cast, "synonyms")).content.decode()
    owner.post(page(cast, "synonyms_delete", group.id))
    with tenant_tx(cast.tenant.id):
        assert not SynonymGroup.objects.filter(id=group.id).exists()


def test_one_word_is_refused_with_a_reason(owner, cast, shop):
    answer = owner.post(page(cast, "synonyms"), {"words": "蜜柚"})
    assert answer.status_code == 200
    assert answer.context["form"].errors["words"]


def test_search_says_how_the_assistant_searches_now(owner, cast, shop):
    shown = owner.get(page(cast, "search"), {"q": "发货", "limit": "20"}).content.decode()
    assert "字词和语义结合 · 8" in shown
    owner.post(page(cast, "search_apply"), {"assistant": shop.assistant.id, "mode": "lexical", "limit": 20})  # fmt: skip
    shown = owner.get(page(cast, "search"), {"q": "发货"}).content.decode()
    assert "· 20" in shown


def test_search_settings_go_to_the_assistant(owner, cast, shop):
    asked = {"assistant": shop.assistant.id, "mode": "lexical", "limit": 15}
    owner.post(page(cast, "search_apply"), asked)
    with tenant_tx(cast.tenant.id):
        settings = Assistant.objects.get(id=shop.assistant.id).settings
    assert settings["search"] == {"mode": "lexical", "limit": 15}


def test_passage_is_marked_as_the_answer(owner, cast, shop):
    owner.post(page(cast, "known_question", shop.chunks[1].id), {"text": "烂了怎么办？"})
    with tenant_tx(cast.tenant.id):
        question = KnownQuestion.objects.get(text="烂了怎么办？")
    assert question.chunk_id == shop.chunks[1].id


def test_known_question_is_shown_removed_and_taken_back(owner, viewer, cast, shop):
    url = page(cast, "document", shop.document.id)
    shown = owner.get(url).content.decode()
    assert "多久发货？" in shown
    assert f"?chunk={shop.chunks[0].id}" in shown
    removal = page(cast, "known_question_delete", shop.known_question.id)
    assert removal not in viewer.get(url).content.decode()
    after = owner.post(removal, follow=True).content.decode()
    assert "?chunk=" not in after
    assert page(cast, "known_question_restore") in after
    owner.post(page(cast, "known_question_restore"))
    with tenant_tx(cast.tenant.id):
        assert KnownQuestion.objects.get(text="多久发货？").chunk_id == shop.chunks[0].id
    assert owner.post(page(cast, "known_question_restore")).status_code == 404


def test_known_question_outlives_its_passage(owner, cast, shop):
    with tenant_tx(cast.tenant.id):
        KnownQuestion.objects.update(chunk=None)
    shown = owner.get(page(cast, "document", shop.document.id)).content.decode()
    assert "多久发货？" in shown
    assert "?chunk=" not in shown


def finding_made(cast, shop, **fields):
    fields = {
        "document": shop.document,
        "version": shop.document.live_version,
        "kind": "placeholder",
        "end": 4,
        "excerpt": "____",
        "start": 0,
        **fields,
    }
    fields.setdefault("reason", {"text": "x", "detail": "____", "times": 1})
    with tenant_tx(cast.tenant.id):
        return Finding.objects.create(
            knowledge_base=shop.base,
            sha256=words_hash(fields["kind"], fields["excerpt"]),
            **fields,
        )


def states(cast):
    with tenant_tx(cast.tenant.id):
        return dict(Finding.objects.values_list("excerpt", "state"))


def test_findings_are_kept_from_their_list_and_that_is_undone(owner, cast, shop):
    finding = finding_made(cast, shop)
    url = page(cast, "findings", shop.base.id)
    assert "<mark>____</mark>" in owner.get(url).content.decode()
    after = owner.post(url, {"finding": [finding.id, "no id"], "state": "kept"}, follow=True)
    assert states(cast) == {"____": "kept"}
    undo = page(cast, "findings_restore", shop.base.id)
    assert undo in after.content.decode()
    owner.post(undo)
    assert states(cast) == {"____": "open"}
    assert owner.post(undo).status_code == 404


def test_one_button_and_all_of_a_kind_decide(english, cast, shop):
    places = [finding_made(cast, shop, start=n, excerpt=f"__{n}__") for n in range(30)]
    url = page(cast, "findings", shop.base.id)
    english.post(url, {"one": f"removed {places[0].id}", "listed": "open"})
    assert [text for text, state in states(cast).items() if state == "removed"] == ["__0__"]
    assert "Tick the places" in english.post(url, {"state": "kept"}, follow=True).content.decode()
    done = english.post(url, {"all": "1", "state": "kept", "listed": "open", "kind": "stale"})
    assert done.url.endswith("?state=open&kind=stale")
    assert "kept" not in states(cast).values()
    english.post(url, {"all": "1", "state": "kept", "listed": "open", "kind": "placeholder"})
    assert sorted(states(cast).values()) == [*["kept"] * 29, "removed"]


def test_home_says_what_waits_for_a_look(english, cast, shop):
    home = page(cast, "home")
    assert "looks wrong" not in english.get(home).content.decode()
    finding_made(cast, shop)
    with tenant_tx(cast.tenant.id):
        Document.objects.update(valid_to=timezone.localdate() - timedelta(days=1))
    shown = english.get(home).content.decode()
    assert "1 place that looks wrong" in shown
    assert "Expired" in shown


def test_the_right_side_of_a_dispute_is_chosen(english, cast, shop):
    def side(start, said, other):
        others = [{"document": str(shop.document.id), "title": "Other", "said": "?", "start": other, "end": other + 3}]  # fmt: skip
        reason = {"said": said, "about": "box · price", "others": others, "detail": said}
        return finding_made(
            cast,
            shop,
            kind="contradiction",
            start=start,
            end=start + 3,
            excerpt=said,
            reason=reason,
        )

    right, _ = side(0, "58元", other=10), side(10, "68元", other=0)
    url = page(cast, "findings", shop.base.id)
    shown = english.get(url).content.decode()
    assert shown.count("Your documents disagree: box · price") == 1
    english.post(url, {"right": right.id})
    assert states(cast) == {"58元": "kept", "68元": "removed"}
    english.post(page(cast, "findings_restore", shop.base.id))
    assert states(cast) == {"58元": "open", "68元": "open"}
    assert english.post(url, {"right_document": shop.assistant.id}).status_code == 404


def test_a_document_is_right_wherever_it_is_disputed(english, cast, shop):
    with tenant_tx(cast.tenant.id):
        other = document_add_text(
            actor=SYSTEM, knowledge_base=shop.base, title="Other list", text="58"
        )
        version = DocumentVersion.objects.get(document=other)
        version.state = "live"
        version.save()
        Document.objects.filter(id=other.id).update(live_version=version)
    for n in range(3):
        place = {"start": 10 * n, "end": 10 * n + 3}
        theirs = {"said": "9", "others": [{"document": str(shop.document.id), **place}]}
        ours = {"said": "8", "others": [{"document": str(other.id), **place}]}
        finding_made(cast, shop, kind="contradiction", excerpt=f"our {n}", reason=ours, **place)
        finding_made(
            cast, shop, kind="contradiction", excerpt=f"their {n}", reason=theirs, **place,
            document=other, version=version,
        )  # fmt: skip
    url = page(cast, "findings", shop.base.id)
    assert english.get(url).content.decode().count("at 3 places") == 2
    english.post(url, {"right_document": other.id})
    assert {text[:3]: state for text, state in states(cast).items()} == {
        "our": "removed",
        "the": "kept",
    }


def test_expired_and_soon_expiring_documents_say_so(english, cast, shop):
    today = timezone.localdate()
    url = page(cast, "findings", shop.base.id)
    for ends, words in ((-1, "Not used in answers"), (0, "last day"), (3, "3 days left")):
        with tenant_tx(cast.tenant.id):
            Document.objects.update(valid_to=today + timedelta(days=ends))
        assert words in english.get(url).content.decode()
