"""Pages that look after the knowledge: synonyms, findings, the search test's settings and questions of passages."""

from django.urls import reverse

from furrow.assistants.models import Assistant
from furrow.core.context import tenant_tx
from furrow.knowledge.models import Finding, KnownQuestion, SynonymGroup


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


def test_findings_are_kept_from_their_list(owner, cast, shop):
    with tenant_tx(cast.tenant.id):
        finding = Finding.objects.create(
            knowledge_base=shop.base, document=shop.document, version=shop.document.live_version,
            kind="placeholder", reason={"text": "x", "detail": "____", "times": 1}, start=0, end=4,
            excerpt="____", sha256="a" * 64,
        )  # fmt: skip
    url = page(cast, "findings", shop.base.id)
    assert "____" in owner.get(url).content.decode()
    owner.post(url, {"finding": [finding.id, "no id"], "state": "kept"})
    with tenant_tx(cast.tenant.id):
        assert Finding.objects.get(id=finding.id).state == "kept"
