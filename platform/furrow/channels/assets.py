"""The widget's scripts, for any site: small, compressed once, revalidated by ETag."""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

FOLDER = Path(__file__).parent / "static" / "widget"
SHORT = "public, max-age=300"
# Under the version that the loader names, a file never changes again.
FOR_EVER = "public, max-age=31536000, immutable"
_VERSION = re.compile(rb'const VERSION = "(\w+)"')


@dataclass(frozen=True)
class Asset:
    body: bytes
    packed: bytes
    etag: str


@require_safe
def script(request: HttpRequest, name: str) -> HttpResponseBase:
    """The loader finds its own host in the address it was loaded from, so the bytes are the same everywhere."""
    path = FOLDER / name
    if not path.is_file():
        response = HttpResponse(status=404, content_type="text/plain")
        response.headers["Cache-Control"] = SHORT
        return response
    asset = _asset(path, path.stat().st_mtime_ns)
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    etag = f'"{asset.etag}-gz"' if is_packed else f'"{asset.etag}"'
    response = HttpResponse(
        asset.packed if is_packed else asset.body, content_type="text/javascript; charset=utf-8"
    )
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = etag
    is_versioned = name != "v1.js" and request.GET.get("v", "") == _version()
    response.headers["Cache-Control"] = FOR_EVER if is_versioned else SHORT
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Accept-Encoding"])
    return get_conditional_response(request, etag=etag, response=response) or response


def _version() -> str:
    loader = FOLDER / "v1.js"
    found = _VERSION.search(_asset(loader, loader.stat().st_mtime_ns).body)
    return found[1].decode() if found else ""


@lru_cache(maxsize=64)
def _asset(path: Path, changed_ns: int) -> Asset:
    """Kept until the file changes."""
    body = path.read_bytes()
    return Asset(body, gzip.compress(body, 9, mtime=0), hashlib.sha256(body).hexdigest()[:20])
