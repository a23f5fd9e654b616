"""What stands beside a conversation in the inbox: who writes, as far as somebody vouches for it, and their photos."""

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.channels.models import OutsideUser, WidgetVisitor
from furrow.channels.photos import photos_of
from furrow.conversations.models import Conversation
from furrow.core.extensions import PanelLine


def panel(conversation_id: UUID, slug: str) -> list[PanelLine]:
    conversation = Conversation.objects.get(id=conversation_id)
    lines = []
    if name := writer_of(conversation):
        lines.append(PanelLine(_("Customer"), name))
    count = photos_of(conversation).count()
    if count:
        text = ngettext("%(n)s photo", "%(n)s photos", count) % {"n": count}
        url = reverse("dashboard:conversation", args=[slug, conversation_id])
        lines.append(PanelLine(_("Photos"), text, url))
    return lines


def writer_of(conversation: Conversation) -> str:
    """A name, or what the other side calls them; empty for an unknown visitor."""
    try:
        visitor = UUID(conversation.visitor_id)
    except ValueError:
        # Other code may name its visitors as it likes.
        return ""
    if conversation.channel == Conversation.Channel.WIDGET:
        known = WidgetVisitor.objects.filter(id=visitor).first()
        return (known.customer_name or known.customer_id) if known else ""
    if conversation.channel in {"rest", "wechat", "email"}:
        user = OutsideUser.objects.filter(id=visitor).first()
        return (user.name or user.external_id) if user else ""
    return ""
