"""The widget's calls about people: the feed of their words, and how the visitor felt in the end."""

from typing import Any

from furrow.channels import edge, selectors
from furrow.channels.sessions import Visit
from furrow.conversations import feed as feeds
from furrow.conversations.csat import COMMENT_LENGTH, csat_set
from furrow.core.context import tenant_tx
from furrow.core.errors import NotFound


@edge.endpoint("GET")
def feed(request: edge.WidgetRequest) -> edge.Result:
    """Holds one Redis connection and none to the database."""
    visit = edge.visit_of(request)
    with tenant_tx(visit.tenant_id):
        found = selectors.conversation_of(visit.visitor) or selectors.conversation_judged(
            visit.visitor
        )
    if found is None:
        raise NotFound("There is no conversation yet.")
    return feeds.feed_response(request, visit.tenant_id, found.id)


@edge.endpoint("POST")
@edge.visited
def csat(visit: Visit, body: dict[str, Any]) -> edge.Result:
    found = selectors.conversation_judged(visit.visitor)
    if found is None:
        raise NotFound("There is no conversation to judge.")
    row = csat_set(
        conversation=found,
        score=body.get("score", 0),
        comment=edge.text_field(body, "comment", length=COMMENT_LENGTH),
    )
    return 200, {"score": row.score}
