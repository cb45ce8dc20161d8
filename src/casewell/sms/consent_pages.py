"""A client's consent to texts: how it stands for each number, and what was ever said about it."""

from typing import Annotated, Literal

from flask import Blueprint, request
from pydantic import StringConstraints
from werkzeug.wrappers import Response

from casewell.clients import consent, words
from casewell.clients.models import Client, ClientPhone, ConsentSource
from casewell.clients.pages import may_edit
from casewell.clients.queries import WHOLE, find_client
from casewell.kernel import web
from casewell.kernel.errors import CasewellError, InvalidInput, NotFound
from casewell.kernel.forms import Form, Line, parse
from casewell.providers.sms import SMSSender
from casewell.sms.incoming import stop_queued
from casewell.staff.current import current_actor

blueprint = Blueprint("text_consent", __name__, template_folder="templates")
blueprint.context_processor(words.for_templates)
SOURCES = {
    ConsentSource.TEXT: "by text",
    ConsentSource.WROTE: "wrote to us first",
    ConsentSource.STAFF: "recorded by staff",
    ConsentSource.CARRIER: "told by the carrier",
}


class ConsentChange(Form):
    phone_id: int
    change: Literal["allow", "stop", "works"]
    words: Annotated[Line, StringConstraints(max_length=500)] = ""


@blueprint.get("/clients/<int:client_id>/sms")
def show(client_id: int) -> Response:
    return _page(_client(client_id))


@blueprint.post("/clients/<int:client_id>/sms")
def change(client_id: int) -> Response:
    """Record what a client said about texts, or that a number works again."""
    client = _client(client_id)
    try:
        given = parse(ConsentChange, request.form)
        phone = _phone(client, given.phone_id)
        if given.change == "works":
            phone.text_fault = phone.text_fault_at = None
        else:
            _record(client, phone, given)
    except CasewellError as error:
        if error.status != 422:
            raise
        return _page(client, error)
    web.toast("Recorded")
    return web.go(".show", client_id=client.id)


def _record(client: Client, phone: ClientPhone, given: ConsentChange) -> None:
    if not given.words:
        text = "Say how you know: consent without a record proves nothing."
        raise InvalidInput(text, fields={"words": text})
    session, actor = web.db(), current_actor()
    record = consent.grant if given.change == "allow" else consent.withdraw
    record(
        session,
        client.id,
        phone.e164,
        source=ConsentSource.STAFF,
        words=given.words,
        actor=actor,
        now=web.now(),
    )
    if given.change == "stop":
        stop_queued(session, web.runtime(), phone.e164, actor, client_id=client.id)


def _client(client_id: int) -> Client:
    return find_client(web.db(), web.identity(), client_id, *WHOLE)


def _phone(client: Client, phone_id: int) -> ClientPhone:
    for phone in client.phones:
        if phone.id == phone_id:
            return phone
    raise NotFound


def _page(client: Client, error: CasewellError | None = None) -> Response:
    session = web.db()
    numbers = [one.e164 for one in client.phones]
    return web.render(
        "sms/consent.html",
        status=error.status if error else 200,
        errors=error.fields if error else {},
        given=request.form,
        client=client,
        rows=[(one, consent.standing(session, client.id, one.e164)) for one in client.phones],
        history=consent.history(session, client.id, numbers),
        sources=SOURCES,
        may_edit=may_edit(web.identity()),
        is_off=web.runtime().provider(SMSSender).kind == "off",
    )
