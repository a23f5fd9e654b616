"""The inbox: who waits, one conversation at a time, and who speaks in it."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from furrow.conversations import canned, desk, inbox, replies
from furrow.conversations.models import Conversation
from furrow.conversations.selectors import conversation_get
from furrow.core.errors import AppError, Conflict
from furrow.dashboard.doors import (
    actor_of,
    go_to,
    id_of,
    needs,
    page_url,
    paged,
    say,
    text_of,
    wants_json,
)
from furrow.dashboard.inbox_words import queue_names
from furrow.tenants.models import PERMISSIONS, Membership
from furrow.tenants.presence import members_present, presence_leave, presence_mark
from furrow.tenants.web import TenantRequest

PER_PAGE = 30
CHANGED = "talk-changed"


@needs(get="view", post="answer")
def inbox_page(request: TenantRequest) -> HttpResponse:
    """The queues; asks itself again every few seconds. A POST says that the member goes on a break."""
    if request.method == "POST":
        presence_leave(request.tenant.id, request.user.id)
        say(request, _("You are marked as away until you open the inbox again."))
        return go_to(request, "home")
    _present(request)
    wanted = text_of(request, "queue")
    queue = wanted if wanted in inbox.QUEUES else "waiting"
    rows = inbox.inbox_list(queue=queue, user_id=request.user.id)
    counts = inbox.inbox_counts(request.user.id)
    names = queue_names()
    context = {
        "page": paged(request, rows, per_page=PER_PAGE),
        "queue": queue,
        "tabs": [
            {"url": f"?queue={name}", "label": names[name], "count": counts.get(name), "is_current": name == queue}
            for name in inbox.QUEUES
        ],
        "waiting_count": counts["waiting"],
        "present": _names_present(request),
    }  # fmt: skip
    template = "dashboard/_inbox_list.html" if request.htmx else "dashboard/inbox.html"  # type: ignore[attr-defined]
    return TemplateResponse(request, template, context)


@needs(get="view")
def inbox_talk(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """One conversation. Its talk asks again with what it has seen, and gets 204 while nothing is new."""
    found = conversation_get(conversation_id)
    _present(request)
    version = inbox.version_of(found)
    is_part = bool(request.htmx)  # type: ignore[attr-defined]
    if is_part and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    if is_part:
        context = {**_talk_context(request, found), "version": version}
        return TemplateResponse(request, "dashboard/_talk.html", context)
    return _page(request, found, **_composer())


def _page(request: TenantRequest, found: Conversation, **composer: Any) -> TemplateResponse:
    status = composer.pop("status", 200)
    context = {
        **_talk_context(request, found),
        "version": inbox.version_of(found),
        "summary": inbox.summary_of(found, slug=request.tenant.slug),
        "canned": canned.canned_list(),
        "members": _members(),
        **composer,
    }
    return TemplateResponse(request, "dashboard/inbox_talk.html", context, status=status)


@needs(post="answer")
def inbox_reply(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """Sends a reply or keeps a note. When it is refused the text stays in the form."""
    found = conversation_get(conversation_id)
    write = replies.note_add if text_of(request, "as") == "note" else replies.reply_send
    text, key = request.POST.get("text", ""), text_of(request, "key")
    try:
        if text_of(request, "force") == "1":
            desk.conversation_take(user=request.user, conversation=found, is_forced=True)
        write(user=request.user, conversation=found, text=text, key=key)
    except AppError as error:
        return _refused(request, found, error, text=text, key=key)
    if not request.htmx:  # type: ignore[attr-defined]
        return go_to(request, "inbox_talk", found.id)
    context = {"conversation": found, "canned": canned.canned_list(), **_composer()}
    response = TemplateResponse(request, "dashboard/_composer.html", context)
    response["HX-Trigger"] = CHANGED
    return response


def _refused(
    request: TenantRequest, found: Conversation, error: AppError, *, text: str, key: str
) -> HttpResponse:
    found.refresh_from_db()
    composer = {
        "text": text,
        "key": key,
        "error": _(str(error.message)),
        "is_owned_by_other": error.code == "owned_by_other",
    }
    if not request.htmx:  # type: ignore[attr-defined]
        return _page(request, found, **composer, status=error.status)
    context = {"conversation": found, "canned": canned.canned_list(), **composer}
    # 200: htmx shows the form with the text and the reason.
    response = TemplateResponse(request, "dashboard/_composer.html", context)
    response["HX-Trigger"] = CHANGED
    return response


@needs(post="answer")
def inbox_owner(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    """Takes the conversation, or gives it to the member named by `member`."""
    found = conversation_get(conversation_id)
    member = text_of(request, "member")
    try:
        if member and member != str(request.user.id):
            chosen = desk.member_may_answer(id_of(member))
            desk.conversation_assign(actor=actor_of(request), conversation=found, user=chosen.user)
            name = chosen.user.name or chosen.user.email
            say(request, _("%(name)s has this conversation now.") % {"name": name})
        else:
            is_forced = text_of(request, "force") == "1"
            desk.conversation_take(user=request.user, conversation=found, is_forced=is_forced)
            say(request, _("You have this conversation now. The assistant is silent in it."))
    except Conflict as error:
        return _refused(request, found, error, text="", key=str(uuid4()))
    return go_to(request, "inbox_talk", found.id)


@needs(post="answer")
def inbox_hand_back(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    found = conversation_get(conversation_id)
    try:
        desk.conversation_hand_back(actor=actor_of(request), conversation=found)
    except Conflict as error:
        return _refused(request, found, error, text="", key=str(uuid4()))
    say(
        request,
        _("The assistant answers again in this conversation."),
        undo=page_url(request, "inbox_owner", found.id),
    )
    return go_to(request, "inbox_talk", found.id)


@needs(post="answer")
def inbox_close(request: TenantRequest, conversation_id: UUID) -> HttpResponse:
    found = conversation_get(conversation_id)
    try:
        desk.conversation_end(actor=actor_of(request), conversation=found)
    except Conflict as error:
        return _refused(request, found, error, text="", key=str(uuid4()))
    say(request, _("Closed. The visitor is asked how it was."))
    return go_to(request, "inbox")


@needs(post="answer")
def inbox_canned(request: TenantRequest, conversation_id: UUID, canned_id: UUID) -> HttpResponse:
    """A ready reply with its variables filled, behind what the form holds already. Nothing is sent."""
    found = conversation_get(conversation_id)
    row = canned.canned_get(canned_id)
    canned.canned_used(row)
    filled = canned.canned_filled(row, conversation=found, user=request.user)
    before = request.POST.get("text", "").rstrip()
    text = f"{before}\n{filled}" if before else filled
    if wants_json(request):
        return JsonResponse({"text": text})
    return _page(request, found, text=text, key=text_of(request, "key") or str(uuid4()))


@needs(post="answer")
def draft_sending(request: TenantRequest, draft_id: UUID) -> HttpResponse:
    found = replies.draft_get(draft_id)
    return _draft_done(
        request,
        found.conversation,
        lambda: replies.draft_send(user=request.user, draft=found, text=text_of(request, "text")),
    )


@needs(post="answer")
def draft_dropping(request: TenantRequest, draft_id: UUID) -> HttpResponse:
    found = replies.draft_get(draft_id)
    return _draft_done(
        request, found.conversation, lambda: replies.draft_drop(user=request.user, draft=found)
    )


def _draft_done(request: TenantRequest, found: Conversation, decide: Any) -> HttpResponse:
    try:
        decide()
    except AppError as error:
        return _refused(request, found, error, text=text_of(request, "text"), key=str(uuid4()))
    return go_to(request, "inbox_talk", found.id)


def _talk_context(request: TenantRequest, found: Conversation) -> dict[str, Any]:
    owner = desk.owner_present(found)
    return {
        "conversation": found,
        "entries": inbox.timeline(found),
        "owner": owner,
        "is_mine": owner is not None and owner.id == request.user.id,
        "clock": inbox.clock_of(found.waiting_since),
    }


def _composer() -> dict[str, Any]:
    return {"text": "", "key": str(uuid4()), "error": ""}


def _present(request: TenantRequest) -> None:
    if request.membership.can("answer"):
        presence_mark(request.tenant.id, request.user.id)


def _members() -> list[Membership]:
    rows = Membership.objects.filter(role__in=PERMISSIONS["answer"], user__is_active=True)
    return list(rows.select_related("user").order_by("created_at"))


def _names_present(request: TenantRequest) -> str:
    marks = set(members_present(request.tenant.id))
    names = [m.user.name or m.user.email for m in _members() if str(m.user_id) in marks]
    return ("、" if (get_language() or "zh").startswith("zh") else ", ").join(names)
