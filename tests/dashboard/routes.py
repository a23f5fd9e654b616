"""Every route of the dashboard with the ids it needs; a route whose parameter has no value here fails."""

from typing import Any

from django.urls import URLPattern, get_resolver, reverse

from furrow.dashboard.urls import urlpatterns


def dashboard_routes() -> list[URLPattern]:
    return [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]


def parameters(shop: Any) -> dict[str, Any]:
    return {
        "base_id": shop.base.id,
        "document_id": shop.document.id,
        "chunk_id": shop.chunks[0].id,
        "assistant_id": shop.assistant.id,
        "answer_id": shop.approved.id,
        "question_id": shop.known_question.id,
        "synonyms_id": shop.synonyms.id,
        "gap_id": shop.gap.id,
        "conversation_id": shop.conversation.id,
        "turn_id": shop.turn.id,
        "ticket_id": shop.ticket.id,
        "membership_id": shop.membership.id,
        "invitation_id": shop.invitation.id,
        "key_id": shop.key.id,
        "budget_id": shop.budget.id,
        "invoice_id": shop.invoice.id,
        "webhook_id": shop.webhook.id,
        "delivery_id": shop.delivery.id,
        "channel_id": shop.channel.id,
        "reply_id": shop.reply.id,
        "photo_id": shop.photo.id,
        "number": 1,
        "golden_id": shop.golden.id,
        "run_id": shop.run.id,
        "check_id": shop.check.id,
        "correction_id": shop.correction.id,
        "draft_id": shop.draft.id,
        "season_id": shop.season.id,
        "canned_id": shop.canned.id,
        "kind": "turn",
        "case_id": shop.turn.id,
    }


def url_of(route: URLPattern, slug: str, shop: Any) -> str:
    known = parameters(shop)
    needed = route.pattern.converters
    missing = [name for name in needed if name not in known]
    assert not missing, f"{route.name} needs {missing}: add a value in tests/dashboard/routes.py"
    kwargs = {name: known[name] for name in needed}
    return reverse(f"dashboard:{route.name}", kwargs={"tenant_slug": slug, **kwargs})


def tenant_prefixes() -> list[str]:
    """Every route of the project that names a tenant in its path."""
    return [
        str(pattern.pattern)
        for pattern in get_resolver().url_patterns
        if str(pattern.pattern).startswith("t/")
    ]
