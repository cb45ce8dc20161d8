"""Clients as a file: CSV or XLSX, safe to open in Excel."""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from casewell.clients.listing import Wanted, chosen
from casewell.clients.models import Client, ClientEmail, ClientPhone
from casewell.kernel.access import Identity
from casewell.staff.models import Staff

BATCH = 500
IN_MEMORY = 2_000_000
# What a spreadsheet takes for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
SEPARATOR = "; "


class Format(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
main, second = aliased(Staff), aliased(Staff)
_COLUMNS: dict[str, Any] = {
    "Reference": Client.reference,
    "First name": Client.first_name,
    "Last name": Client.last_name,
    "Status": Client.status,
    "Main responsible": main.name,
    "Second responsible": second.name,
    "Street": Client.street,
    "City": Client.city,
    "State": Client.state,
    "ZIP code": Client.postal_code,
    "Time zone": Client.time_zone,
    "Language": Client.language,
    "Preferred channel": Client.preferred_channel,
    "Date of birth": Client.date_of_birth,
    "SSN (last 4)": Client.ssn_last4,
    "Added": Client.created_at,
}
HEADINGS = ("Casewell id", *_COLUMNS, "Email", "Phone")


@dataclass(frozen=True)
class Export:
    """A finished file. The reader of `content` closes it, which deletes it."""

    content: IO[bytes]
    rows: int
    format: Format


def export_clients(session: Session, viewer: Identity, wanted: Wanted, format: Format) -> Export:
    """Write the clients that the viewer may see and the filter holds, as of one moment.

    Memory stays flat whatever their number. The session is one of `Database.reading`.
    """
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 handed to the caller
    sheet = _CSVSheet(file) if format is Format.CSV else _XLSXSheet(file)
    sheet.add(HEADINGS)
    number = 0
    for row in _rows(session, viewer, wanted):
        sheet.add(row)
        number += 1
    sheet.close()
    file.seek(0)
    return Export(file, number, format)


def _rows(session: Session, viewer: Identity, wanted: Wanted) -> Iterator[Sequence[str]]:
    last_id = 0
    while True:
        query = (
            sa.select(Client.id, *_COLUMNS.values())
            .outerjoin(main, main.id == Client.main_responsible_id)
            .outerjoin(second, second.id == Client.second_responsible_id)
            .where(*chosen(session, viewer, wanted), Client.id > last_id)
            .order_by(Client.id)
            .limit(BATCH)
        )
        batch = session.execute(query).all()
        if not batch:
            return
        ids = [row[0] for row in batch]
        emails = _joined(session, ClientEmail, ClientEmail.address, ids)
        phones = _joined(session, ClientPhone, ClientPhone.e164, ids)
        for row in batch:
            values = [_text(value) for value in row]
            yield [*values, emails.get(row[0], ""), phones.get(row[0], "")]
        last_id = ids[-1]


def _joined(
    session: Session,
    model: type[ClientEmail] | type[ClientPhone],
    value: Any,
    client_ids: Sequence[int],
) -> dict[int, str]:
    rows = session.execute(
        sa.select(model.client_id, value)
        .where(model.client_id.in_(client_ids))
        .order_by(model.client_id, model.position)
    )
    found: dict[int, list[str]] = {}
    for client_id, one in rows:
        found.setdefault(client_id, []).append(one)
    return {client_id: SEPARATOR.join(several) for client_id, several in found.items()}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return str(value)


class _Sheet(Protocol):
    def add(self, row: Sequence[str]) -> None: ...
    def close(self) -> None: ...


class _CSVSheet:
    """UTF-8 with a byte order mark, for without it Excel reads cp1252."""

    def __init__(self, file: IO[bytes]) -> None:
        self._text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=False)
        self._writer = csv.writer(self._text)

    def add(self, row: Sequence[str]) -> None:
        self._writer.writerow([inert(cell) for cell in row])

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class _XLSXSheet:
    """Every cell is written as text: no formula, no link."""

    def __init__(self, file: IO[bytes]) -> None:
        import xlsxwriter  # heavy: only where it is used

        self._book = xlsxwriter.Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        )
        self._sheet = self._book.add_worksheet("Clients")
        self._line = 0

    def add(self, row: Sequence[str]) -> None:
        for column, cell in enumerate(row):
            self._sheet.write_string(self._line, column, printable(cell))
        self._line += 1

    def close(self) -> None:
        self._book.close()


def inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def printable(cell: str) -> str:
    """Return a cell without the control characters that XML can't hold."""
    return "".join(char for char in cell if char >= " " or char in "\t\n\r")
