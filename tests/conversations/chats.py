"""A published assistant over real documents, and hands to chat with it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync

from furrow.assistants.models import Assistant
from furrow.assistants.services import assistant_create, assistant_publish
from furrow.conversations import services
from furrow.conversations.models import Conversation, Turn
from furrow.conversations.streams import follow
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.services import SYSTEM

SHIPPING = """# 运费与发货

每天16:00前付款的订单当天发货，16:00后的次日发货。

到北京的运费首5公斤12元，续重每公斤2元。

新疆、西藏和海外地区目前不发货。

# 坏果赔付

收到坏果请在签收后24小时内联系客服，并提供3张照片。

客服会在48小时内审核并退款。
"""
STORAGE = """# Storing kiwis

Keep unripe kiwis at room temperature; they soften in three to seven days.

Put the kiwis in a bag with one or two apples to ripen them faster.

# Orders

Gift boxes can carry a printed card of up to sixty letters.

Orders of thirty gift boxes or more get the wholesale price.
"""


@dataclass
class Chat:
    """One conversation; each question is answered at once by running the worker's job."""

    tenant_id: UUID
    assistant: Assistant
    conversation: Conversation

    def post(self, text: str, **options: Any) -> Turn:
        with tenant_tx(self.tenant_id):
            return services.turn_create(conversation=self.conversation, text=text, **options)

    def ask(self, text: str, **options: Any) -> Turn:
        turn = self.post(text, **options)
        assert jobs.run_next("chat")
        return self.fresh(turn)

    def fresh(self, turn: Turn) -> Turn:
        with tenant_tx(self.tenant_id):
            return Turn.objects.get(id=turn.id)

    def again(self, **options: Any) -> "Chat":
        return chat_with(self.tenant_id, self.assistant, **options)

    def frames(self, turn: Turn, last_event_id: str = "", limit: int = 1000) -> list[str]:
        """What a reader receives until the stream ends (or `limit` frames came)."""

        async def read() -> list[str]:
            received: list[str] = []
            reader = follow(self.tenant_id, turn.id, last_event_id)
            async for frame in reader:
                received.append(frame.decode())
                if len(received) == limit:
                    await reader.aclose()
                    break
            return received

        return async_to_sync(read)()


# The owner's wish that a model may write: `orchard_assistant(tenant_id, **WRITES)`.
WRITES = {"composed": {"enabled": True}}


def chat_with(tenant_id: UUID, assistant: Assistant, **options: Any) -> Chat:
    with tenant_tx(tenant_id):
        conversation = services.conversation_create(assistant=assistant, channel="api", **options)
    return Chat(tenant_id, assistant, conversation)


def run_ingest() -> None:
    while jobs.run_next("ingest"):
        pass


def orchard_assistant(tenant_id: UUID, **settings: Any) -> Assistant:
    """Published, over one Chinese and one English document that are ready."""
    with tenant_tx(tenant_id):
        base = knowledge_base_create(actor=SYSTEM, name="Shop")
        for title, text in (("运费与售后", SHIPPING), ("Storage guide", STORAGE)):
            document_add_text(actor=SYSTEM, knowledge_base=base, title=title, text=text)
    run_ingest()
    with tenant_tx(tenant_id):
        assistant = assistant_create(
            actor=SYSTEM,
            name="小青",
            template="shop",
            knowledge_base_ids=[base.id],
            settings=settings,
        )
        assistant_publish(actor=SYSTEM, assistant=assistant)
    return assistant
