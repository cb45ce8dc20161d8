"""`make bench ARGS=intake`: how many mails one worker takes in a second, from bytes to a count.

Every mail goes the way of a polled one: kept on disk, registered, read in the child, matched,
stored, indexed for search, told to the ledger, counted for its readers. The mails are those of
the shared corpus, each sent by a synthetic client; one in twenty is from a stranger.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.dataset import dataset_of, load
from bench.serving import databases, installed
from casewell.email.arrival import Arrived, batches, keep_raw, mail_reader, register, take_in_all
from casewell.email.models import InboundMail, Source
from casewell.kernel.runtime import Runtime

WARM_UP = 100
STRANGERS = 20  # one in so many
END_OF_HEADER = re.compile(rb"\r?\n(?=\r?\n)")
OWN_FIELDS = re.compile(
    rb"^(?:from|message-id|date):.*(?:\r?\n[ \t].*)*\r?\n", re.IGNORECASE | re.MULTILINE
)


def main(arguments: list[str], perf: Path) -> int:
    parser = argparse.ArgumentParser(prog="bench intake", description=__doc__)
    parser.add_argument("--size", default="XS", choices=("XS", "S", "M"), help="what is there")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("-n", type=int, default=2000, help="mails")
    given = parser.parse_args(arguments)
    corpus = corpus_of(perf.parent / "contracts" / "mail" / "open")
    for database in given.databases.split(","):
        with tempfile.TemporaryDirectory() as folder, databases(database, Path(folder)) as (url, _):
            report(database, measure(Path(folder), url, corpus, given))
    return 0


def corpus_of(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.eml"))]


def mails_of(corpus: list[bytes], clients: int) -> Iterator[bytes]:
    """Mails without end, no two the same: each of the corpus by one client after the other."""
    for number in count():
        who = f"c{number * 7919 % clients + 1}" if number % STRANGERS else f"new{number}"
        mine = (
            f"From: {who}@example.test\r\nMessage-ID: <{number}.{who}@example.test>\r\n"
            "Date: Mon, 05 Jan 2026 10:00:00 +0000\r\n"
        )
        raw = corpus[number % len(corpus)]
        end = END_OF_HEADER.search(raw)
        cut = end.end() if end else len(raw)
        yield mine.encode() + OWN_FIELDS.sub(b"", raw[:cut]) + raw[cut:]


def measure(folder: Path, url: str, corpus: list[bytes], given: Any) -> dict[str, Any]:
    runtime = installed(folder, url)
    dataset = dataset_of(given.size)
    load(runtime, dataset)
    mails = mails_of(corpus, dataset.n_clients)
    take_in(runtime, [next(mails) for _ in range(WARM_UP)])
    wanted = [next(mails) for _ in range(given.n)]
    before = os.times()
    started = time.perf_counter()
    take_in(runtime, wanted)
    took = time.perf_counter() - started
    mail_reader().close()  # waits for the child, so that its time counts
    after = os.times()
    with runtime.database.reading() as session:
        states = sa.select(InboundMail.state, sa.func.count()).group_by(InboundMail.state)
        found = {state.value: number for state, number in session.execute(states)}
    runtime.database.close()
    return {
        "mails": given.n,
        "seconds": took,
        "cpu": sum(after[:4]) - sum(before[:4]),
        "states": found,
    }


def take_in(runtime: Runtime, raws: list[bytes]) -> None:
    now = runtime.now()
    arrived = (
        Arrived(raw, len(raw), now + timedelta(milliseconds=n)) for n, raw in enumerate(raws)
    )
    for batch in batches(arrived, lambda mail: len(mail.raw)):
        kept = keep_raw(runtime, batch)
        with runtime.database.writing() as session:
            due = register(session, runtime, kept, source=Source.WEBHOOK)
        take_in_all(runtime, due)


def report(database: str, found: dict[str, Any]) -> None:
    rate = found["mails"] / found["seconds"]
    states = ", ".join(f"{number} {state}" for state, number in sorted(found["states"].items()))
    print(
        f"{database}: {rate:.0f} mails a second by one worker "
        f"({found['mails']} in {found['seconds']:.1f} s; {found['cpu']:.1f} s of processor time, "
        f"the reading child's included; in all {states})"
    )
