"""Words for what is told by e-mail and webhook, and for what kept a message from arriving."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from furrow.core.extensions import extensions

_NEWS = {
    "ticket.opened": _lazy("A visitor asks for a person"),
    "budget.threshold": _lazy("A budget reaches a level you chose"),
    "credit.low": _lazy("The credit paid in advance runs low or is used up"),
    "invoice.closed": _lazy("The bill of a month is ready"),
    "ping": _lazy("Test message"),
}
_DELIVERY_ERRORS = {
    "dns_failed": _lazy("The name of the address was not found."),
    "address_refused": _lazy(
        "The address lies in a private network; messages go to public ones only."
    ),
    "url_invalid": _lazy("The address cannot be used."),
    "no_answer": _lazy("Nobody answered at the address."),
    "refused": _lazy("The program there did not accept the message."),
    "switched_off": _lazy("The address is switched off or removed."),
}


def news_event(name: str) -> str:
    return str(_NEWS.get(name) or extensions.webhook_events.get(name, name))


def delivery_error(code: str) -> str:
    return str(_DELIVERY_ERRORS.get(code, _("Sending failed.")))
