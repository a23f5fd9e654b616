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
from furrow.channels.identity import identity_secret, identity_secret_renew
from furrow.channels.models import Widget
from furrow.channels.services import widget_ensure, widget_identity_set, widget_update
from furrow.dashboard.doors import actor_of, go_to, needs, refusals_in, say
from furrow.dashboard.forms.widget import WidgetForm
from furrow.tenants.web import TenantRequest

DEFAULT_COLOR = "#2f6b3c"
# What the site's server runs, in the language that most can read; docs/api.md says the rule.
IDENTITY_CODE = """import base64, hashlib, hmac, json, time

def furrow_identity(secret, customer_id, name):
    claims = {"id": customer_id, "name": name, "exp": int(time.time()) + 600}
    head = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return head + "." + hmac.new(secret.encode(), head.encode(), hashlib.sha256).hexdigest()"""


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
        "identity_code": IDENTITY_CODE,
        "secret": identity_secret(found) if request.membership.can("manage_keys") else "",
        "greeting": config.greeting["en" if get_language() == "en" else "zh"],
    }
    return TemplateResponse(request, "dashboard/widget.html", context)


def _initial(found: Widget) -> dict[str, object]:
    usual = {"color": DEFAULT_COLOR, "position": "right", "language": "auto", "mode": "bubble"}
    theme = {**usual, "scheme": "auto", "sound": "on", "notice_after": "8", **found.theme}
    limits = (
        "messages_per_minute",
        "messages_per_day",
        "is_enabled",
        "allowed_origins",
        "identity",
    )
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
    if data["identity"] and data["identity"] != found.identity:
        widget_identity_set(actor=actor_of(request), widget=found, identity=data["identity"])


@needs(post="manage_keys")
def widget_secret(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    """A new secret for signed customers; what the site signs with the old one counts no more."""
    found = widget_ensure(assistant=assistant_get(assistant_id))
    identity_secret_renew(actor=actor_of(request), widget=found)
    say(request, _("There is a new secret. Put it on your server now."))
    return go_to(request, "widget", assistant_id)


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
    if found.theme.get("mode") == "inline":
        attributes |= {"data-mode": "inline", "data-target": "#furrow-chat"}
    for name in ("notice_zh", "notice_en"):
        if text := found.theme.get(name):
            attributes[f"data-{name.replace('_', '-')}"] = text
            attributes["data-notice-after"] = found.theme.get("notice_after", "8")
    if found.identity != Widget.Identity.OFF:
        attributes["data-identity"] = "…"
    pairs = "".join(format_html(' {}="{}"', *pair) for pair in attributes.items())
    place = '<div id="furrow-chat"></div>\n' if "data-mode" in attributes else ""
    return f'{place}<script src="{settings.PUBLIC_URL}/widget/v1.js"{pairs} async></script>'
