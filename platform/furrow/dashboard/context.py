"""What every page needs: the tenant's navigation, the member's rights, the nonce of the page."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from furrow.core.extensions import extensions
from furrow.tenants.models import PERMISSIONS, Membership

MANAGE_FROM_ORDER = 200
# The phone's bottom bar has room for four; the rest stands under "More".
PHONE_KEYS = ("home", "inbox", "knowledge", "assistants")


@dataclass(frozen=True)
class NavigationEntry:
    key: str
    label: Any
    url: str
    icon: str
    order: int
    is_current: bool


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Asks the database nothing: error pages use it too."""
    context: dict[str, Any] = {"csp_nonce": getattr(request, "csp_nonce", "")}
    membership: Membership | None = getattr(request, "membership", None)
    if membership is not None:
        context["can"] = {name: membership.can(name) for name in PERMISSIONS}
        context["navigation"] = _navigation(membership, request.path)
    return context


def _navigation(membership: Membership, path: str) -> dict[str, list[NavigationEntry]]:
    sections = sorted(extensions.dashboard_sections.values(), key=lambda section: section.order)
    allowed = [
        section
        for section in sections
        if membership.role in section.roles and section.trade not in membership.tenant.hidden_trades
    ]
    urls = {s.key: reverse(s.url_name, args=[membership.tenant.slug]) for s in allowed}
    home = urls.get("home", "")
    inside = [key for key, url in urls.items() if path.startswith(url) and url != home]
    current = max(inside, key=lambda key: len(urls[key]), default="home" if path == home else "")
    entries = [
        NavigationEntry(s.key, s.label, urls[s.key], s.icon, s.order, s.key == current)
        for s in allowed
    ]
    return {
        "main": [entry for entry in entries if entry.order < MANAGE_FROM_ORDER],
        "manage": [entry for entry in entries if entry.order >= MANAGE_FROM_ORDER],
        "phone": [entry for entry in entries if entry.key in PHONE_KEYS],
        "rest": [entry for entry in entries if entry.key not in PHONE_KEYS],
    }
