"""Handing out the bytes of documents: saved, or shown where a browser can do so safely."""

from typing import BinaryIO

from werkzeug.wrappers import Response

from casewell.kernel.downloads import LOCKED, as_download, streamed
from casewell.kernel.errors import NotFound
from casewell.messages.file_kinds import safe_to_preview

PDF = "application/pdf"
# A browser's own reader of PDFs does not work in a sandbox; it is one by itself.
PDF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def to_save(content: BinaryIO, name: str, size: int) -> Response:
    """Answer with a file to be saved: whatever it holds, it never opens as a page of ours."""
    return as_download(streamed(content, size), name)


def to_show(content: BinaryIO, content_type: str, size: int) -> Response:
    """Answer with a raster picture or a PDF for a page of ours. Raises NotFound for all else.

    `content_type` is what the bytes themselves show.
    """
    if not safe_to_preview(content_type):
        content.close()
        raise NotFound("This file can't be shown here. Download it.")
    answer = streamed(content, size)
    answer.mimetype = content_type
    answer.headers["Content-Disposition"] = "inline"
    answer.headers["Content-Security-Policy"] = PDF_POLICY if content_type == PDF else LOCKED
    answer.headers["X-Frame-Options"] = "SAMEORIGIN" if content_type == PDF else "DENY"
    return answer
