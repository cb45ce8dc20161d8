"""From settings to a running installation: the one place where parts are chosen."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from casewell.kernel.clock import utc_now
from casewell.kernel.crypto import Keyring, derive_key, use_secrets
from casewell.kernel.db import Database
from casewell.kernel.hints import Hints, NoHints
from casewell.kernel.runtime import Runtime
from casewell.kernel.settings import Settings, SettingsError


def make_runtime(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    providers: Mapping[type[Any], Any] | None = None,
    with_hints: bool = True,
) -> Runtime:
    """Return the runtime of this installation. Raises SettingsError.

    `providers` replaces single providers, as tests do. Without hints, work waits for a sweep.
    """
    from casewell import (
        models,  # noqa: F401 every table must be known before the first query
        wiring,
    )
    from casewell.providers import chosen_providers

    try:
        keyring = Keyring.parse(settings.encryption_keys)
    except ValueError as error:
        raise SettingsError(f"CASEWELL_ENCRYPTION_KEYS: {error}.") from error
    use_secrets(settings.secret_key, keyring)
    settings.home.mkdir(parents=True, exist_ok=True)
    hints: Hints = NoHints()
    if with_hints:
        from casewell.kernel.queue import open_hints

        key = derive_key(settings.secret_key, "hints")
        hints = open_hints(settings.queue_url, settings.database, settings.home, key)
    wiring.connect(hints, now)
    return Runtime(
        settings=settings,
        database=Database(settings.database),
        hints=hints,
        now=now,
        providers={**chosen_providers(settings), **(providers or {})},
    )
