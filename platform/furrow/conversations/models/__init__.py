"""Conversations, their turns, the people who take over, and the sums of hours."""

from furrow.conversations.models.hours import ConversationHour, HourDue, TurnHour
from furrow.conversations.models.people import Draft, Handoff, Message, Ticket
from furrow.conversations.models.settings import CannedReply, TopicMode
from furrow.conversations.models.talk import Conversation, Csat, Feedback, Turn

__all__ = [
    "CannedReply",
    "Conversation",
    "ConversationHour",
    "Csat",
    "Draft",
    "Feedback",
    "Handoff",
    "HourDue",
    "Message",
    "Ticket",
    "TopicMode",
    "Turn",
    "TurnHour",
]
