"""What it costs a browser to show an answer while it is written: the console, with the processor slowed.

    python -m benchmarks.console_streaming [--slow 4 1] [--cases fresh long …] [--rate 100] [--profile FOLDER]

Cases: `plain` (a page of nothing but text that grows at the same rate: what the browser itself costs), `fresh` (2,000
words of Markdown in a new conversation), `earlier` (the same below 100 messages), `paragraph` (2,000 words in one),
`code` (a block of 500 lines), `table` (one of 60 rows), `long` (8,000 words).

For each it prints the main thread's own time by animation frame and by kind (`browser_frames` says how that is
measured, and what a burst is), by quarter of the answer (what grows with the text is not shown in time for long), and
beside it what the clock said, which on a shared machine is also that of others. An answer must not make more updates
of the page than there are frames. `--profile` keeps a profile of the JavaScript. The console is built if need be.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright
from websockets.sync.client import connect

from benchmarks import browser_frames
from benchmarks.browser_frames import Work
from benchmarks.streaming import free_port
from local.testing import Instance, running_stack
from scripts import console

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NAMES = ("chromium", "chromium-browser", "google-chrome")
VIEW: Any = {"width": 1440, "height": 900}
WATCH = """(answer) => {
  window.seen = { frames: 0, updates: 0, over50: 0, over200: 0, longest: 0 };
  let last = performance.now();
  const frame = (time) => {
    const took = time - last;
    last = time;
    seen.frames += 1;
    if (took > 50) seen.over50 += 1;
    if (took > 200) seen.over200 += 1;
    seen.longest = Math.max(seen.longest, Math.round(took));
    if (!seen.done) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  performance.mark("bench-begin");
  const look = () => { seen.updates += 1; };
  new MutationObserver(look).observe(answer, { childList: true, characterData: true, subtree: true });
  const end = () => { if (!seen.done) performance.mark("bench-end"); seen.done = true; };
  new MutationObserver(end).observe(answer, { attributeFilter: ["aria-busy"] });
}"""
BEGUN = """document.querySelector('[role="log"] article[aria-busy="true"]:has(.markdown)')"""
PLAIN = """<div style="height: 100vh; overflow: auto; font: 15px/1.65 sans-serif"><p aria-busy="true"></p></div>"""
GROW = """([words, rate]) => {
  const place = document.querySelector("p");
  const text = place.appendChild(document.createTextNode(""));
  const begun = performance.now();
  let count = 0;
  const frame = () => {
    const due = Math.min(words, Math.floor(((performance.now() - begun) * rate) / 1000));
    let more = "";
    for (; count < due; count += 1) more += `w${count} `;
    if (more) text.appendData(more);
    place.parentElement.scrollTop = place.parentElement.scrollHeight;
    if (count < words) requestAnimationFrame(frame);
    else place.setAttribute("aria-busy", "false");
  };
  requestAnimationFrame(frame);
}"""


@dataclass(frozen=True)
class Case:
    """What is written."""

    kind: str
    words: int
    earlier: int = 0


CASES = {
    "plain": Case("", 2000),
    "fresh": Case("mixed", 2000),
    "earlier": Case("mixed", 2000, earlier=100),
    "paragraph": Case("paragraph", 2000),
    "code": Case("code", 2000),
    "table": Case("table", 900),
    "list": Case("list", 2000),
    "long": Case("mixed", 8000),
}


class Bench:
    """A browser, the console, and an agent whose vendor writes what it is asked for."""

    def __init__(self, browser: Browser, stack: Instance, vendor: str, rate: int, profile: Path | None) -> None:
        self._browser = browser
        self._stack = stack
        self._rate = rate
        self._profile = profile
        config = {"provider": "openai_compatible", "model": "mock", "base_url": vendor}
        self._agent = rest(stack.url, "/agents", {"name": "Writer", "model_config": config, "builtin_tools": []})["id"]

    def measure(self, name: str, slow: float) -> bool:
        """One case; prints what it cost and answers whether there never was more than one update a frame."""
        case = CASES[name]
        page = self._browser.new_context(viewport=VIEW).new_page()
        session = page.context.new_cdp_session(page)
        begin = self._open(page, case)
        session.send("Emulation.setCPUThrottlingRate", {"rate": slow})
        self._browser.start_tracing(page=page, categories=list(browser_frames.CATEGORIES))
        with self._profiled(session, f"{name}-{slow:g}"):
            begin()
            # Not by `expect` or often, which would be work of its own.
            while not page.evaluate("window.seen?.done ?? false"):
                time.sleep(1)
        trace = json.loads(self._browser.stop_tracing())["traceEvents"]
        seen: dict[str, float] = page.evaluate("window.seen")
        page.context.close()
        print(f"  {name:<10} " + line(browser_frames.work(trace, "bench-begin", "bench-end"), slow, seen))
        return not case.kind or seen["updates"] <= seen["frames"]

    def _open(self, page: Page, case: Case) -> Any:
        """Open the page of a case; what is returned begins it."""
        if not case.kind:
            page.set_content(PLAIN)

            def grow() -> None:
                page.evaluate(f"() => ({WATCH})(document.querySelector('p'))")
                page.evaluate(GROW, [case.words, self._rate])

            return grow
        said = f"&c={self._earlier(case.earlier)}" if case.earlier else ""
        page.goto(f"{self._stack.url}/en/agents/detail/?id={self._agent}{said}")
        if case.earlier:
            show_all(page, case.earlier)
        field = page.get_by_role("textbox", name="Message")
        field.fill(f"{case.kind} {case.words} {self._rate}")

        def ask() -> None:
            field.press("Enter")
            until = time.monotonic() + 60
            while not page.evaluate(f"() => {{ const one = {BEGUN}; if (one) ({WATCH})(one); return Boolean(one); }}"):
                assert time.monotonic() < until, "the answer does not come"
                time.sleep(0.1)

        return ask

    def _earlier(self, messages: int) -> str:
        """A conversation with so many messages; its id."""
        conversation: dict[str, str] = {}
        with connect(self._stack.ws_url(self._agent)) as socket:
            for _ in range(messages // 2):
                socket.send(json.dumps({"type": "user_message", "content": "mixed 170 0", **conversation}))
                while (frame := json.loads(socket.recv(30)))["type"] != "message_complete":
                    if frame["type"] == "message_accepted":
                        conversation = {"conversation_id": frame["conversation_id"]}
        return conversation["conversation_id"]

    @contextmanager
    def _profiled(self, session: CDPSession, name: str) -> Iterator[None]:
        if self._profile is None:
            yield
            return
        session.send("Profiler.enable")
        session.send("Profiler.start")
        yield
        profile = session.send("Profiler.stop")["profile"]
        self._profile.mkdir(parents=True, exist_ok=True)
        (self._profile / f"{name}.cpuprofile").write_text(json.dumps(profile))


def show_all(page: Page, messages: int) -> None:
    """Scroll up until all messages are there, and back."""
    articles = page.locator('[role="log"] article')
    log = page.get_by_role("log")
    expect(articles.last).to_be_visible(timeout=60_000)
    until = time.monotonic() + 60
    while articles.count() < messages:
        assert time.monotonic() < until, "the older messages do not come"
        log.hover()
        page.mouse.wheel(0, -100_000)
        time.sleep(0.5)
    page.get_by_role("button", name="newest").click()


def line(work: Work, slow: float, seen: dict[str, float]) -> str:
    """What is printed of a case."""
    kinds = ", ".join(f"{kind} {spent / 1000:.1f}" for kind, spent in sorted(work.kinds.items()))
    quarters = " ".join(f"{quarter / 1000:.1f}" for quarter in work.quarters())
    told = (
        f"{work.total / 1000:5.1f} s in {len(work.frames)} frames: median {work.median:.1f}, "
        f"95% below {work.percentile(0.95):.0f}, longest {work.longest:.0f} ms; "
        f"above 50: {work.above(50)}, bursts {work.bursts}\n"
        f"{'':13}by kind {kinds}; by quarter {quarters} s; {seen['updates']:.0f} updates\n"
    )
    if slow == 1:
        four = work.slowed(4)
        told += f"{'':13}times 4: median {four.median:.1f}, longest {four.longest:.0f} ms, bursts {four.bursts}\n"
    return (
        told + f"{'':13}by the clock {seen['frames']:.0f} frames, above 50 ms: {seen['over50']:.0f}, "
        f"above 200: {seen['over200']:.0f}, longest {seen['longest']:.0f} ms"
    )


def rest(url: str, path: str, body: Any) -> Any:
    """One POST of the REST API; its answer."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/v1{path}", data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.loads(response.read())


@contextmanager
def vendor() -> Iterator[str]:
    """The vendor beside this process; its base URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.answers", str(port)], cwd=Path(__file__).parents[1])
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def main() -> int:
    """Run the command line; 1 where a frame saw several updates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slow", type=float, nargs="+", default=[4, 1])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--profile", type=Path)
    given = parser.parse_args()
    console.install(dev=True)
    console.build(dev=True)
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    arguments = ["--static", str(console.OUT)]
    with running_stack(arguments=arguments) as stack, vendor() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        bench = Bench(browser, stack, url, given.rate, given.profile)
        good = True
        for slow in given.slow:
            print(
                f"processor slowed {slow:g} times, {given.rate} words a second; seconds of the main thread", flush=True
            )
            for name in given.cases:
                good = bench.measure(name, slow) and good
        browser.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
