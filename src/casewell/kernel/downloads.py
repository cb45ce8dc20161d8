"""Files as answers: whatever they hold, they don't open as a page of ours."""

from typing import BinaryIO
from urllib.parse import quote

from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

LOCKED = "sandbox; default-src 'none'; frame-ancestors 'none'"


def streamed(content: BinaryIO, size: int) -> Response:
    """Answer with a file, a part at a time; it is closed at the end, and no cache keeps it."""
    answer = Response(FileWrapper(content), direct_passthrough=True)
    answer.headers["Content-Length"] = str(size)
    answer.headers["Content-Security-Policy"] = LOCKED
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def as_download(answer: Response, name: str) -> Response:
    """Let an answer be saved under a name that may be in any script."""
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    answer.headers["Content-Security-Policy"] = LOCKED
    answer.mimetype = "application/octet-stream"
    return answer
