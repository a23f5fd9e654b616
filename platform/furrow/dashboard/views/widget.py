"""Where an assistant may be embedded and how it looks there."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from furrow.assistants.config import AssistantConfig
from furrow.assistants.selectors import assistant_get
from furrow.channels.models import Widget
from furrow.channels.services import widget_ensure, widget_update
from furrow.dashboard.doors import actor_of, go_to, needs, refusals_in, say
from furrow.dashboard.forms.assistants import WidgetForm
from furrow.tenants.web import TenantRequest

DEFAULT_COLOR = "#2f6b3c"


@needs(get="view", post="edit")
def widget(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    assistant = assistant_get(assistant_id)
    found = widget_ensure(assistant=assistant)
    form = WidgetForm(request.POST or None, initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            _saved(request, found, form)
            say(request, _("Saved."))
            return go_to(request, "widget", assistant.id)
    config = AssistantConfig.of_draft(assistant)
    context = {
        "assistant": assistant,
        "widget": found,
        "form": form,
        "snippet": _snippet(found),
        "greeting": config.greeting["en" if get_language() == "en" else "zh"],
    }
    return TemplateResponse(request, "dashboard/widget.html", context)


def _initial(found: Widget) -> dict[str, object]:
    theme = {"color": DEFAULT_COLOR, "position": "right", "language": "auto", **found.theme}
    limits = ("messages_per_minute", "messages_per_day", "is_enabled", "allowed_origins")
    return {**theme, **{name: getattr(found, name) for name in limits}}


def _saved(request: TenantRequest, found: Widget, form: WidgetForm) -> None:
    data = form.cleaned_data
    widget_update(
        actor=actor_of(request),
        widget=found,
        is_enabled=data["is_enabled"],
        allowed_origins=data["allowed_origins"],
        theme=form.theme(),
        messages_per_minute=data["messages_per_minute"],
        messages_per_day=data["messages_per_day"],
    )


def _snippet(found: Widget) -> str:
    """What the owner pastes. Colour and corner stand in it because the button is drawn before any request."""
    attributes = {
        "data-assistant": found.public_key,
        "data-color": found.theme.get("color", DEFAULT_COLOR),
        "data-position": found.theme.get("position", "right"),
    }
    language = found.theme.get("language", "auto")
    if language != "auto":
        attributes["data-lang"] = language
    pairs = "".join(format_html(' {}="{}"', *pair) for pair in attributes.items())
    return f'<script src="{settings.PUBLIC_URL}/widget/v1.js"{pairs} async></script>'
