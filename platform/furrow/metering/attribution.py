"""For whom and for what a model is called: set around a piece of work, read where the model is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

WALLET = "wallet"


@dataclass(frozen=True)
class Attribution:
    """Ids as text, empty where they do not apply."""

    assistant_id: str = ""
    api_key_id: str = ""
    member_id: str = ""
    visitor_id: str = ""
    channel: str = ""
    rung: str = ""
    turn_id: str = ""

    def scopes(self) -> list[str]:
        """The scopes whose budgets apply, e.g. `assistant:<id>`; a prepaid wallet is one more."""
        named = [
            f"{kind}:{value}"
            for kind, value in (
                ("assistant", self.assistant_id),
                ("key", self.api_key_id),
                ("member", self.member_id),
                ("visitor", self.visitor_id),
            )
            if value
        ]
        return ["tenant", *named]

    def as_json(self) -> dict[str, str]:
        return dict(vars(self))


_current: ContextVar[Attribution | None] = ContextVar("furrow_attribution", default=None)


def current_attribution() -> Attribution:
    return _current.get() or Attribution()


@contextmanager
def attributed(**changes: Any) -> Iterator[None]:
    """Adds to the attribution of what is called inside the block."""
    texts = {name: str(value) for name, value in changes.items() if value is not None}
    token = _current.set(replace(current_attribution(), **texts))
    try:
        yield
    finally:
        _current.reset(token)
