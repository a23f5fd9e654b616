"""Extension points: what a trade app or a lower layer registers in `AppConfig.ready`, and nothing else.

Each is one dict or list; a key registered twice is an error, so the order of apps cannot matter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID


class JobHandler(Protocol):
    """Runs one kind of job. Called with the tenant set but outside any transaction. May carry `retry_delays`,
    how long to wait after each failed attempt.
    """

    def run(self, job: "JobRun") -> None: ...

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        """Called once when the job is given up, inside `tenant_tx`."""


class JobRun(Protocol):
    """What a handler may know of its job."""

    tenant_id: UUID
    subject_id: UUID
    attempt: int

    def renew(self) -> None:
        """Extends the lease; raises `LeaseLost` when another worker took over."""


@dataclass(frozen=True)
class DashboardSection:
    """An entry of the tenant's navigation. `label` is a lazy translated string; `trade` is a key of `trades` whose
    businesses see it, empty for all.
    """

    key: str
    label: Any
    url_name: str
    icon: str
    order: int
    roles: frozenset[str] = frozenset({"owner", "admin", "staff", "viewer"})
    trade: str = ""


@dataclass(frozen=True)
class PanelLine:
    """A line a trade adds beside a conversation in the inbox; `url` opens what it is about."""

    label: Any
    text: str
    url: str = ""


@dataclass(frozen=True)
class ReportTable:
    """A table a trade adds to the monthly report. `heads` and `rows` are texts; the first column is the wide one."""

    title: Any
    heads: tuple[Any, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass
class Extensions:
    job_handlers: dict[str, JobHandler] = field(default_factory=dict)
    rungs: dict[str, Any] = field(default_factory=dict)
    # Rungs of the trades that answer from their own rows; the rung `fact` asks each.
    facts: dict[str, Any] = field(default_factory=dict)
    # What an answer of the rung `fact` was about, as cards: called with the question and its language, inside
    # `tenant_tx`; gives dicts of texts with `title`, and where known `spec`, `code`, `price`, `stock` and `as_of`.
    cards: dict[str, Callable[[str, str], list[dict[str, str]]]] = field(default_factory=dict)
    assistant_templates: dict[str, Any] = field(default_factory=dict)
    dashboard_sections: dict[str, DashboardSection] = field(default_factory=dict)
    # What a business may show or hide as a whole; the label is a lazy translation.
    trades: dict[str, Any] = field(default_factory=dict)
    # Dotted names: only the web server loads them, with all that describes the API.
    api_routers: dict[str, str] = field(default_factory=dict)
    dashboard_urls: dict[str, str] = field(default_factory=dict)
    demo_loaders: dict[str, Callable[[], None]] = field(default_factory=dict)
    # What trades tell by webhook: the event's name and its words for people, as a lazy translation.
    webhook_events: dict[str, Any] = field(default_factory=dict)
    # Called once a day, outside any transaction; says how much it threw away.
    upkeep: dict[str, Callable[[], int]] = field(default_factory=dict)
    # Of a conversation's id and the tenant's slug: lines for the inbox, and variables of ready replies.
    inbox_panels: dict[str, Callable[[UUID, str], list[PanelLine]]] = field(default_factory=dict)
    reply_variables: dict[str, Callable[[UUID], dict[str, str]]] = field(default_factory=dict)
    # Of the first and the last day of a month: tables of the monthly report.
    report_tables: dict[str, Callable[[date, date], list[ReportTable]]] = field(
        default_factory=dict
    )
    # Called with a name such as "budget.threshold" and its facts, after what happened has committed.
    listeners: dict[str, Callable[[str, dict[str, Any]], None]] = field(default_factory=dict)

    def register(self, point: str, key: str, value: Any) -> None:
        table: dict[str, Any] = getattr(self, point)
        if key in table and table[key] is not value:
            raise ValueError(f"{point} already has {key!r}")
        table[key] = value


extensions = Extensions()
