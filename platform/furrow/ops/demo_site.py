"""A shop's own web page on another port, as a customer of the demo orchard would see it, with the widget."""

import argparse
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

PAGE = Path(__file__).parent / "demo" / "site" / "index.html"
KEY_FILE = "demo-widget-key"


class DemoSite(BaseHTTPRequestHandler):
    """Serves the page and nothing else; the widget's script comes from Furrow itself."""

    def __init__(self, *args: object, furrow_url: str, key_path: Path, **kwargs: object) -> None:
        self.furrow_url, self.key_path = furrow_url, key_path
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path.split("?", 1)[0] not in {"/", "/index.html"}:
            self.send_error(404)
            return
        key = self.key_path.read_text().strip() if self.key_path.is_file() else ""
        page = Template(PAGE.read_text(encoding="utf-8"))
        body = page.safe_substitute(furrow_url=self.furrow_url, widget_key=key).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """A demo page needs no access log."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--furrow-url", required=True)
    parser.add_argument("--key-file", type=Path, required=True)
    options = parser.parse_args()
    handler = partial(DemoSite, furrow_url=options.furrow_url, key_path=options.key_file)
    ThreadingHTTPServer(("127.0.0.1", options.port), handler).serve_forever()


if __name__ == "__main__":
    main()
