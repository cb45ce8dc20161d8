"""What tests of evidence bundles share."""

import io
import subprocess
import sys
import zipfile

import pytest

from casewell.clients.models import SSN_CONTEXT
from casewell.email.models import InboundState, Source
from casewell.kernel.access import Role
from casewell.kernel.types import Sealed
from casewell.messages.files import store_attachment
from casewell.models import InboundMail
from casewell.providers.files import FileStore

RAW = (
    b"From: Ana Ruiz <ana@example.com>\r\nTo: office@firm.example\r\nSubject: My letter\r\n"
    b"Message-ID: <1234567890123@example.com>\r\nDate: Tue, 10 Mar 2026 15:00:00 +0000\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
)


@pytest.fixture
def dana(staff):
    return staff(name="Dana Whitfield")


@pytest.fixture
def ruth(staff):
    return staff(Role.ATTORNEY, name="Ruth Abara")


@pytest.fixture
def ana(client, dana):
    return client(
        "Ana",
        "Ruiz",
        main=dana,
        emails=["ana@example.com"],
        reference="24-0187",
        ssn=Sealed.seal("900123456", SSN_CONTEXT),
        ssn_last4="3456",
    )


@pytest.fixture
def person(sign_in, dana, ana):
    return sign_in(dana)


@pytest.fixture
def attorney(sign_in, ruth):
    return sign_in(ruth)


@pytest.fixture
def received(database, runtime, clock, mail_of):
    """Lets a client's mail come in, with its bytes, and a file where one is given."""

    def receive(client, text, *, file=None, name="letter.pdf"):
        message_id = mail_of(client, text)
        raw = RAW + text.encode() + b"\r\n"
        with database.writing() as session:
            kept = runtime.provider(FileStore).put(raw)
            session.add(
                InboundMail(
                    source=Source.WEBHOOK,
                    received_at=clock(),
                    recorded_at=clock(),
                    size=kept.size,
                    sha256=kept.sha256,
                    file_key=kept.key,
                    state=InboundState.STORED,
                    message_id=message_id,
                )
            )
            if file is not None:
                stored = store_attachment(
                    session,
                    runtime,
                    content=file,
                    name=name,
                    content_type="application/pdf",
                    staff_id=None,
                    client_id=client.id,
                    now=clock(),
                )
                stored.message_id = message_id
        return message_id

    return receive


@pytest.fixture
def make(run_due):
    """Has a bundle made; returns it as the API tells of it."""

    def made(person, client, *, until_done=True, **terms):
        path = f"/api/clients/{client.id}/evidence"
        answer = person.api("POST", path, terms)
        assert answer.status_code == 202, answer.json
        while until_done and run_due():
            pass
        return person.api("GET", f"{path}/{answer.json['id']}").json

    return made


@pytest.fixture
def fetch(make):
    """Has a bundle made and fetches it; returns the bytes of the ZIP."""

    def fetched(person, client, **terms):
        bundle = make(person, client, **terms)
        assert bundle["state"] == "done", bundle
        answer = person.get(f"/api/clients/{client.id}/evidence/{bundle['id']}/file")
        assert answer.status_code == 200
        return answer.data

    return fetched


def opened(raw):
    return zipfile.ZipFile(io.BytesIO(raw))


def verified(path):
    """Run the bundle's own program as a stranger would; return its end and what it said."""
    program = path / "verify.py" if path.is_dir() else path.parent / "apart" / "verify.py"
    given = [] if path.is_dir() else [str(path)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program), *given],
        cwd=program.parent,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
