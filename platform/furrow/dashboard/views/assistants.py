"""Assistants: list, creation, the editor with its versions, publishing."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from furrow.assistants import selectors, services
from furrow.assistants.config import AssistantConfig, draft_json
from furrow.assistants.evaluation.selectors import check_open, golden_count
from furrow.assistants.models import Assistant
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    needs,
    page_url,
    refusals_in,
    say,
)
from furrow.dashboard.forms.assistants import (
    AssistantCreateForm,
    AssistantForm,
    PublishForm,
    threshold_words,
)
from furrow.dashboard.selectors import withheld_models
from furrow.dashboard.views.chat import test_chat
from furrow.dashboard.views.runs import publish_and_tell
from furrow.gateway.chat import chat_models
from furrow.knowledge.selectors import knowledge_bases_list
from furrow.tenants.web import TenantRequest

VERSIONS_SHOWN = 10


@needs(get="view")
def assistants(request: TenantRequest) -> TemplateResponse:
    context = {"assistants": selectors.assistants_list()}
    return TemplateResponse(request, "dashboard/assistants.html", context)


@needs(get="edit", post="edit")
def assistant_create(request: TenantRequest) -> HttpResponse:
    form = AssistantCreateForm(
        request.POST or None,
        bases=list(knowledge_bases_list()),
        initial={"name": request.tenant.name},
    )
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            made = services.assistant_create(actor=actor_of(request), **_ids(form.cleaned_data))
            return go_to(request, "assistant", made.id)
    return form_page(
        request,
        form,
        title=_("New assistant"),
        submit=_("Create"),
        back=page_url(request, "assistants"),
    )


@needs(get="view", post="edit")
def assistant(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    """The editor: settings left, live chat with the draft right."""
    found = selectors.assistant_get(assistant_id)
    bases = list(knowledge_bases_list())
    form = AssistantForm(request.POST or None, assistant=found, bases=bases, models=chat_models())
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            _saved(request, found, form)
            say(request, _("The draft is saved. Visitors see it after you publish."))
            return go_to(request, "assistant", found.id)
    language = "en" if get_language() == "en" else "zh"
    config = AssistantConfig.of_draft(found)
    context = {
        "assistant": found,
        "form": form,
        "threshold_words_json": json.dumps(threshold_words(), ensure_ascii=False),
        "publish_form": PublishForm(),
        "has_changes": _has_changes(found),
        "golden_count": golden_count(found),
        "open_check": check_open(found),
        "withheld_models": withheld_models(found),
        "versions": selectors.assistant_versions(found)[:VERSIONS_SHOWN],
        "greeting": config.greeting[language],
        "suggestions": config.suggestions[language],
        **test_chat(request, found),
    }
    return TemplateResponse(request, "dashboard/assistant.html", context)


def _saved(request: TenantRequest, found: Assistant, form: AssistantForm) -> None:
    data = _ids(form.cleaned_data)
    services.assistant_update(
        actor=actor_of(request),
        assistant=found,
        name=data["name"],
        instructions=data["instructions"],
        knowledge_base_ids=data["knowledge_base_ids"],
        rungs=form.chosen_rungs(),
        settings=form.settings(),
    )


def _has_changes(found: Assistant) -> bool:
    """Whether the draft differs from what visitors get."""
    if found.published is None:
        return True
    # Filled on both sides: a setting that came with a later release is no change of the owner's.
    draft, published = draft_json(found), AssistantConfig.of_version(found.published)
    return AssistantConfig.of_json(found.id, draft) != published


def _ids(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "knowledge_base_ids": [UUID(base) for base in data["knowledge_base_ids"]]}


@needs(post="edit")
def publication(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    found = selectors.assistant_get(assistant_id)
    note = request.POST.get("note", "")
    return publish_and_tell(request, found, note=note)


@needs(post="edit")
def roll_back(request: TenantRequest, assistant_id: UUID, number: int) -> HttpResponse:
    found = selectors.assistant_get(assistant_id)
    earlier = selectors.assistant_version_get(found, number)
    services.assistant_roll_back(actor=actor_of(request), assistant=found, version=earlier)
    say(request, _("Visitors get version %(n)s again.") % {"n": number})
    return go_to(request, "assistant", found.id)


@needs(post="edit")
def assistant_delete(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    found = selectors.assistant_get(assistant_id)
    services.assistant_delete(actor=actor_of(request), assistant=found)
    undo = page_url(request, "assistant_restore", found.id)
    say(request, _("“%(name)s” is deleted.") % {"name": found.name}, undo=undo)
    return go_to(request, "assistants")


@needs(post="edit")
def assistant_restore(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    found = selectors.assistant_get(assistant_id, include_deleted=True)
    services.assistant_restore(actor=actor_of(request), assistant=found)
    say(request, _("“%(name)s” is back.") % {"name": found.name})
    return go_to(request, "assistant", found.id)
