"""Filters of the list of clients that somebody keeps under a name, with how many they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import StringConstraints, ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casewell.clients.listing import COUNTED, Wanted, chosen
from casewell.clients.models import LONGEST_VIEW_NAME, Client, ClientView, folded
from casewell.kernel.access import Identity
from casewell.kernel.clock import Clock
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import CasewellError, Conflict, NotFound
from casewell.kernel.forms import Form, Line, Text

MOST_VIEWS = 12

ViewName = Annotated[Line, StringConstraints(min_length=1, max_length=LONGEST_VIEW_NAME)]


class ViewForm(Form):
    """What is kept: the filter of a list, by the list's address, under a name."""

    name: ViewName
    listed: Text = ""


class ViewNameTaken(Conflict):
    code = "view_name_taken"

    def __init__(self) -> None:
        super().__init__("You have a view of that name. Choose another one.")


class TooManyViews(CasewellError):
    code = "too_many_views"

    def __init__(self) -> None:
        super().__init__(f"You can keep {MOST_VIEWS} views. Delete one first.")


@dataclass(frozen=True)
class ListedView:
    """A view with how many clients it holds; counting ends just past `COUNTED`."""

    id: int
    name: str
    wanted: Wanted
    count: int


def views_of(session: Session, viewer: Identity) -> list[ListedView]:
    """Return the viewer's own views by name, in two statements however many there are.

    One whose filter is understood no more, because a version changed it, is left out.
    """
    rows = session.scalars(
        sa.select(ClientView)
        .where(ClientView.staff_id == viewer.staff_id)
        .order_by(ClientView.name_key)
    )
    known = [(row, wanted) for row in rows if (wanted := _wanted(row)) is not None]
    if not known:
        return []
    counts = [
        sa.select(
            sa.literal(row.id).label("id"),
            sa.select(sa.func.count())
            .select_from(
                sa.select(Client.id)
                .where(*chosen(session, viewer, wanted))
                .limit(COUNTED + 1)
                .subquery()
            )
            .scalar_subquery()
            .label("number"),
        )
        for row, wanted in known
    ]
    found = {row.id: row.number for row in session.execute(sa.union_all(*counts))}
    return [ListedView(row.id, row.name, wanted, found[row.id]) for row, wanted in known]


def _wanted(row: ClientView) -> Wanted | None:
    try:
        return Wanted.model_validate(row.wanted)
    except ValidationError:
        return None


def keep(session: Session, viewer: Identity, name: str, wanted: Wanted, now: Clock) -> ClientView:
    """Keep a filter under a name; words that were looked for are no part of it, for they may be
    somebody's name or address. Raises ViewNameTaken or TooManyViews."""
    number = session.scalar(
        sa.select(sa.func.count(ClientView.id)).where(ClientView.staff_id == viewer.staff_id)
    )
    if (number or 0) >= MOST_VIEWS:
        raise TooManyViews
    view = ClientView(
        staff_id=viewer.staff_id,
        name=name,
        name_key=folded(name),
        wanted=kept_of(wanted),
        created_at=now(),
    )
    session.add(view)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise ViewNameTaken from error
    return view


def kept_of(wanted: Wanted) -> dict[str, Any]:
    """Return of a filter what is kept."""
    return wanted.model_dump(mode="json", exclude_defaults=True, exclude={"q"})


def delete(session: Session, viewer: Identity, view_id: int) -> ClientView:
    """Forget one's own view; return what it was. Raises NotFound."""
    found = session.scalar(
        sa.select(ClientView).where(
            ClientView.id == min(view_id, LARGEST_ID), ClientView.staff_id == viewer.staff_id
        )
    )
    if found is None:
        raise NotFound
    session.delete(found)
    return found


def current_of(views: Sequence[ListedView], wanted: Wanted) -> ListedView | None:
    """Return the view that a list shows, if it is one."""
    if wanted.q:
        return None
    return next((one for one in views if one.wanted == wanted), None)
