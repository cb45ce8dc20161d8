"""`make bench ARGS=online`: what a firm of 200 costs that has the inbox open all day.

Each person has a conversation open beside the list and does what the page does by itself: it asks
for news every 15 seconds, tells every ten that it is there, and renews the list when something
came. Meanwhile a message arrives each second, and some people click around. The share of one core
is that of the web server's processes and what they started; of PostgreSQL it is not counted.
"""

import argparse
import html
import os
import re
import statistics
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa

from bench import taking_in
from bench.dataset import dataset_of, load
from bench.serving import Served, alone, casewell_served
from casewell.kernel.access import Role
from casewell.kernel.runtime import Runtime
from casewell.staff import sessions
from casewell.staff.models import Staff

ROOT = Path(__file__).parents[1]
NEWS_EVERY, HERE_EVERY, CLICK_EVERY = 15.0, 10.0, 2.0
WARM_UP = 10.0
SLOW = 1.0  # seconds: whoever waits so long was starved
CORES = 1.0
FIRST_OF_THE_REST = 2_000
NEXT_NEWS = re.compile(r'id="live"[^>]*hx-get="([^"]+)"')
MARK = re.compile(r'name="(client|thread_seen|notes_seen)" value="([^"]*)"')


def main(arguments: list[str], perf: Path) -> int:
    parser = argparse.ArgumentParser(prog="bench online", description=__doc__)
    parser.add_argument("--size", default="M", choices=("XS", "S", "M", "L"))
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--staff", type=int, default=200)
    parser.add_argument("--clicking", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args(arguments)
    held = [measure(database, given) for database in given.databases.split(",")]
    return 0 if all(held) else 1


def measure(database: str, given: argparse.Namespace) -> bool:
    """Run one database; return whether it stayed under one core and starved nobody."""
    data = dataset_of(given.size)
    with alone(database) as runtime:
        load(runtime, data)
        cookies = signed_in(runtime, given.staff)
        with casewell_served(runtime) as server:
            found = Watched(server, runtime, data, cookies, given).run()
    return report(found, database, given)


def signed_in(runtime: Runtime, number: int) -> list[str]:
    """Return a session's cookie for each of so many staff; those the data set lacks are added."""
    with runtime.database.writing() as session:
        there = session.scalars(
            sa.select(Staff).where(Staff.role == Role.CASE_MANAGER).order_by(Staff.id)
        ).all()[:number]
        rest = [
            Staff(
                id=FIRST_OF_THE_REST + n,
                name=f"Staff {n}",
                email=f"online{n}@example.test",
                role=Role.MANAGER,
                time_zone="UTC",
                preferences={},
                created_at=runtime.now(),
            )
            for n in range(number - len(there))
        ]
        session.add_all(rest)
        session.flush()
        device = sessions.Device("bench", "127.0.0.1")
        name = sessions.cookie_of(runtime.settings)
        return [
            f"{name}={sessions.begin(session, one, device, finished=True, now=runtime.now())}"
            for one in (*there, *rest)
        ]


class Browser:
    """One person's open page, as far as the server hears of it."""

    def __init__(self, base: str, cookie: str, client_id: int, note: Callable[..., None]) -> None:
        self._http = HTTPConnection(urlsplit(base).netloc, timeout=30)
        self._cookie = cookie
        self._note = note
        self._client = client_id
        page = self._ask("GET", f"/inbox/c/{client_id}?scope=all", "open")
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        news = NEXT_NEWS.search(page)
        assert token, page[:500]
        assert news, page[:500]
        self._token, self._news = token[1], html.unescape(news[1])
        self._mark = dict(MARK.findall(page))

    def ask_for_news(self) -> None:
        path = f"{self._news}&{urlencode(self._mark)}"
        answer = self._ask("GET", path, "news", htmx=True)
        if not answer:
            return
        if (again := NEXT_NEWS.search(answer)) is not None:
            self._news = html.unescape(again[1])
        self._mark |= dict(MARK.findall(answer))
        if "data-new-pill" in answer:  # a list that stands at its top renews itself
            pane = self._ask("GET", "/inbox?scope=all", "list", htmx=True, target="list-pane")
            if (again := NEXT_NEWS.search(pane)) is not None:
                self._news = html.unescape(again[1])

    def say_here(self) -> None:
        self._ask("POST", f"/inbox/c/{self._client}/here", "here", body="typing=&shown=", htmx=True)

    def click(self, turn: int, clients: list[int], words: list[str]) -> None:
        client = clients[turn % len(clients)]
        paths = [
            ("/inbox?scope=all", "list-pane"),
            (f"/inbox/c/{client}?scope=all", "thread"),
            (f"/inbox?scope=all&{urlencode({'q': words[turn % len(words)]})}", "conv-list"),
        ]
        path, target = paths[turn % len(paths)]
        self._ask("GET", path, "click", htmx=True, target=target)

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        *,
        body: str | None = None,
        htmx: bool = False,
        target: str = "",
    ) -> str:
        headers = {"Cookie": self._cookie}
        if htmx:
            headers |= {"HX-Request": "true", "HX-Target": target}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-CSRFToken": self._token,
            }
        began = time.perf_counter()
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        text = answer.read().decode()
        self._note(what, time.perf_counter() - began, answer.status)
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and "form" in value:
                self._cookie = f"{self._cookie.partition('; ')[0]}; {value.partition(';')[0]}"
        return text


class Watched:
    """The minute that is measured."""

    def __init__(
        self,
        server: Served,
        runtime: Runtime,
        data: Any,
        cookies: list[str],
        given: argparse.Namespace,
    ) -> None:
        self._server, self._runtime, self._data = server, runtime, data
        self._cookies, self._given = cookies, given
        self._taken: dict[str, list[float]] = {}
        self._bad: list[tuple[str, int]] = []
        self._lock = threading.Lock()
        self._counts = False
        self._ends = threading.Event()

    def run(self) -> dict[str, Any]:
        import bench_http

        words = list(self._data.params()["search_mid"])
        every = len(self._cookies)
        threads = [threading.Thread(target=self._mail, daemon=True)]
        for turn, cookie in enumerate(self._cookies):
            browser = Browser(self._server.base, cookie, self._seen_by(turn)[0], self._note)
            threads.append(threading.Thread(target=self._live, args=(turn, browser), daemon=True))
        for turn in range(every - self._given.clicking, every):
            clients = self._seen_by(turn)
            who = Browser(self._server.base, self._cookies[turn], clients[0], self._note)
            threads.append(
                threading.Thread(target=self._click, args=(turn, who, clients, words), daemon=True)
            )
        for one in threads:
            one.start()
        time.sleep(WARM_UP)
        ticks, began = bench_http.cpu_ticks((self._server.pid,)), time.perf_counter()
        self._counts = True
        time.sleep(self._given.seconds)
        self._counts = False
        took = time.perf_counter() - began
        used = bench_http.cpu_ticks((self._server.pid,)) - ticks
        self._ends.set()
        for one in threads:
            one.join(timeout=40)
        return {"cores": used / took, "took": took, "taken": self._taken, "bad": self._bad}

    def _seen_by(self, turn: int) -> list[int]:
        """Return clients that a person may open: their own, or any where they see every one."""
        clients = [int(one) for one in self._data.params()["client_ids"]]
        staff_ids = sorted(set(self._data.owner.values()))
        if turn >= len(staff_ids):
            return clients[turn:] + clients[:turn]
        return [one for one, staff in self._data.owner.items() if staff == staff_ids[turn]]

    def _note(self, what: str, seconds: float, status: int) -> None:
        if not self._counts:
            return
        with self._lock:
            self._taken.setdefault(what, []).append(seconds)
            if status >= 400:
                self._bad.append((what, status))

    def _live(self, turn: int, browser: Browser) -> None:
        share = turn / len(self._cookies)
        start = time.monotonic()
        due = [
            [start + share * NEWS_EVERY, NEWS_EVERY, browser.ask_for_news],
            [start + share * HERE_EVERY, HERE_EVERY, browser.say_here],
        ]
        self._in_turn(due)

    def _click(self, turn: int, browser: Browser, clients: list[int], words: list[str]) -> None:
        turns = iter(range(turn, 1_000_000))
        act = lambda: browser.click(next(turns), clients, words)  # noqa: E731
        self._in_turn([[time.monotonic() + turn % 5 * 0.4, CLICK_EVERY, act]])

    def _mail(self) -> None:
        number = int(WARM_UP + self._given.seconds) + 5
        for message in self._data.messages(n=number, salt=taking_in.SALT):
            if self._ends.wait(1.0):
                return
            taking_in.take_one_in(self._runtime, message, at=self._runtime.now())

    def _in_turn(self, due: list[list[Any]]) -> None:
        while not self._ends.is_set():
            first = min(due, key=lambda one: one[0])
            if self._ends.wait(max(0.0, first[0] - time.monotonic())):
                return
            first[2]()
            first[0] += first[1]


def report(found: dict[str, Any], database: str, given: argparse.Namespace) -> bool:
    every = [one for taken in found["taken"].values() for one in taken]
    starved = sum(one > SLOW for one in every)
    print(
        f"\n{database}, data set {given.size}: {given.staff} staff with the inbox open, a message "
        f"a second, {given.clicking} clicking, {found['took']:.0f} s, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{found['cores']:.2f} of one core; {len(every) / found['took']:.0f} requests a second")
    print(f"{'':<8}{'number':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for what, taken in sorted(found["taken"].items()):
        cuts = (
            statistics.quantiles(taken, n=100, method="inclusive")
            if len(taken) > 1
            else [taken[0]] * 99
        )
        marks = (cuts[49], cuts[94], cuts[98], max(taken))
        print(f"{what:<8}{len(taken):>8}" + "".join(f"{1000 * one:>9.1f}" for one in marks))
    print(f"Refused: {len(found['bad'])}; over {SLOW:.0f} s: {starved}", flush=True)
    if found["bad"]:
        print(found["bad"][:5])
    return bool(found["cores"] < CORES and not found["bad"] and not starved)
