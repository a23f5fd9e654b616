"""Asks a health address the way a visitor would; exit status 0 when it answers 200. Only the standard library."""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit


def main(address: str) -> int:
    # Production answers to its own host name only, see ALLOWED_HOSTS.
    host = urlsplit(os.environ.get("PUBLIC_URL", "")).netloc or urlsplit(address).netloc
    request = urllib.request.Request(address, headers={"Host": host})  # noqa: S310  our own address
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310  our own address
            return 0 if answer.status == 200 else 1
    except (urllib.error.URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
