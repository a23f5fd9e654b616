"""How much one visitor, one widget and one address may ask of us. Counted in Redis, exactly, also in parallel."""

import ipaddress

from furrow.channels.sessions import Visit
from furrow.core.keys import tenant_key
from furrow.core.rates import rate_check

CALLS_PER_MINUTE = 240
WIDGET_MESSAGES_PER_MINUTE = 300
HANDOFFS_PER_HOUR = 10
PHOTOS_PER_HOUR = 40
# A mail goes to an address that nobody has proven to be the visitor's.
TRANSCRIPTS_PER_DAY = 5
WIDGET_TRANSCRIPTS_PER_HOUR = 60


def call_count(visit: Visit) -> None:
    """Counts any call of a visitor: far above what the widget makes, well below what hurts."""
    _count(f"{CALLS_PER_MINUTE}/minute", visit, "calls", visit.visitor.id)


def message_count(visit: Visit) -> None:
    """Counts a message. The day comes last, so that it counts only what the other two let through."""
    visitor, widget = visit.visitor.id, visit.widget
    _count(f"{widget.messages_per_minute}/minute", visit, "messages", visitor)
    _count(f"{WIDGET_MESSAGES_PER_MINUTE}/minute", visit, "burst", widget.id)
    _count(f"{widget.messages_per_day}/day", visit, "messages", visitor)


def handoff_count(visit: Visit) -> None:
    _count(f"{HANDOFFS_PER_HOUR}/hour", visit, "handoffs", visit.visitor.id)


def photo_count(visit: Visit) -> None:
    _count(f"{PHOTOS_PER_HOUR}/hour", visit, "photos", visit.visitor.id)


def transcript_count(visit: Visit) -> None:
    _count(f"{WIDGET_TRANSCRIPTS_PER_HOUR}/hour", visit, "transcripts", visit.widget.id)
    _count(f"{TRANSCRIPTS_PER_DAY}/day", visit, "transcripts", visit.visitor.id)


def _count(rate: str, visit: Visit, *parts: object) -> None:
    key = tenant_key(visit.tenant_id, "widget", *parts)
    rate_check(rate, key, message="Too many requests from this visitor.")


def address_bucket(ip: str) -> str:
    """What counts as one address: a household has one IPv4 address but a whole /64 of IPv6."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)
