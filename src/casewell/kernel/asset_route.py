"""Serve the built assets: compressed where the browser takes it, kept for ever where versioned.

The app does it, not the server's own mount of files: that one can't send what is compressed, and a
first visit would load three times as much.
"""

from __future__ import annotations

from pathlib import Path

from flask import Response, request, send_from_directory
from werkzeug.security import safe_join

from casewell.kernel.assets import STATIC

_FOR_EVER = "public, max-age=31536000, immutable"
# Named here because what Python guesses differs from one machine to the next.
_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


def send_asset(filename: str) -> Response:
    """Answer with a file of `static/vendor/`, the one folder that is served. 404 for any other."""
    folder, name = STATIC / "vendor", filename.removeprefix("vendor/")
    zipped = safe_join(str(folder), f"{name}.gz")
    mimetype = _TYPES.get(Path(name).suffix, "text/plain")
    if request.accept_encodings["gzip"] and zipped and Path(zipped).is_file():
        answer = send_from_directory(
            folder, f"{name}.gz", mimetype=mimetype, download_name=Path(name).name
        )
        answer.headers["Content-Encoding"] = "gzip"
    else:
        answer = send_from_directory(folder, name, mimetype=mimetype)
    answer.headers["Vary"] = "Accept-Encoding"
    del answer.headers["Content-Disposition"]
    if request.args.get("v"):
        answer.headers["Cache-Control"] = _FOR_EVER
        del answer.headers["ETag"], answer.headers["Last-Modified"]  # nobody asks again
    else:  # an address without its version may mean another file tomorrow
        answer.headers["Cache-Control"] = "no-cache"
    return answer
