"""Addresses and tabs of contract review."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from furrow.tenants.web import TenantRequest


def contracts_url(request: TenantRequest, name: str, *args: Any) -> str:
    return reverse(f"contracts:{name}", args=[request.tenant.slug, *args])


def go_contracts(request: TenantRequest, name: str, *args: Any) -> HttpResponse:
    return redirect(contracts_url(request, name, *args))


def tabs(request: TenantRequest, current: str) -> list[dict[str, Any]]:
    names = (
        ("contracts", _("Contracts")),
        ("mine", _("Mine")),
        ("questions", _("Ask")),
        ("dates", _("Dates")),
        ("playbooks", _("Playbooks")),
        ("quality", _("Quality")),
    )
    return [
        {"url": contracts_url(request, name), "label": label, "is_current": name == current}
        for name, label in names
    ]


def language_code() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"
