"""What the shop sells, row by row."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.support import selectors
from apps.support.forms import SkuForm
from apps.support.services import catalogue
from apps.support.views.doors import go_shop, goods_tabs, shop_url
from furrow.dashboard.doors import actor_of, form_page, needs, paged, refusals_in, say, text_of
from furrow.tenants.web import TenantRequest


@needs(get="view")
def goods(request: TenantRequest) -> TemplateResponse:
    query = text_of(request, "q")
    page = paged(request, selectors.skus_found(query))
    stock = selectors.newest_stock([sku.id for sku in page.object_list])
    context = {
        "page": page,
        "rows": [(sku, stock.get(sku.id)) for sku in page.object_list],
        "query": query,
        "tabs": goods_tabs(request, "goods"),
        "limits": selectors.settings_now(),
    }
    return TemplateResponse(request, "support/goods.html", context)


@needs(get="edit", post="edit")
def sku_create(request: TenantRequest) -> HttpResponse:
    form = SkuForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            catalogue.sku_upsert(values=_given(form))
            say(request, _("Saved."))
            return go_shop(request, "goods")
    back = shop_url(request, "goods")
    return form_page(request, form, title=_("New goods"), submit=_("Add"), back=back)


@needs(get="edit", post="edit")
def sku_update(request: TenantRequest, sku_id: UUID) -> HttpResponse:
    sku = selectors.sku_by_id(sku_id)
    form = SkuForm(request.POST or None, initial=_initial(sku), has_code=False)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            catalogue.sku_upsert(values={"code": sku.code, **_given(form)})
            say(request, _("Saved. Answers tell it from now on."))
            return go_shop(request, "goods")
    back = shop_url(request, "goods")
    return form_page(
        request, form, title=str(sku.product), submit=_("Save"), back=back, text=sku.code
    )


@needs(post="edit")
def sku_delete(request: TenantRequest, sku_id: UUID) -> HttpResponse:
    sku = selectors.sku_by_id(sku_id)
    catalogue.sku_delete(actor=actor_of(request), sku=sku)
    say(request, _("Taken out."), undo=shop_url(request, "sku_restore", sku.id))
    return go_shop(request, "goods")


@needs(post="edit")
def sku_restore(request: TenantRequest, sku_id: UUID) -> HttpResponse:
    sku = selectors.sku_by_id(sku_id, include_deleted=True)
    catalogue.sku_restore(actor=actor_of(request), sku_id=sku.id)
    say(request, _("It is back."))
    return go_shop(request, "goods")


def _given(form: SkuForm) -> dict[str, Any]:
    """An emptied amount becomes unknown; an emptied stock or season is left as it was."""
    data = dict(form.cleaned_data)
    return {k: v for k, v in data.items() if v is not None or k in {"price", "net_weight_kg"}}


def _initial(sku: Any) -> dict[str, Any]:
    stock = selectors.newest_stock([sku.id]).get(sku.id)
    window = next(iter(sku.seasons.all()), None)
    tip = next(iter(sku.storage.all()), None)
    season = ""
    if window is not None:
        days = [f"{day // 100}月{day % 100}日" for day in (window.first_day, window.last_day)]
        season = "全年" if window.is_all_year else "–".join(days)
    return {
        "name_zh": sku.product.name_zh,
        "name_en": sku.product.name_en,
        "category": sku.product.category,
        "aliases": ", ".join(sku.product.aliases),
        "price": sku.price,
        "stock": stock.quantity if stock else None,
        "net_weight_kg": sku.net_weight_kg,
        "season": season,
        "storage_zh": tip.text_zh if tip else "",
        "storage_en": tip.text_en if tip else "",
        "is_cold_chain": sku.is_cold_chain,
    }
