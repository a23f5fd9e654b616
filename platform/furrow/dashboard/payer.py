"""What a member does in the dashboard counts in the member's budget."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from furrow.metering.attribution import attributed


class MemberPaysMiddleware:
    """Stands after authentication and before the tenant's own middleware, which runs the view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Only pages of a business; elsewhere the user is not even looked up.
        if not request.path.startswith("/t/") or not request.user.is_authenticated:
            return self.get_response(request)
        with attributed(member_id=request.user.pk, channel="dashboard"):
            return self.get_response(request)
