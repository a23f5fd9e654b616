"""Where visitors meet an assistant, and how news leaves."""

from furrow.channels.models.news import News, WebhookDelivery, WebhookEndpoint
from furrow.channels.models.outside import (
    Connection,
    InboundMessage,
    OutboundMessage,
    OutsideUser,
)
from furrow.channels.models.widget import Photo, Transcript, Widget, WidgetVisitor
from furrow.channels.models.widget import public_key as _public_key

# The first migration knows the default of keys under this name.
__all__ = [
    "_public_key",
    "Connection",
    "InboundMessage",
    "News",
    "OutboundMessage",
    "OutsideUser",
    "Photo",
    "Transcript",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Widget",
    "WidgetVisitor",
]
