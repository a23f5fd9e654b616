"""The error tree. Services raise; four edges translate: API handler, page middleware, job runner, stream loop.

AppError
├── NotFound        404  absent, or of another tenant: the caller cannot tell which
├── Invalid         422  the input is wrong; `details` may name fields
├── Refused         403  known caller, missing right
├── NotSignedIn     401  no or bad credential
├── Conflict        409  the state forbids it now
├── TooLarge        413  over a size cap
├── LimitReached    429  a rate or quota; `details["retry_after_s"]` when known
└── UpstreamFailed  502  another server failed; `permanent` decides whether a retry can help
"""

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
