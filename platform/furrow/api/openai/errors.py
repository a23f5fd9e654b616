"""Failures in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`, which its clients understand."""

from typing import Any

from furrow.core.errors import (
    AppError,
    Conflict,
    Invalid,
    LimitReached,
    NotFound,
    NotSignedIn,
    Refused,
    TooLarge,
    UpstreamFailed,
)

_INVALID = "invalid_request_error"
_TYPES: dict[type[AppError], str] = {
    NotFound: _INVALID,
    Invalid: _INVALID,
    Refused: "permission_error",
    NotSignedIn: "authentication_error",
    Conflict: "conflict_error",
    TooLarge: _INVALID,
    LimitReached: "rate_limit_error",
    UpstreamFailed: "api_error",
}
# Codes that OpenAI's clients look for.
_CODES = {"not_signed_in": "invalid_api_key", "chat_too_long": "context_length_exceeded"}
# Not a failure of the machine: asking the same again is no use.
_STATUSES = {
    "chat_too_long": 400,
    "chat_refused": 400,
    "chat_busy": 503,
    "overloaded": 503,
    "chat_timeout": 504,
}
_KINDS = {
    "chat_too_long": _INVALID,
    "chat_refused": _INVALID,
    "budget_exceeded": "insufficient_quota",
    "model_withheld": "permission_error",
}


class BadRequest(Invalid):
    """What OpenAI answers with 400 and our own contract with 422."""

    status = 400


def bad_request(message: str, *, param: str | None = None, code: str = "invalid") -> BadRequest:
    return BadRequest(message, code=code, param=param)


def too_large(most: int) -> TooLarge:
    return TooLarge(f"The body is larger than {most} bytes.", code="request_too_large")


def model_missing(model: str) -> NotFound:
    """Also for another business's assistant: nobody can tell which."""
    return NotFound(
        f"The model '{model[:120]}' does not exist.", code="model_not_found", param="model"
    )


def error_status(error: AppError) -> int:
    if isinstance(error, Invalid):
        return 400
    if error.code == "chat_busy" and isinstance(error, LimitReached):
        return 429
    return _STATUSES.get(error.code, error.status)


def error_object(error: AppError, request_id: str) -> dict[str, Any]:
    kind = next((name for known, name in _TYPES.items() if isinstance(error, known)), "api_error")
    return {
        "error": {
            "message": str(error.message),
            "type": _KINDS.get(error.code, kind),
            "param": error.details.get("param") or error.details.get("field"),
            "code": _CODES.get(error.code, error.code),
            "request_id": request_id,
        }
    }


def error_headers(error: AppError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if retry_after := error.details.get("retry_after_s"):
        headers["retry-after"] = str(retry_after)
    if isinstance(error, NotSignedIn):
        headers["www-authenticate"] = "Bearer"
    if error.code == "budget_exceeded":
        # OpenAI's clients ask again on their own otherwise, and a budget does not refill in seconds.
        headers["x-should-retry"] = "false"
    return headers


def internal_error(request_id: str) -> dict[str, Any]:
    return {
        "error": {
            "message": "Something went wrong on our side.",
            "type": "api_error",
            "param": None,
            "code": "internal",
            "request_id": request_id,
        }
    }
