"""Claims: what waits, and each case with its photos, its reckoning and its letter."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.support import selectors
from apps.support.claiming.explain import words
from apps.support.forms import ClaimFactsForm, ClaimForm, NoteForm, PhotoForm
from apps.support.inbox import orders_named
from apps.support.models import Claim, ClaimPhoto, Order
from apps.support.services import claims as services
from apps.support.services.chat_claims import claim_order_set, photos_take
from apps.support.views.doors import go_shop, shop_url
from furrow.conversations.selectors import conversation_get
from furrow.core.errors import NotFound
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    id_of,
    needs,
    paged,
    refusals_in,
    say,
    text_of,
)
from furrow.knowledge.storage import file_path
from furrow.tenants.web import TenantRequest

# Which figures a reason may need; others would only be in the way.
_FIGURES: dict[str, set[str]] = {
    "spoiled": {"net_kg", "bad_kg", "bad_count", "total_count"},
    "not_ripening": {"net_kg", "bad_kg", "bad_count", "total_count"},
    "short_weight": {"net_kg", "received_kg"},
    "missing": {"bad_count", "total_count"},
    "not_sweet": {"sugar"},
    "late": {"days_late", "freight"},
    "lost": {"freight"},
}


@needs(get="view")
def claims(request: TenantRequest) -> TemplateResponse:
    state = text_of(request, "state")
    shown = state if state in Claim.State.values or state == "all" else Claim.State.REVIEW
    names = [*Claim.State.choices, ("all", _("All"))]
    counts = {value: selectors.claims_list(value).count() for value in ("review", "evidence")}
    tabs = [
        {
            "url": f"?state={value}",
            "label": label,
            "is_current": value == shown,
            "count": counts.get(value),
        }
        for value, label in names
    ]
    rows = selectors.claims_list("" if shown == "all" else shown)
    context = {"page": paged(request, rows), "tabs": tabs, "state": shown}
    return TemplateResponse(request, "support/claims.html", context)


@needs(get="answer", post="answer")
def claim_create(request: TenantRequest) -> HttpResponse:
    """For an order with `?order=`, or for goods of no known order."""
    order_id = text_of(request, "order") or request.GET.get("order", "")
    order = selectors.order_get(id_of(order_id)) if order_id else None
    chat_id = text_of(request, "conversation") or request.GET.get("conversation", "")
    chat = conversation_get(id_of(chat_id)) if chat_id else None
    if order is not None:
        lines = [line for line in order.lines.all() if line.sku]
        goods = [(line.sku.code, f"{line.sku.product} × {line.quantity}") for line in lines]
    else:
        goods = [(sku.code, f"{sku.product} {sku.code}") for sku in selectors.skus_live()]
    initial = {
        "sku_code": goods[0][0] if len(goods) == 1 else "",
        "language": "en" if chat and chat.language.startswith("en") else "zh",
    }
    form = ClaimForm(request.POST or None, goods=goods, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            code = form.cleaned_data["sku_code"]
            made = services.claim_open(
                actor=actor_of(request),
                reason=form.cleaned_data["reason"],
                order=order,
                sku=selectors.sku_get(code) if code else None,
                language=form.cleaned_data["language"],
            )
            if chat is not None:
                services.claim_link(claim=made, conversation=chat)
                photos_take(actor=actor_of(request), claim=made)
            return go_shop(request, "claim", made.id)
    back = shop_url(request, "order", order.id) if order else shop_url(request, "claims")
    text = _("For order %(number)s") % {"number": order.number} if order else ""
    return form_page(request, form, title=_("New claim"), submit=_("Go on"), back=back, text=text)


@needs(get="view")
def claim(request: TenantRequest, claim_id: UUID) -> TemplateResponse:
    found = selectors.claim_get(claim_id)
    return TemplateResponse(request, "support/claim.html", _context(found))


@needs(post="answer")
def claim_order(request: TenantRequest, claim_id: UUID) -> HttpResponse:
    """Names the order of a claim that began in a chat without one."""
    found = selectors.claim_get(claim_id)
    order = selectors.order_get(id_of(text_of(request, "order")))
    claim_order_set(actor=actor_of(request), claim=found, order=order)
    say(request, _("The order is noted; what it knows is filled in."))
    return go_shop(request, "claim", found.id)


@needs(post="answer")
def claim_facts(request: TenantRequest, claim_id: UUID) -> HttpResponse:
    found = selectors.claim_get(claim_id)
    form = _facts_form(found, request.POST)
    if form.is_valid():
        with refusals_in(form):
            services.claim_update(actor=actor_of(request), claim=found, facts=_given(form))
            say(request, _("Reckoned anew."))
            return go_shop(request, "claim", found.id)
    context = {**_context(found), "facts_form": form}
    return TemplateResponse(request, "support/claim.html", context)


@needs(post="answer")
def photo_create(request: TenantRequest, claim_id: UUID) -> HttpResponse:
    found = selectors.claim_get(claim_id)
    form = PhotoForm(request.POST, request.FILES)
    if form.is_valid():
        with refusals_in(form):
            services.photo_add(
                actor=actor_of(request),
                claim=found,
                kind=form.cleaned_data["kind"],
                data=form.cleaned_data["file"].read(),
            )
            say(request, _("The photo is kept."))
            return go_shop(request, "claim", found.id)
    return TemplateResponse(request, "support/claim.html", {**_context(found), "photo_form": form})


@needs(get="view")
def photo(request: TenantRequest, claim_id: UUID, photo_id: UUID) -> FileResponse:
    found = ClaimPhoto.objects.filter(claim_id=claim_id, id=photo_id).first()
    if found is None:
        raise NotFound(_("This photo does not exist."))
    response = FileResponse(file_path(found.file_key).open("rb"), content_type=found.content_type)
    response["Cache-Control"] = "private, max-age=3600"
    return response


@needs(post="answer")
def photo_kind(request: TenantRequest, claim_id: UUID, photo_id: UUID) -> HttpResponse:
    found = selectors.claim_get(claim_id)
    kind = text_of(request, "kind")
    services.photo_sort(actor=actor_of(request), claim=found, photo_id=photo_id, kind=kind)
    say(request, _("Noted what the photo shows."))
    return go_shop(request, "claim", found.id)


@needs(post="answer")
def photo_delete(request: TenantRequest, claim_id: UUID, photo_id: UUID) -> HttpResponse:
    found = selectors.claim_get(claim_id)
    services.photo_remove(actor=actor_of(request), claim=found, photo_id=photo_id)
    say(request, _("The photo is gone."))
    return go_shop(request, "claim", found.id)


@needs(post="answer")
def claim_decide(request: TenantRequest, claim_id: UUID) -> HttpResponse:
    found = selectors.claim_get(claim_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            done = services.claim_decide(
                actor=actor_of(request),
                claim=found,
                is_approved=request.POST.get("is_approved") == "1",
                note=form.cleaned_data["note"],
                user_id=request.user.pk,
                role=request.membership.role,
            )
            if done.is_open:
                say(request, _("Your yes is noted. A colleague has to look at it too."))
                return go_shop(request, "claim", found.id)
            say(
                request,
                _("Decided. The letter to the customer is below."),
                undo=shop_url(request, "claim_reopen", found.id),
            )
            return go_shop(request, "claim", found.id)
    return TemplateResponse(request, "support/claim.html", {**_context(found), "note_form": form})


@needs(post="answer")
def claim_reopen(request: TenantRequest, claim_id: UUID) -> HttpResponse:
    found = selectors.claim_get(claim_id)
    services.claim_reopen(actor=actor_of(request), claim=found)
    say(request, _("The claim is open again."))
    return go_shop(request, "claim", found.id)


def _context(found: Claim) -> dict[str, Any]:
    language = _language()
    wanted = found.rule_terms.get("evidence", [])
    have = {photo.kind for photo in found.photos.all()}
    return {
        "claim": found,
        "checklist": [
            {"label": ClaimPhoto.Kind(kind).label, "is_there": kind in have} for kind in wanted
        ],
        "missing": words(found.outcome.get("missing", []), language),
        "facts_form": _facts_form(found),
        "photo_form": PhotoForm(
            initial={"kind": next((k for k in wanted if k not in have), "other")}
        ),
        "note_form": NoteForm(),
        "kinds": ClaimPhoto.Kind.choices,
        "needs_two": selectors.needs_two(found),
        "orders": _orders_meant(found),
    }


def _orders_meant(found: Claim) -> list[Order]:
    """Orders named in the chat of a claim that has none."""
    if not found.is_open or found.order_id is not None or found.conversation_id is None:
        return []
    return orders_named(found.conversation_id)


def _facts_form(found: Claim, data: Any = None) -> ClaimFactsForm:
    exclusions = [
        (code, words([code], _language())) for code in found.rule_terms.get("exclusions", [])
    ]
    names = {"paid", *_FIGURES.get(found.reason, set())}
    initial = {name: value for name, value in found.facts.items() if name in names | {"exclusions"}}
    return ClaimFactsForm(data, exclusions=exclusions, names=names, initial=initial)


def _given(form: ClaimFactsForm) -> dict[str, Any]:
    """Decimals as text: exact all the way."""
    return {
        name: str(value) if isinstance(value, Decimal) else value
        for name, value in form.cleaned_data.items()
    }


def _language() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"
