"""Pages of one person: the one-time sign-in link, profile and language."""

from typing import cast

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from furrow.accounts.forms import ProfileForm
from furrow.accounts.models import User
from furrow.accounts.services import sign_in_link_use


@never_cache
def link(request: HttpRequest, token: str) -> HttpResponse:
    """GET only asks, so that a mail program's link preview does not spend the link."""
    if request.method != "POST":
        return render(request, "accounts/link.html")
    # allauth's login keeps its stages: an account with two-step sign-in still gives its code.
    return cast(HttpResponse, perform_login(request, sign_in_link_use(token=token)))


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return with_language(redirect("accounts:profile"), user.language)
    return render(request, "accounts/profile.html", {"form": form})


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remembers the language in a cookie, and with the person when signed in."""
    code, target = request.POST.get("language", ""), request.POST.get("next", "/")
    is_own = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    response = redirect(target if is_own else "/")
    if code not in dict(settings.LANGUAGES) or not check_for_language(code):
        return response
    if request.user.is_authenticated:
        request.user.language = code
        request.user.save(update_fields=["language"])
    return with_language(response, code)


def with_language(response: HttpResponse, code: str) -> HttpResponse:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=365 * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return response
