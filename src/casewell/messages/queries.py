"""What others ask about messages: statements and the filters that every one of them holds."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from casewell.clients.models import Client, ClientEmail, ClientPhone
from casewell.clients.queries import clients_visible_to
from casewell.kernel.access import Identity, Role
from casewell.messages.models import Channel, ChannelState, TriageSender


def senders_visible_to(viewer: Identity) -> ColumnElement[bool]:
    """Return the access filter of the tray, a condition on `TriageSender`.

    Who matches nobody belongs to no one, so that everybody may help. Who names a client, by an
    address on their file or by what was decided, is for those who may see one of these clients.
    """
    if viewer.role is not Role.CASE_MANAGER:
        return sa.true()
    visible = clients_visible_to(viewer)
    decided = sa.exists().where(Client.id == TriageSender.client_id, visible)
    return sa.and_(
        sa.or_(sa.not_(_named()), _named(visible)),
        sa.or_(TriageSender.client_id.is_(None), decided),
    )


def clients_named_by(
    session: Session, viewer: Identity, sender: TriageSender
) -> Sequence[sa.Row[int, str, str]]:
    """Return (id, first_name, last_name) of clients with the sender's address, if visible."""
    query = (
        sa.select(Client.id, Client.first_name, Client.last_name)
        .where(
            Client.id.in_(owners(sender.channel, sender.address)),
            clients_visible_to(viewer),
        )
        .order_by(Client.sort_name, Client.id)
    )
    return session.execute(query).all()


def owners(
    channel: Channel | ColumnElement[Channel], address: str | ColumnElement[str]
) -> sa.Select[int]:
    """Return the ids of clients, merged ones too, that have an address on their file."""
    if channel is Channel.EMAIL:
        return sa.select(ClientEmail.client_id).where(ClientEmail.normal_form == address)
    return sa.select(ClientPhone.client_id).where(ClientPhone.e164 == address)


def channel_states(session: Session) -> Sequence[ChannelState]:
    """Return the channels over which something is or was wrong."""
    return session.scalars(sa.select(ChannelState).order_by(ChannelState.channel)).all()


def _named(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether an address in the tray is on the file of a client of this kind."""
    present = Client.merged_into_id.is_(None)
    by_email = (
        sa.exists()
        .where(ClientEmail.normal_form == TriageSender.address)
        .where(Client.id == ClientEmail.client_id, present, *which)
    )
    by_phone = (
        sa.exists()
        .where(ClientPhone.e164 == TriageSender.address)
        .where(Client.id == ClientPhone.client_id, present, *which)
    )
    return sa.or_(by_email, by_phone)
