"""Answers that are saved, never shown: whatever they hold, they don't open as a page of ours."""

from urllib.parse import quote

from werkzeug.wrappers import Response

LOCKED = "sandbox; default-src 'none'; frame-ancestors 'none'"


def as_download(answer: Response, name: str) -> Response:
    """Let an answer be saved under a name that may be in any script."""
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    answer.headers["Content-Security-Policy"] = LOCKED
    answer.mimetype = "application/octet-stream"
    return answer
