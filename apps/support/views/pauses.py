"""Shipping pauses of the seasons: written by hand, told by the assistant."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.support.forms_rules import PauseForm
from apps.support.models import ShippingPause
from apps.support.services import pauses
from apps.support.views.doors import go_shop, shop_url
from furrow.dashboard.doors import actor_of, form_page, needs, refusals_in, say
from furrow.tenants.web import TenantRequest


@needs(get="edit", post="edit")
def pause_create(request: TenantRequest) -> HttpResponse:
    return _form(request, None)


@needs(get="edit", post="edit")
def pause_update(request: TenantRequest, pause_id: UUID) -> HttpResponse:
    return _form(request, pauses.pause_get(pause_id))


@needs(post="edit")
def pause_delete(request: TenantRequest, pause_id: UUID) -> HttpResponse:
    pauses.pause_remove(actor=actor_of(request), pause=pauses.pause_get(pause_id))
    say(request, _("The pause is removed. The assistant no longer tells it."))
    return go_shop(request, "zones")


def _form(request: TenantRequest, row: ShippingPause | None) -> HttpResponse:
    form = PauseForm(request.POST or None, initial=_initial(row) if row else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            pause_id = row.id if row else None
            pauses.pause_save(actor=actor_of(request), pause_id=pause_id, **form.pause())
            say(request, _("Saved. Answers tell it from now on."))
            return go_shop(request, "zones")
    return form_page(
        request,
        form,
        title=_("Shipping pause"),
        text=_("Days of the year on which some provinces get nothing, for example in deep frost."),
        submit=_("Save"),
        back=shop_url(request, "zones"),
    )


def _initial(row: ShippingPause) -> dict[str, Any]:
    return {
        "regions": "、".join(row.regions),
        "first_day": PauseForm.day_text(row.first_day),
        "last_day": PauseForm.day_text(row.last_day),
        "reason_zh": row.reason_zh,
        "reason_en": row.reason_en,
    }
