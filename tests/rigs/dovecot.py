"""Dovecot, the real IMAP server, started for a test run with a configuration of its own.

It runs as whoever runs the tests; as root, the mail belongs to Dovecot's own user, because it
refuses root there. Debian: `apt-get install dovecot-core dovecot-imapd`.
"""

from __future__ import annotations

import contextlib
import grp
import imaplib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from casewell.providers.mail_in import MailAccount
from casewell.providers.wire import Login, Security, Server
from tests.rigs.absent import absent
from tests.rigs.certificates import Certificates, make_certificates

START_SECONDS = 10.0

# The penalty that is off would make everybody wait after one test of a wrong password.
CONFIGURATION = """
protocols = imap
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/dovecot.log
listen = 127.0.0.1
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
mail_location = maildir:{home}/mail/%u
mail_max_userip_connections = 200
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_dh =
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users/%u
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class MailUser:
    """Somebody with a mailbox."""

    address: str
    password: str

    @property
    def login(self) -> Login:
        return Login(self.address, self.password)


@dataclass
class DovecotRig:
    """The running server; each test makes users of its own."""

    home: Path
    port: int
    tls_port: int
    certificates: Certificates
    owner: pwd.struct_passwd
    host: str = "localhost"

    def user(self, address: str | None = None, password: str | None = None) -> MailUser:
        """Return a new user, whose mailbox is empty. Mailboxes go by the address in lower case."""
        address = (address or f"user-{secrets.token_hex(4)}@firm.example").lower()
        # One file each, and one password per address: Dovecot looks for changes once a second.
        user = MailUser(address, password or f"The password of {address}")
        known = self.home / "users" / address
        known.write_text(f"{address}:{user.password}\n")
        self._own(known)
        shutil.rmtree(self._maildir(user), ignore_errors=True)
        for folder in ("new", "cur", "tmp"):
            (self._maildir(user) / folder).mkdir(parents=True)
        for path in (self._maildir(user), *self._maildir(user).iterdir()):
            self._own(path)
        return user

    def account(self, user: MailUser, security: Security = Security.PLAIN) -> MailAccount:
        """How to fetch the mail of `user`, with a certificate that is trusted where it is TLS."""
        port = self.tls_port if security is Security.TLS else self.port
        server = Server(self.host, port, security, self.certificates.for_client())
        return MailAccount(server, user.login)

    def deliver(self, user: MailUser, raw: bytes, received_at: datetime | None = None) -> None:
        """Put a mail into the inbox of `user`, as a mail server on this machine does."""
        name = f"{time.time_ns()}.{secrets.token_hex(8)}.test"
        unfinished = self._maildir(user) / "tmp" / name
        unfinished.write_bytes(raw)
        self._own(unfinished)
        if received_at:
            os.utime(unfinished, (received_at.timestamp(),) * 2)
        unfinished.rename(self._maildir(user) / "new" / name)

    @contextlib.contextmanager
    def connection(self, user: MailUser, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """The user's own mail program, with a folder selected for reading and writing."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as imap:
            imap.login(user.address, user.password)
            imap.select(f'"{folder}"')
            yield imap

    def mails(self, user: MailUser, folder: str = "INBOX") -> list[bytes]:
        """Return every mail in a folder, oldest first, without marking it as read."""
        with self.connection(user, folder) as imap:
            found = imap.search(None, "ALL")[1][0].split()
            return [imap.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in found]

    def flags(self, user: MailUser) -> list[str]:
        """Return the flags of every mail in the inbox, oldest first."""
        with self.connection(user) as imap:
            imap.select("INBOX", readonly=True)
            found = imap.search(None, "ALL")[1][0].split()
            return [imap.fetch(number, "(FLAGS)")[1][0].decode() for number in found]

    def forget_uids(self, user: MailUser) -> None:
        """Number the inbox anew, as after a restore: another UIDVALIDITY."""
        for path in self._maildir(user).glob("dovecot*"):
            path.unlink()
        # UIDVALIDITY is the time in seconds; the same second would give the same number.
        uidlist = self._maildir(user) / "dovecot-uidlist"
        uidlist.write_text(f"3 V{int(time.time()) + 1000} N1 G{secrets.token_hex(16)}\n")
        self._own(uidlist)

    def _maildir(self, user: MailUser) -> Path:
        return self.home / "mail" / user.address

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)


@contextlib.contextmanager
def running_dovecot(program: str) -> Iterator[DovecotRig]:
    """Start Dovecot in a folder of its own, and end it with all its children."""
    # Short, because the path of a Unix socket is; open to others, because pytest's are not.
    with tempfile.TemporaryDirectory(prefix="cw-dovecot-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        rig = _configured(home)
        process = subprocess.Popen(
            [program, "-F", "-c", str(home / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(rig, process)
            yield rig
        finally:
            process.terminate()  # the master takes its children along
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _configured(home: Path) -> DovecotRig:
    as_root = os.geteuid() == 0
    internal = pwd.getpwnam("dovecot") if as_root else pwd.getpwuid(os.geteuid())
    login = "dovenull" if as_root else internal.pw_name
    port, tls_port = _free_port(), _free_port()
    certificates = make_certificates(home / "tls")
    rig = DovecotRig(home, port, tls_port, certificates, internal)
    configuration = CONFIGURATION.format(
        home=home,
        internal=internal.pw_name,
        owner=internal.pw_name,
        group=grp.getgrgid(internal.pw_gid).gr_name,
        login=login,
        port=port,
        tls_port=tls_port,
        certificate=certificates.certificate,
        key=certificates.key,
    )
    (home / "dovecot.conf").write_text(configuration)
    (home / "users").mkdir()
    (home / "mail").mkdir()
    rig._own(home / "mail")
    rig._own(home / "users")
    return rig


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait_for(rig: DovecotRig, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", rig.port), 1) as connection,
        ):
            if connection.recv(4) == b"* OK":
                return
        time.sleep(0.02)
    log = rig.home / "dovecot.log"
    words = log.read_text("utf-8", "replace") if log.exists() else "it wrote no log"
    pytest.fail(f"Dovecot did not start:\n{words[-2000:]}", pytrace=False)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[DovecotRig]:
    """A running Dovecot; skips where it isn't installed."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        absent("Dovecot is not installed (Debian: dovecot-core dovecot-imapd)")
    with running_dovecot(program) as rig:
        yield rig
