"""Addresses of the shop's pages."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from furrow.tenants.web import TenantRequest


def shop_url(request: TenantRequest, name: str, *args: Any) -> str:
    return reverse(f"support:{name}", args=[request.tenant.slug, *args])


def go_shop(request: TenantRequest, name: str, *args: Any) -> HttpResponse:
    return redirect(shop_url(request, name, *args))


def goods_tabs(request: TenantRequest, current: str) -> list[dict[str, Any]]:
    names = (
        ("goods", _("Goods")),
        ("zones", _("Shipping")),
        ("rules", _("Claim rules")),
        ("policies", _("House rules")),
        ("imports", _("Imports")),
    )
    return [
        {"url": shop_url(request, name), "label": label, "is_current": name == current}
        for name, label in names
    ]
