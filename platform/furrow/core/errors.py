"""The error tree. Services raise; four edges translate: API handler, page middleware, job runner, stream loop.

AppError
├── NotFound        404  absent, or of another tenant: the caller cannot tell which
├── Invalid         422  the input is wrong; `details` may name fields
├── Refused         403  known caller, missing right
├── NotSignedIn     401  no or bad credential
├── Conflict        409  the state forbids it now
├── TooLarge        413  over a size cap
├── LimitReached    429  a rate or quota; `details["retry_after_s"]` when known
├── UpstreamFailed  502  another server failed; `permanent` decides whether a retry can help
└── Busy            503  the database has no place for this call now; `details["retry_after_s"]` is set
"""

import random
from typing import Any


class AppError(Exception):
    """A failure with a stable `code`, a sentence for a person and safe `details` for a program."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, **details: Any) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code or self.code
        self.details = details


class NotFound(AppError):
    status, code = 404, "not_found"


class Invalid(AppError):
    status, code = 422, "invalid"


class Refused(AppError):
    status, code = 403, "refused"


class NotSignedIn(AppError):
    status, code = 401, "not_signed_in"


class Conflict(AppError):
    status, code = 409, "conflict"


class TooLarge(AppError):
    status, code = 413, "too_large"


class LimitReached(AppError):
    status, code = 429, "limit_reached"


class UpstreamFailed(AppError):
    status, code = 502, "upstream_failed"

    def __init__(
        self, message: str, *, code: str | None = None, permanent: bool = False, **details: Any
    ) -> None:
        super().__init__(message, code=code, **details)
        self.permanent = permanent


class Busy(AppError):
    """What an edge makes of Django's `OperationalError`: nothing was done, and the same call may be made again."""

    status, code = 503, "busy"

    def __init__(self) -> None:
        # Whoever came at the same moment should not come back at the same moment.
        retry_after_s = random.randint(2, 6)  # noqa: S311  spreads load, guards nothing
        super().__init__(
            "Too many calls at this moment; nothing was done. Try again in a few seconds.",
            retry_after_s=retry_after_s,
        )
