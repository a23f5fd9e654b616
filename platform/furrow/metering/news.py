"""Tells who listens what happened to money, after it was committed."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from furrow.core.extensions import extensions

Listener = Callable[[str, dict[str, Any]], None]


def news_tell(name: str, facts: dict[str, Any]) -> None:
    """Calls every listener once the transaction has committed. One that fails is logged: it must spoil neither
    the answer that was just paid nor the other listeners.
    """
    for listener in list(extensions.listeners.values()):
        _after_commit(listener, name, facts)


def _after_commit(listener: Listener, name: str, facts: dict[str, Any]) -> None:
    def tell() -> None:
        listener(name, facts)

    transaction.on_commit(tell, robust=True)
