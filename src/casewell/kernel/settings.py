"""Every setting of an installation: read once from the environment, then never changed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

PREFIX = "CASEWELL_"
ENV_FILE = "casewell.env"
SECRET_KEY_BYTES = 32
WEBHOOK_SECRET_LENGTH = 16


class SettingsError(Exception):
    """The installation can't start as it is configured. The message says what to change."""


Seconds = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """One installation's settings; field `smtp_host` is `CASEWELL_SMTP_HOST` in the environment.

    Any of them can be given as a file instead (`CASEWELL_SMTP_PASSWORD_FILE`), whose content,
    without surrounding white space, is the value. The environment beats `casewell.env`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(Path("var"), description="Folder for everything Casewell keeps on disk.")
    secret_key: str = Field(
        description="Signs sessions, cursors and links. 32 or more random characters; no default.",
        repr=False,
    )
    encryption_keys: str = Field(
        description="Keys for encrypted columns, `id:base64` separated by commas, 32 bytes each. "
        "The first encrypts, all decrypt.",
        repr=False,
    )
    database_url: str = Field(
        "",
        description="`postgresql://user:password@host/name`, or empty for SQLite in the home.",
        repr=False,
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="The address people open in their browser. With https, cookies are secure.",
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on.")
    web_workers: int = Field(1, ge=1, le=64, description="Web server processes.")
    web_threads: int = Field(4, ge=1, le=64, description="Threads in each web server process.")
    embedded_worker: bool = Field(
        True, description="Whether `casewell serve` also runs a worker for work that waits."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="Reverse proxies in front whose X-Forwarded headers are true."
    )
    queue_url: str = Field(
        "",
        description="Where hints about work wait: empty for a file in the home (SQLite) or the "
        "database (PostgreSQL).",
        repr=False,
    )
    worker_threads: int = Field(2, ge=1, le=64, description="Threads of one worker.")
    sweep_seconds: Seconds = Field(
        30, description="How often a worker looks for work whose hint was lost."
    )
    undo_seconds: int = Field(
        10, ge=0, le=30, description="How long a sent message waits, so that it can be undone."
    )
    session_idle_minutes: int = Field(30, ge=1, description="Idle time after which a session ends.")
    session_hours: int = Field(12, ge=1, description="Age after which a session ends, used or not.")
    smtp_host: str = Field("", description="Mail server for sending. Empty: a local outbox page.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of that server.")
    smtp_security: Literal["starttls", "tls", "plain"] = Field(
        "starttls", description="`plain` is refused for any server but one on this machine."
    )
    smtp_username: str = Field("", description="Name to sign in with; empty: no sign-in.")
    smtp_password: str = Field("", description="Its password.", repr=False)
    mail_from: str = Field(
        "office@firm.example", description="Address the firm's mail is sent from."
    )
    mail_from_name: str = Field("", description="Name beside it; empty: the firm's name.")
    sms: Literal["off", "console", "twilio"] = Field(
        "off", description="How texts leave: not at all, into a local outbox page, or by Twilio."
    )
    twilio_account_sid: str = Field(
        "", pattern="^(AC[0-9a-fA-F]{32})?$", description="Account SID at Twilio, `AC...`."
    )
    twilio_auth_token: str = Field(
        "",
        description="Its auth token, which also proves what Twilio tells us; two, separated by a "
        "comma, while one replaces the other.",
        repr=False,
    )
    twilio_sender: str = Field(
        "",
        pattern=r"^(\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32})?$",
        description="The number texts are sent from (`+13125550100`), or the SID of a messaging "
        "service (`MG...`).",
    )
    twilio_url: str = Field(
        "https://api.twilio.com", description="Where Twilio's REST API is, for another region."
    )
    sms_countries: str = Field(
        "US", description="Countries texts may go to, separated by commas. No other ever gets one."
    )
    sms_help_text: str = Field(
        "",
        max_length=300,
        description="Answer to HELP. Empty: the firm's name and its mail address.",
    )
    sms_day_per_number: int = Field(
        20, ge=1, description="Texts that one number gets in a day at most."
    )
    sms_day_per_prefix: int = Field(
        100,
        ge=1,
        description="Texts that all numbers with the same first 8 digits get in a day at most.",
    )
    sms_day_per_source: int = Field(
        300,
        ge=1,
        description="Texts that one person, with their API tokens, sends in a day at most; also "
        "all automatic ones together.",
    )
    sms_day: int = Field(
        1_000, ge=1, description="Texts that the whole firm sends in a day at most."
    )
    sms_month_segments: int = Field(
        10_000,
        ge=1,
        description="Segments, which is what carriers bill, that the whole firm sends in a month "
        "at most.",
    )
    mail_trusted_hops: str = Field(
        "",
        description="Names (authserv-id) of the receiving servers whose Authentication-Results "
        "are believed, separated by commas. Empty: senders stay unchecked.",
    )
    mail_webhook_secret: str = Field(
        "",
        description="Secret of the raw-MIME webhook (HMAC-SHA256), 16 or more characters; two, "
        "separated by a comma, while one replaces the other. Empty: the webhook is off.",
        repr=False,
    )
    mail_max_bytes: int = Field(
        40_000_000, ge=100_000, description="Largest mail that is taken in or sent whole."
    )
    mail_import_max_bytes: int = Field(
        2_000_000_000,
        ge=1_000_000,
        description="Largest file of old mail that is taken by upload; the command line takes any.",
    )
    mail_poll_seconds: Seconds = Field(60, description="How often each mailbox is looked at.")
    anchors: str = Field(
        "",
        description="File that the head of the ledger is appended to each day, best where the "
        "database's administrator can't change it. Empty: `anchors.jsonl` in the home.",
    )
    attachment_quota_bytes: int = Field(
        500_000_000,
        ge=0,
        description="Attachment bytes kept in a day from one sender, and for one client; above it "
        "a mail is kept with a note that its files were not.",
    )
    private_targets: str = Field(
        "",
        description="`host:port` of servers in the firm's own network that webhooks and other "
        "requests may go to, separated by commas; also without https. All others must be public.",
    )
    log_format: Literal["console", "json"] = Field("console", description="Shape of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )

    @field_validator("secret_key")
    @classmethod
    def _secret_key_is_secret(cls, value: str) -> str:
        if len(value) < SECRET_KEY_BYTES or len(set(value)) < 10:
            raise ValueError(
                "must be 32 or more random characters. `casewell init` makes one for you"
            )
        return value

    @field_validator("mail_webhook_secret")
    @classmethod
    def _webhook_secrets_are_secret(cls, value: str) -> str:
        if value.strip() and any(
            len(one.strip()) < WEBHOOK_SECRET_LENGTH for one in value.split(",")
        ):
            raise ValueError(f"must be {WEBHOOK_SECRET_LENGTH} or more characters")
        return value.strip()

    @field_validator("private_targets")
    @classmethod
    def _private_targets_name_their_ports(cls, value: str) -> str:
        for target in filter(None, (one.strip() for one in value.split(","))):
            host, colon, port = target.rpartition(":")
            if not (host and colon and port.isascii() and port.isdigit()):
                raise ValueError("must name host:port, such as calendar.office.example:8443")
        return value.strip()

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("must look like https://casewell.firm.example")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _plain_smtp_stays_on_this_machine(self) -> Self:
        if self.smtp_security == "plain" and self.smtp_host not in (
            "",
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise ValueError("smtp_security=plain is only for a server on this machine")
        return self

    @model_validator(mode="after")
    def _twilio_is_whole(self) -> Self:
        parts = (self.twilio_account_sid, self.twilio_auth_tokens, self.twilio_sender)
        if self.sms == "twilio" and not all(parts):
            raise ValueError(
                "sms=twilio needs twilio_account_sid, twilio_auth_token and twilio_sender"
            )
        return self

    @property
    def twilio_auth_tokens(self) -> tuple[str, ...]:
        given = (one.strip() for one in self.twilio_auth_token.split(","))
        return tuple(one for one in given if one)

    @property
    def text_countries(self) -> frozenset[str]:
        given = (one.strip().upper() for one in self.sms_countries.split(","))
        return frozenset(one for one in given if one)

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        if not self.database_url:
            return f"sqlite:///{self.home / 'casewell.db'}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def files(self) -> Path:
        return self.home / "files"

    @property
    def anchors_file(self) -> Path:
        return Path(self.anchors) if self.anchors else self.home / "anchors.jsonl"

    @property
    def https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def private_hosts(self) -> frozenset[str]:
        hosts = (host.strip().lower() for host in self.private_targets.split(","))
        return frozenset(host for host in hosts if host)

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        given = (one.strip() for one in self.mail_webhook_secret.split(","))
        return tuple(one for one in given if one)

    @property
    def trusted_hops(self) -> frozenset[str]:
        hops = (hop.strip().lower() for hop in self.mail_trusted_hops.split(","))
        return frozenset(hop for hop in hops if hop)


def env_file_values(path: Path) -> dict[str, str]:
    """Return the `NAME=value` lines of a file; `#` starts a comment line. Absent: empty."""
    if not path.is_file():
        return {}
    values = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise SettingsError(f"{path}, line {number}: expected NAME=value.")
        values[name.strip()] = value.strip().strip('"')
    return values


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of this installation. Raises SettingsError."""
    home = Path(environ.get(f"{PREFIX}HOME") or Settings.model_fields["home"].default)
    given = env_file_values(home / ENV_FILE) | dict(environ)
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        variable = f"{PREFIX}{name.upper()}"
        if file := given.get(f"{variable}_FILE"):
            try:
                values[name] = Path(file).read_text("utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{variable}_FILE can't be read: {error.strerror}.") from error
        elif given.get(variable):
            values[name] = given[variable]
    values["home"] = home
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_in_words(error)) from error


def _in_words(error: ValidationError) -> str:
    sentences = []
    for problem in error.errors():
        name = "_".join(str(part) for part in problem["loc"])
        if problem["type"] == "missing":
            sentences.append(f"{PREFIX}{name.upper()} is not set. Run `casewell init` once.")
        else:
            what = problem["msg"].removeprefix("Value error, ")
            sentences.append(f"{PREFIX}{name.upper()} {what}." if name else f"{what}.")
    return " ".join(sentences)
