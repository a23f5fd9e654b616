"""How a visitor felt, in one tap; a second tap corrects the first."""

from django.utils.translation import gettext as _

from furrow.conversations.models import Conversation, Csat
from furrow.core.errors import Conflict, Invalid

COMMENT_LENGTH = 500


def csat_set(*, conversation: Conversation, score: int, comment: str = "") -> Csat:
    """Only of a conversation whose visitor was asked, or which a person has answered."""
    if isinstance(score, bool) or score not in {1, 2, 3}:
        raise Invalid(_("A score is 1, 2 or 3."), field="score")
    if len(comment) > COMMENT_LENGTH:
        raise Invalid(_("The comment is too long."), field="comment")
    if conversation.csat_asked_at is None and not conversation.handoffs.exists():
        raise Conflict(_("The visitor was not asked yet."), code="csat_not_asked")
    row: Csat = Csat.objects.update_or_create(
        conversation=conversation, defaults={"score": score, "comment": comment.strip()}
    )[0]
    return row
