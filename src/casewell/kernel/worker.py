"""The worker: threads that act on hints, and a ticker that sweeps and keeps periods."""

import signal
import threading
import time

import structlog
from huey.consumer import Consumer

from casewell.kernel.jobs import perform, sweep, tick
from casewell.kernel.queue import HueyHints
from casewell.kernel.runtime import Runtime

TICK_SECONDS = 1.0
log = structlog.get_logger()


class _Finishing(Consumer):  # type: ignore[misc]
    """huey's consumer, which knows one signal to finish by: here both are. A second one breaks
    off."""

    def _set_signal_handlers(self) -> None:
        self._signal_actions |= dict.fromkeys((signal.SIGTERM, signal.SIGINT), (False, True))
        super()._set_signal_handlers()


class Worker:
    """One worker process. SIGTERM and SIGINT let the work in hand finish first."""

    def __init__(self, runtime: Runtime) -> None:
        assert isinstance(runtime.hints, HueyHints)
        self._runtime = runtime
        self._hints = runtime.hints
        self._stopping = threading.Event()

    def run(self) -> None:
        """Work until told to stop."""
        self._hints.take(lambda job, row_id: perform(self._runtime, job, row_id))
        ticker = threading.Thread(target=self._tick, name="ticker", daemon=True)
        ticker.start()
        consumer = _Finishing(
            self._hints.huey,
            workers=self._runtime.settings.worker_threads,
            periodic=False,
            max_delay=1.0,
        )
        try:
            consumer.run()
        finally:
            self._stopping.set()
            ticker.join(timeout=30)

    def _tick(self) -> None:
        next_sweep = 0.0
        while not self._stopping.wait(TICK_SECONDS):
            try:
                tick(self._runtime)
                if time.monotonic() >= next_sweep:
                    next_sweep = time.monotonic() + self._runtime.settings.sweep_seconds
                    sweep(self._runtime, lambda job, row_id: self._hints.give(job, row_id, None))
            except Exception:
                log.exception("tick_failed")
