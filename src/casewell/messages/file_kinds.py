"""What a file from outside is called and what it really is."""

import re
import unicodedata

MAX_NAME_BYTES = 255
MAX_EXTENSION_BYTES = 20
# Shown in the browser; everything else is downloaded. No SVG, HTML or XML: they run scripts.
PREVIEWABLE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})

MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"x\x9f\x3e\x22", "application/ms-tnef"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"{\\rtf", "application/rtf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"BEGIN:VCALENDAR", "text/calendar"),
    (b"BEGIN:VCARD", "text/vcard"),
)
MARKUP = (
    (re.compile(rb"<svg[\s>/]", re.IGNORECASE), "image/svg+xml"),
    (
        re.compile(rb"<(?:!doctype html|html|head|body|script|iframe|img|meta|a)\b", re.IGNORECASE),
        "text/html",
    ),
    (re.compile(rb"<\?xml"), "application/xml"),
)
EXTENSIONS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/csv": ".csv",
    "text/rfc822-headers": ".txt",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
    "message/feedback-report": ".txt",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/ics": ".ics",
    "application/ms-tnef": ".dat",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/pgp-signature": ".asc",
}
# Windows opens a device for these, whatever extension follows.
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(?:\.|$)")
FORBIDDEN = re.compile(r'[<>:"|?*/\\\x00-\x1f\x7f-\x9f\u2028\u2029]')
DOTS = re.compile(r"\.{2,}")


def shown_name(raw_name: str, content_type: str = "") -> str:
    """Return a name that can be shown, and saved on any system, without surprise.

    Only the last segment of a path is kept. Characters nobody can see (zero-width, or turning
    the direction of reading) are written out, so that `report[U+202E]fdp.exe` is what it is.
    At most 255 bytes of UTF-8; the extension survives the cut.
    """
    name = re.split(r"[/\\]", raw_name[:20_000])[-1]
    name = unicodedata.normalize("NFC", FORBIDDEN.sub("_", name))
    name = "".join(map(_visible, name)).encode("utf-8", "replace").decode()
    name = DOTS.sub(".", " ".join(name.split())).rstrip(". ")
    if name.startswith("."):
        name = f"_{name}"
    if not name.strip("_ "):
        return f"attachment{EXTENSIONS.get(content_type, '.bin')}"
    if RESERVED.match(name.lower()):
        name = f"_{name}"
    return _cut(name)


def sniff(content: bytes) -> str:
    """Return the type the first bytes show; neither name nor declared type is asked."""
    for magic, content_type in MAGIC:
        if content.startswith(magic):
            return content_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "image/heic" if content[8:11] in (b"hei", b"mif") else "video/mp4"
    head = content[:2048]
    if b"\x00" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return "application/octet-stream"
    for pattern, content_type in MARKUP:
        if pattern.search(head):
            return content_type
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return "application/octet-stream"
    return "text/plain" if head else "application/octet-stream"


def safe_to_preview(content_type: str) -> bool:
    """Tell whether a browser may show this sniffed type; all others are downloads."""
    return content_type in PREVIEWABLE


def _visible(character: str) -> str:
    invisible = unicodedata.category(character) in ("Cf", "Co", "Cn", "Cs")
    return f"[U+{ord(character):04X}]" if invisible else character


def _cut(name: str) -> str:
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}".encode()
    if not stem or len(ending) > MAX_EXTENSION_BYTES:
        stem, ending = name, b""
    room = MAX_NAME_BYTES - len(ending)
    return (stem.encode()[:room] + ending).decode("utf-8", "ignore")
