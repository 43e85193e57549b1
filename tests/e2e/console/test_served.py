"""The console's files, as the laptop serves them, and the policy that every page carries."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from local.testing import Instance
from tests.e2e.console.visit import Visit

ROOT = Path(__file__).resolve().parents[3]
ADDRESSES = [
    case
    for case in json.loads((ROOT / "tests/golden/console_addresses.json").read_text("utf-8"))
    if ".." not in case["path"] and not case["path"].startswith(("//", "/\\"))
]
# In compressed JavaScript; what the issue promises.
FIRST_LOAD = 200_000


@pytest.fixture(scope="module")
def http(stack: Instance) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack.url, headers={"Accept": "text/html"}) as client:
        yield client


@pytest.mark.parametrize("case", ADDRESSES, ids=lambda case: " ".join(str(part) for part in case.values()))
def test_address(http: httpx2.Client, case: dict[str, str], console_folder: str) -> None:
    headers = {"Accept-Language": case.get("languages", ""), "Cookie": f"NEXT_LOCALE={case.get('cookie', '')}"}
    answer = http.get(case["path"] + (f"?{case['query']}" if "query" in case else ""), headers=headers)
    assert answer.status_code == case["status"]
    if answer.is_redirect:
        assert answer.headers["location"] == case["target"]
    else:
        assert answer.content == Path(console_folder, (case["target"] or case["path"]).lstrip("/")).read_bytes()


def test_every_file_is_served_with_its_size(http: httpx2.Client, console_folder: str) -> None:
    folder = Path(console_folder)
    for file in folder.rglob("*"):
        if not file.is_file() or file.suffix in (".gz", ".html"):
            continue
        path = file.relative_to(folder).as_posix()
        head = http.head(f"/{path}", headers={"Accept-Encoding": "identity"})
        assert (head.status_code, head.headers["content-length"]) == (200, str(file.stat().st_size)), path
        lasting = "immutable" in head.headers["cache-control"]
        assert lasting == path.startswith("_next/static/"), path


def test_data_of_a_page_that_is_missing_is_no_page(http: httpx2.Client) -> None:
    """The router asks for `.txt`; a page in its place, with 200, would be taken for data."""
    answer = http.get("/en/nothing/index.txt")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_nobody_has_to_sign_in(http: httpx2.Client) -> None:
    answer = http.get("/config.json")
    assert (answer.json(), answer.headers["cache-control"]) == ({}, "no-store")


def test_headers_of_pages(http: httpx2.Client) -> None:
    headers = http.get("/en/agents/").headers
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-cache"


def test_every_page_forbids_what_it_does_not_need(console_folder: str) -> None:
    pages = list(Path(console_folder).rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        text = page.read_text("utf-8")
        found = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)"', text)
        assert len(found) == 1, page
        policy = dict(part.strip().partition(" ")[::2] for part in html.unescape(found[0]).split(";"))
        assert policy["default-src"] == "'none'"
        assert re.fullmatch(r"'self'( 'sha256-[\w+/=]+')+", policy["script-src"])
        assert re.fullmatch(r"'self'( 'sha256-[\w+/=]+')*", policy["style-src"])
        assert text.index("Content-Security-Policy") < re.search(r"<script(?![^>]*\ssrc=)", text).start()  # type: ignore[union-attr]
        assert not re.search(r'<[^>]+\s(style|on\w+)="', text), page


def test_first_load_of_the_agents(http: httpx2.Client) -> None:
    text = http.get("/en/agents/").text
    scripts = {source for source, rest in re.findall(r'<script src="([^"]+)"([^>]*)>', text) if "noModule" not in rest}
    sizes = {}
    for script in scripts:
        with http.stream("GET", script, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            sizes[script] = len(b"".join(answer.iter_raw()))
    assert sum(sizes.values()) < FIRST_LOAD, sizes


def test_documentation_of_rest_is_a_page(visit: Visit, stack: Instance) -> None:
    visit.page.goto(f"{stack.url}/api/v1/docs")
    expect(visit.page.get_by_text("Dr. Melton Agent Builder").first).to_be_visible()
    expect(visit.page.get_by_text("Create an agent").first).to_be_visible()
