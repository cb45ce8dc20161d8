"""Keys and what is done with them: encrypted columns, signed values, hashed tokens."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import cache
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TOKEN_BYTES = 32


class CannotDecrypt(Exception):
    """A stored value doesn't open with any configured key: altered, or its key is missing."""


@dataclass(frozen=True)
class Keyring:
    """AES-256-GCM under named keys; the first encrypts, every one decrypts.

    A ciphertext reads `key-id:base64(nonce + box)`. `context` binds it to its place (table,
    column), so that a value moved elsewhere doesn't open.
    """

    keys: dict[str, bytes]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64,id:base64`. Raises ValueError naming what is wrong, never the key."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            name, colon, encoded = part.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError as error:
                raise ValueError(f"encryption key {name!r} is not base64") from error
            if not colon or not name or len(key) != 32:
                raise ValueError("each encryption key reads `id:base64` and holds 32 bytes")
            keys[name] = key
        return cls(keys)

    @property
    def current(self) -> str:
        return next(iter(self.keys))

    def encrypt(self, text: str, context: str) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        box = AESGCM(self.keys[self.current]).encrypt(nonce, text.encode(), context.encode())
        return f"{self.current}:{base64.b64encode(nonce + box).decode()}"

    def decrypt(self, stored: str, context: str) -> str:
        """Raises CannotDecrypt; a value that is not a ciphertext is never taken for plain text."""
        name, colon, encoded = stored.partition(":")
        key = self.keys.get(name)
        if not colon or key is None:
            raise CannotDecrypt("the key this value was encrypted with is not configured")
        try:
            box = base64.b64decode(encoded, validate=True)
            plain = AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotDecrypt("this value was altered, or its key was") from error
        return plain.decode()


def new_encryption_key(name: str = "k1") -> str:
    """Return a fresh key as it stands in the settings."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def new_token() -> str:
    """Return 256 bits of randomness for a link, a session or an API token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what is stored of a token. Tokens are random, so one fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def derive_key(secret: str, purpose: str) -> bytes:
    """Return a 32-byte key of its own for each purpose, so that none opens another's locks."""
    return hmac.new(secret.encode(), f"casewell/{purpose}".encode(), hashlib.sha256).digest()


class _Process:
    """The secrets of this process. Column types and cursors can't be handed them later."""

    secret_key: str | None = None
    keyring: Keyring | None = None


def use_secrets(secret_key: str, keyring: Keyring) -> None:
    """Let this process read encrypted columns and sign cursors; called once at start."""
    _Process.secret_key, _Process.keyring = secret_key, keyring
    process_key.cache_clear()


def process_keyring() -> Keyring:
    if _Process.keyring is None:
        raise RuntimeError("this process has no keyring: call use_secrets at start")
    return _Process.keyring


@cache
def process_key(purpose: str) -> bytes:
    """Return this installation's key for one purpose."""
    if _Process.secret_key is None:
        raise RuntimeError("this process has no secret key: call use_secrets at start")
    return derive_key(_Process.secret_key, purpose)
