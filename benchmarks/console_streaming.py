"""What it costs a browser to show an answer while it is written: the console, with the processor slowed.

    python -m benchmarks.console_streaming [--slow 4] [--tokens 2000] [--rate 100]

Two answers, each of so many words at so many a second: one of Markdown (lists, tables, code) and one long paragraph. It
prints frames and updates of the page in between, frames that took longer than 50 and 200 ms, and the share of the time
that the page was at work. An answer must not make more updates than there are frames. The console is built if need be.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import urllib.request
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.testing import running_stack
from scripts import console

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
OPTIONS_LIMIT = 14_500  # an agent's options are at most 16 KiB of JSON
NAMES = ("chromium", "chromium-browser", "google-chrome")
WATCH = """() => {
  window.seen = { frames: 0, updates: 0, most: 0, over50: 0, over200: 0, longest: 0 };
  let last = performance.now();
  let now = 0;
  const frame = (time) => {
    const took = time - last;
    last = time;
    seen.frames += 1;
    seen.most = Math.max(seen.most, now);
    now = 0;
    if (took > 50) seen.over50 += 1;
    if (took > 200) seen.over200 += 1;
    seen.longest = Math.max(seen.longest, Math.round(took));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new MutationObserver(() => { seen.updates += 1; now += 1; })
    .observe(document.querySelector('[role="log"] article[aria-busy="true"]'),
             { childList: true, characterData: true, subtree: true });
}"""
_SECTION = """## Step {number}

Water of **94 degrees** runs through *ground* coffee, see [the notes](https://example.com/{number}) and
`brew({number})`.

- first rinse the paper
- then pour in circles, slowly, for half a minute
- wait until all of it has run through

| Way | Minutes | Taste |
| --- | ---: | --- |
| Filter | {number} | clear and light |
| Press | 5 | full |

```python
def brew(grams: int, minutes: int = {number}) -> str:
    # Stir once in the middle.
    return f"{{grams}} g for {{minutes}} minutes"
```

"""


@dataclass(frozen=True)
class Task:
    """What is measured."""

    tokens: int
    rate: int
    slow: float


def markdown(words: int) -> str:
    """An answer of about so many words, as models write them."""
    text = ""
    number = 0
    while len(text.split()) < words:
        number += 1
        text += _SECTION.format(number=number)
    return text[:OPTIONS_LIMIT]


def paragraph(words: int) -> str:
    """One long paragraph: the worst case of what is parsed anew with each word."""
    return " ".join(f"w{number}" if number % 9 else f"*w{number}*." for number in range(1, words + 1))


def rest(url: str, path: str, body: Any) -> Any:
    """One POST of the REST API; its answer."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/v1{path}", data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
        return json.loads(response.read())


def measure(page: Page, url: str, text: str, task: Task) -> dict[str, float]:
    """Ask for the text and watch the page until it is all there."""
    script = [{"text": "Begin. "}, {"slow_ms": round(1000 / task.rate)}, {"text": text}]
    model = {"provider": "scripted", "model": "s", "options": {"script": script}}
    agent = rest(url, "/agents", {"name": "Writer", "model_config": model})["id"]
    page.goto(f"{url}/en/agents/detail/?id={agent}")
    field = page.get_by_role("textbox", name="Message")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("Emulation.setCPUThrottlingRate", {"rate": task.slow})
    field.fill("Write")
    field.press("Enter")
    answer = page.get_by_role("article", name="Answer")
    expect(answer).to_contain_text("Begin.")
    page.evaluate(WATCH)
    before = _metrics(session)
    expect(answer).to_have_attribute("aria-busy", "false", timeout=600_000)
    after = _metrics(session)
    seen: dict[str, float] = page.evaluate("window.seen")
    spent = after["Timestamp"] - before["Timestamp"]
    return {"seconds": spent, "busy": (after["TaskDuration"] - before["TaskDuration"]) / spent, **seen}


def _metrics(session: Any) -> dict[str, float]:
    return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}


def report(browser: Browser, url: str, task: Task) -> bool:
    """Measure and print; answers whether there never was more than one update a frame."""
    good = True
    print(f"processor slowed {task.slow:g} times, {task.tokens} words, {task.rate} a second")
    for name, text in (("markdown", markdown(task.tokens)), ("paragraph", paragraph(task.tokens))):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        found = measure(context.new_page(), url, text, task)
        context.close()
        good = good and found["updates"] <= found["frames"] and found["most"] <= 1
        print(
            f"  {name:<10} {found['seconds']:5.1f} s, page at work {found['busy']:.0%}; {found['frames']:.0f} frames, "
            f"{found['updates']:.0f} updates; over 50 ms: {found['over50']:.0f}, over 200 ms: {found['over200']:.0f}, "
            f"longest {found['longest']:.0f} ms"
        )
    return good


def main() -> int:
    """Run the command line; 1 where a frame saw several updates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--slow", type=float, default=4)
    options = parser.parse_args()
    console.install(dev=True)
    console.build(dev=True)
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    with running_stack(arguments=["--static", str(console.OUT)]) as stack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        good = report(browser, stack.url, Task(options.tokens, options.rate, options.slow))
        browser.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
