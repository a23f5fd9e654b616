"""Every refusal as OpenAI's error object, with an HTTP status.

ApiError
├── InvalidRequest  400        ├── TooLarge     413
├── Unauthorized    401        ├── QueueIsFull  429, Retry-After
└── UnknownModel    404        └── Unavailable  503, Retry-After
                                   └── Overloaded
"""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse


class ApiError(Exception):
    """`message` is for the client's developer and never quotes the input."""

    status = 500
    kind = "server_error"
    code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code or self.code
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, dict[str, str | None]]:
        error = {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error}

    def response(self) -> JSONResponse:
        headers = {}
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(self.retry_after_s)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.body(), status_code=self.status, headers=headers)


class InvalidRequest(ApiError):
    status, kind, code = 400, "invalid_request_error", "invalid_value"


class Unauthorized(ApiError):
    status, kind, code = 401, "authentication_error", "invalid_api_key"


class UnknownModel(ApiError):
    status, kind, code = 404, "invalid_request_error", "model_not_found"


class TooLarge(ApiError):
    status, kind, code = 413, "invalid_request_error", "request_too_large"


class QueueIsFull(ApiError):
    status, kind, code = 429, "rate_limit_error", "queue_full"


class Unavailable(ApiError):
    status, kind, code = 503, "server_error", "unavailable"


class Overloaded(Unavailable):
    code = "overloaded"


def api_error_response(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for this class only
    return error.response()


def http_error_response(_: Request, error: Exception) -> JSONResponse:
    """Starlette's own refusals (no such route, wrong method) in the same shape."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    shown = ApiError(str(error.detail), code=f"http_{error.status_code}")
    shown.status, shown.kind = error.status_code, "invalid_request_error"
    response = shown.response()
    response.headers.update(error.headers or {})
    return response


def unexpected_error_response(request: Request, _: Exception) -> JSONResponse:
    """Says nothing of the cause; the log has it under the request id."""
    response = ApiError("The server failed on this request.").response()
    # Starlette answers this one outside our middleware, which sets the header otherwise.
    response.headers["X-Request-Id"] = request.state.request_id
    return response
