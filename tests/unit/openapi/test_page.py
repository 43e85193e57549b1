"""The page on the import says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from agent_builder.models.openapi_imports import MOST_CHOSEN
from agent_builder.repositories.openapi_imports import AT_ONCE
from agent_builder.services.importing import ATTEMPTS, FETCH_SECONDS, LEASE_MS, READ_SECONDS
from agent_builder.services.openapi_imports import KEPT_MS
from agent_builder.tools.openapi.assembly import SCHEMA_BYTES
from agent_builder.tools.openapi.document import MAX_BYTES, MAX_DEPTH, MAX_NODES
from agent_builder.tools.openapi.listing import MAX_OPERATIONS

ROOT = Path(__file__).resolve().parents[3]
CODE = ROOT / "shared" / "agent_builder" / "tools" / "openapi"
PAGE = (ROOT / "docs" / "openapi-import.md").read_text("utf-8")


def test_every_reason_is_explained_at_its_level() -> None:
    said: set[tuple[str, str]] = set()
    for path in CODE.glob("*.py"):
        for word, code in re.findall(r"\b(changed|info|skipped|Skip)\(\s*\"([a-z_]+)\"", path.read_text("utf-8")):
            said.add((code, "skipped" if word == "Skip" else word))
    rows = re.findall(r"^\| (`[^|]*`) \| (changed|skipped|info) \|", PAGE.split("## How")[0], re.MULTILINE)
    explained = {(code, level) for codes, level in rows for code in re.findall(r"`([a-z_]+)`", codes)}
    assert explained == said


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{MAX_BYTES // 2**20} MiB, {MAX_NODES:,} values" in PAGE
    assert f"{MAX_DEPTH} levels, {MAX_OPERATIONS:,} operations" in PAGE
    assert f"at most {SCHEMA_BYTES // 1024} KiB" in PAGE


def test_the_job_is_as_the_pages_say() -> None:
    assert f"{FETCH_SECONDS:g} s, redirects checked" in PAGE
    assert f"at most {READ_SECONDS:g} s" in PAGE
    assert f"({LEASE_MS // 1000} s), for {'three' if ATTEMPTS == 3 else ATTEMPTS} attempts" in PAGE
    api = " ".join((ROOT / "docs" / "api.md").read_text("utf-8").split())
    assert f"kept for {KEPT_MS // 86_400_000} days; {AT_ONCE} of a tenant may be unfinished" in api
    assert f"up to {MAX_BYTES // 2**20} MiB" in api
    assert f"keys (up to {MOST_CHOSEN})" in api


def test_what_was_measured_stands_in_the_page() -> None:
    table = PAGE.split("<!-- measured -->")[1].split("<!-- end -->")[0]
    total = re.search(r"\*\*all\*\* \|  \| (\d+) \| (\d+) \| (\d+) \| (\d+)", table)
    assert total
    operations, accepted, changed, skipped = map(int, total.groups())
    assert operations == accepted + changed + skipped
    assert accepted + changed >= 0.98 * operations
