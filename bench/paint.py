"""`make bench ARGS=paint`: what a first visit of the inbox costs until something is on the screen.

Each visit is one of a new browser that has nothing kept. The time is that of the browser's own
trace, from the start of the navigation to the first text or picture; the bytes are all that came
over the wire, headers too, until the page was at rest.
"""

import argparse
import json
import statistics
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.dataset import dataset_of, load
from bench.online import signed_in
from bench.serving import Served, alone, casewell_served

MOST_SECONDS, MOST_BYTES = 1.0, 150_000
CATEGORIES = "blink.user_timing,loading,devtools.timeline"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench paint", description=__doc__)
    parser.add_argument("--size", default="M", choices=("XS", "S", "M", "L"))
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("-n", type=int, default=15, help="visits")
    given = parser.parse_args(arguments)
    held = [measure(database, given) for database in given.databases.split(",")]
    return 0 if all(held) else 1


def measure(database: str, given: argparse.Namespace) -> bool:
    """Visit on one database; return whether every bar was held."""
    data = dataset_of(given.size)
    with alone(database) as runtime:
        load(runtime, data)
        [cookie] = signed_in(runtime, 1)
        with casewell_served(runtime) as server, sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            visits = [visit(browser, server, cookie) for _ in range(given.n)]
            browser.close()
    seconds = sorted(one for one, _ in visits)
    size = max(size for _, size in visits)
    middle, worst = statistics.median(seconds), seconds[-1]
    print(
        f"{database} {given.size}: first paint {middle * 1000:.0f} ms, at worst "
        f"{worst * 1000:.0f} ms (at most {MOST_SECONDS * 1000:.0f}); {size / 1000:.1f} kB over the "
        f"wire (at most {MOST_BYTES / 1000:.0f})",
        flush=True,
    )
    return worst <= MOST_SECONDS and size <= MOST_BYTES


def visit(browser: Browser, server: Served, cookie: str) -> tuple[float, float]:
    """Return the seconds until the first contentful paint, and the bytes of the whole visit."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.base}])
    page = context.new_page()
    tools = context.new_cdp_session(page)
    sizes: list[float] = []
    tools.send("Network.enable")
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    # The site's renderer is there before the trace begins: one that starts later misses its start.
    page.goto(f"{server.base}/healthz")
    sizes.clear()
    browser.start_tracing(page=page, categories=CATEGORIES.split(","))
    page.goto(f"{server.base}/inbox", wait_until="networkidle")
    trace = json.loads(browser.stop_tracing())
    context.close()
    return painted(trace["traceEvents"], f"{server.base}/inbox"), sum(sizes)


def painted(events: list[dict[str, Any]], address: str) -> float:
    """Return the seconds from the start of a navigation until its first contentful paint."""
    [start] = [
        one
        for one in events
        if one["name"] == "navigationStart"
        and one["args"]["data"].get("documentLoaderURL") == address
    ]
    [paint] = [
        one
        for one in events
        if one["name"] == "firstContentfulPaint" and _navigation(one) == _navigation(start)
    ]
    return float(paint["ts"] - start["ts"]) / 1e6


def _navigation(event: dict[str, Any]) -> str:
    return str(event["args"]["data"]["navigationId"])
