"""What the inbox goes by: when people are there, what the assistant may do alone, and ready replies."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.conversations import canned
from furrow.conversations.topics import topic_modes, topic_modes_set
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    needs,
    page_url,
    refusals_in,
    say,
    text_of,
)
from furrow.dashboard.forms.inbox import CannedForm, SeasonForm, TopicsForm, WeekForm
from furrow.dashboard.inbox_words import VARIABLES
from furrow.tenants import hours
from furrow.tenants.web import TenantRequest


@needs(get="answer", post="edit")
def inbox_settings(request: TenantRequest) -> HttpResponse:
    """Two forms on one page, told apart by `form`."""
    known = hours.hours_read()
    which = text_of(request, "form") if request.method == "POST" else ""
    week = WeekForm(request.POST if which == "week" else None, weekly=known.weekly, zone=known.zone)
    topics = TopicsForm(request.POST if which == "topics" else None, modes=topic_modes())
    if which == "week" and week.is_valid():
        with refusals_in(week):
            zone = week.cleaned_data["zone"]
            hours.hours_set(actor=actor_of(request), weekly=week.weekly, zone=zone)
            say(request, _("The hours are saved."))
            return go_to(request, "inbox_settings")
    if which == "topics" and topics.is_valid():
        with refusals_in(topics):
            topic_modes_set(actor=actor_of(request), modes=topics.cleaned_data)
            say(request, _("Saved. It counts from the next question on."))
            return go_to(request, "inbox_settings")
    context = {
        "week": week,
        "topics": topics,
        "seasons": hours.seasons_list(),
        "canned": canned.canned_list(),
        "variables": VARIABLES,
    }
    return TemplateResponse(request, "dashboard/inbox_settings.html", context)


@needs(get="edit", post="edit")
def season_create(request: TenantRequest) -> HttpResponse:
    return _season(request, None)


@needs(get="edit", post="edit")
def season_update(request: TenantRequest, season_id: UUID) -> HttpResponse:
    return _season(request, hours.season_get(season_id))


def _season(request: TenantRequest, row: Any) -> HttpResponse:
    names = ("name", "starts_on", "ends_on", "is_yearly", "opens_at", "closes_at")
    initial = {name: getattr(row, name) for name in names} if row else {}
    form = SeasonForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            season_id = row.id if row else None
            hours.season_save(actor=actor_of(request), season_id=season_id, **form.season())
            say(request, _("The season is saved."))
            return go_to(request, "inbox_settings")
    return form_page(
        request,
        form,
        title=_("Season"),
        text=_("Days with hours of their own: a harvest, or a pause. The shorter one wins."),
        submit=_("Save"),
        back=page_url(request, "inbox_settings"),
    )


@needs(post="edit")
def season_delete(request: TenantRequest, season_id: UUID) -> HttpResponse:
    row = hours.season_get(season_id)
    hours.season_remove(actor=actor_of(request), season=row)
    say(request, _("The season is removed."))
    return go_to(request, "inbox_settings")


@needs(get="answer", post="answer")
def canned_create(request: TenantRequest) -> HttpResponse:
    return _canned(request, None)


@needs(get="answer", post="answer")
def canned_update(request: TenantRequest, canned_id: UUID) -> HttpResponse:
    return _canned(request, canned.canned_get(canned_id))


def _canned(request: TenantRequest, row: Any) -> HttpResponse:
    initial = {name: getattr(row, name) for name in ("title", "text_zh", "text_en")} if row else {}
    form = CannedForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            canned_id = row.id if row else None
            canned.canned_save(actor=actor_of(request), canned_id=canned_id, **form.cleaned_data)
            say(request, _("The ready reply is saved."))
            return go_to(request, "inbox_settings")
    words = "; ".join(f"{{{name}}} {label}" for name, label in VARIABLES.items())
    return form_page(
        request,
        form,
        title=_("Ready reply"),
        text=_("These are filled in by themselves: %(words)s") % {"words": words},
        submit=_("Save"),
        back=page_url(request, "inbox_settings"),
    )


@needs(post="answer")
def canned_delete(request: TenantRequest, canned_id: UUID) -> HttpResponse:
    row = canned.canned_get(canned_id)
    canned.canned_remove(actor=actor_of(request), canned=row)
    undo = page_url(request, "canned_restore", row.id)
    say(request, _("The ready reply is removed."), undo=undo)
    return go_to(request, "inbox_settings")


@needs(post="answer")
def canned_restore(request: TenantRequest, canned_id: UUID) -> HttpResponse:
    canned.canned_restore(actor=actor_of(request), canned=canned.canned_get(canned_id))
    return go_to(request, "inbox_settings")
