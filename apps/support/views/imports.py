"""Importing a file: choose, look, take over, take back."""

import csv
import io
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.support import selectors
from apps.support.forms import ImportForm
from apps.support.importing.columns import KINDS, columns_of
from apps.support.models import ImportBatch, ImportRow
from apps.support.models.imports import ImportKind
from apps.support.services import imports as services
from apps.support.views.doors import go_shop, goods_tabs, shop_url
from furrow.core.errors import Invalid
from furrow.dashboard.doors import actor_of, needs, paged, refusals_in, say
from furrow.tenants.web import TenantRequest, require

SHOWN_ROWS = 20
_SAMPLES: dict[str, list[list[str]]] = {
    "products": [["商家编码", "商品名称", "英文名", "类目", "别名", "净重", "零售价", "库存", "采收期", "储存"],
                 ["HN-1", "脐橙大果", "Navel orange large", "脐橙", "橙子、orange", "5kg", "69.90", "120", "11月10日-1月31日", "5–8℃冷藏45天"]],
    "stock": [["商家编码", "库存数量"], ["HN-1", "120"]],
    "shipping": [["区域", "省份", "快递", "时效", "首重", "首重运费", "续重运费", "包邮金额"],
                 ["一区", "江西、广东、福建", "顺丰速运", "2-3天", "5", "8", "1.5", "99"]],
    "orders": [["订单编号", "订单状态", "买家", "手机", "省", "下单时间", "实付金额", "运费", "商家编码", "数量", "物流公司", "物流单号"],
               ["QH20261118-007", "已发货", "buyer1", "138****2020", "上海市", "2026-11-18 09:00", "88.00", "0", "HN-1", "1", "顺丰速运", "SF1234567890"]],
}  # fmt: skip


@needs(get="view")
def imports(request: TenantRequest) -> TemplateResponse:
    context = {
        "page": paged(request, selectors.batches_list()),
        "tabs": goods_tabs(request, "imports"),
    }
    return TemplateResponse(request, "support/imports.html", context)


@needs(get="answer", post="answer")
def import_create(request: TenantRequest) -> HttpResponse:
    kind = request.GET.get("kind", "products")
    form = ImportForm(request.POST or None, request.FILES or None, initial={"kind": kind})
    if request.method == "POST" and form.is_valid():
        _allow(request, form.cleaned_data["kind"])
        file: UploadedFile[Any] = form.cleaned_data["file"]
        with refusals_in(form):
            batch = services.batch_create(
                actor=actor_of(request),
                kind=form.cleaned_data["kind"],
                platform=form.cleaned_data["platform"],
                data=file.read(),
                file_name=file.name or "file",
                user_id=request.user.pk,
            )
            return go_shop(request, "import", batch.id)
    context = {"form": form, "kinds": list(KINDS)}
    return TemplateResponse(request, "support/import_new.html", context)


@needs(get="view")
def sample(request: TenantRequest, kind: str) -> HttpResponse:
    """With a byte order mark, so that a spreadsheet opens its Chinese."""
    if kind not in _SAMPLES:
        raise Http404
    out = io.StringIO()
    csv.writer(out).writerows(_SAMPLES[kind])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return response


@needs(get="view")
def import_show(request: TenantRequest, batch_id: UUID) -> TemplateResponse:
    batch = selectors.batch_get(batch_id)
    rows = ImportRow.objects.filter(batch=batch).order_by("line")
    by_column = {at: field for field, at in batch.columns.items()}
    context = {
        "batch": batch,
        "may_change": request.membership.can(_needed(batch.kind)),
        "preview": services.batch_preview(batch)
        if batch.state == ImportBatch.State.PREVIEW
        else None,
        "columns": [
            {"at": at, "name": name, "field": by_column.get(at, "")}
            for at, name in enumerate(batch.head)
        ],
        "fields": [column.field for column in columns_of(batch.kind)],
        "missing": [
            column.field
            for column in columns_of(batch.kind)
            if column.is_needed and column.field not in batch.columns
        ],
        "bad": paged(request, rows.exclude(problems=[]), per_page=50),
        "good": list(rows.filter(problems=[])[:SHOWN_ROWS]),
        "shown": list(batch.columns)[:8],
    }
    return TemplateResponse(request, "support/import.html", context)


@needs(post="answer")
def import_columns(request: TenantRequest, batch_id: UUID) -> HttpResponse:
    """Each column of the file says in a select what it means."""
    batch = _batch(request, batch_id)
    chosen = {
        value: int(name.removeprefix("column-"))
        for name, value in request.POST.items()
        if name.startswith("column-") and name.removeprefix("column-").isdigit() and value
    }
    names = [value for name, value in request.POST.items() if name.startswith("column-") and value]
    if len(names) != len(set(names)):
        raise Invalid(_("Two columns cannot mean the same."), field="columns")
    services.batch_remap(batch=batch, columns={str(k): v for k, v in chosen.items()})
    say(request, _("The file was read again."))
    return go_shop(request, "import", batch.id)


@needs(post="answer")
def import_apply(request: TenantRequest, batch_id: UUID) -> HttpResponse:
    batch = _batch(request, batch_id)
    recorder = services.batch_apply(
        actor=actor_of(request), batch=batch, is_good_only=request.POST.get("good_only") == "1"
    )
    say(
        request,
        _("Taken over: %(made)s new, %(changed)s changed.")
        % {"made": recorder.made, "changed": recorder.changed},
        undo=shop_url(request, "import_undo", batch.id),
    )
    return go_shop(request, "import", batch.id)


@needs(post="answer")
def import_undo(request: TenantRequest, batch_id: UUID) -> HttpResponse:
    batch = _batch(request, batch_id)
    services.batch_undo(actor=actor_of(request), batch=batch)
    say(request, _("Everything is as it was before the file."))
    return go_shop(request, "import", batch.id)


@needs(post="answer")
def import_drop(request: TenantRequest, batch_id: UUID) -> HttpResponse:
    batch = _batch(request, batch_id)
    services.batch_drop(actor=actor_of(request), batch=batch)
    say(request, _("The file was thrown away; nothing was taken over."))
    return go_shop(request, "imports")


def _batch(request: TenantRequest, batch_id: UUID) -> ImportBatch:
    batch = selectors.batch_get(batch_id)
    _allow(request, batch.kind)
    return batch


def _allow(request: TenantRequest, kind: str) -> None:
    """Who may not change a price by hand may not do it with a file."""
    require(request, _needed(kind))


def _needed(kind: str) -> str:
    return "edit" if kind in {ImportKind.PRODUCTS, ImportKind.SHIPPING} else "answer"
