"""How much of published API descriptions becomes tools, how fast, and whether independent judges agree.

    OPENAPI_DESCRIPTIONS=FOLDER python -m benchmarks.openapi_import [--judge] [--write docs/openapi-import.md]

The folder holds descriptions as .json, .yaml or .yml. Without `--judge` they are only imported. With it, each tool's
schema is held against the rules of all vendors, and requests built from made-up arguments against the description
itself, as openapi-core reads it (OpenAPI 3 only; Swagger 2.0 where `SWAGGER_CONVERTED` names a folder with the same
descriptions, converted to OpenAPI 3 by some other program, as NAME.json). Ends with 1 if an operation is lost, or if
fewer than 98 % become tools.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_builder.errors import AgentBuilderError, ToolError
from agent_builder.tools.http_request import build_request
from agent_builder.tools.openapi.document import Document, load
from agent_builder.tools.openapi.importer import Importer
from agent_builder.tools.openapi.preview import ImportedOperation, ImportPreview
from agent_builder.tools.schemas import check_arguments
from agent_builder.tools.vendor_schemas import Vendor, adapt
from benchmarks.openapi_conformance.examples import CannotMake, Examples
from benchmarks.openapi_conformance.source import BASE, Source, Unjudged
from benchmarks.openapi_conformance.vendor_rules import faults, name_faults

LEAST_SHARE = 0.98
FILLS = (0.0, 0.5, 1.0)
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
VENDORS: tuple[tuple[Vendor, bool], ...] = (
    ("anthropic", False),
    ("openai", False),
    ("openai", True),
    ("google", False),
)
BEGIN, END = "<!-- measured -->", "<!-- end -->"


@dataclass(slots=True)
class Result:
    """What became of one description."""

    name: str
    preview: ImportPreview
    expected: int
    seconds: float
    vendor_faults: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    objections: list[str] = field(default_factory=list)


def main() -> int:
    """Prints the table; the exit code is for scripts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", action="store_true", help="ask the independent judges as well")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print N objections of each description")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this page, between its marks")
    parser.add_argument("names", nargs="*", help="only descriptions whose names contain one of these")
    options = parser.parse_args()
    if "OPENAPI_DESCRIPTIONS" not in os.environ:
        parser.error("OPENAPI_DESCRIPTIONS must name a folder with descriptions")
    paths = sorted(Path(os.environ["OPENAPI_DESCRIPTIONS"]).iterdir())
    paths = [p for p in paths if p.suffix in {".json", ".yaml", ".yml"} and p.name != "manifest.json"]
    wanted = [p for p in paths if not options.names or any(name in p.name for name in options.names)]
    results = [result for path in wanted if (result := measured(path, judge=options.judge))]
    text = report(results, judged=options.judge)
    print(text)
    for result in results:
        for objection in [*result.vendor_faults, *result.objections][: options.show]:
            print(f"{result.name}: {objection}")
    if options.write:
        page = options.write.read_text("utf-8")
        before, rest = page.split(BEGIN)
        options.write.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", "utf-8")
    return verdict(results)


def measured(path: Path, *, judge: bool) -> Result | None:
    """Import one description; None where it is refused as a whole."""
    begin = time.process_time()
    try:
        document = load(path.read_bytes())
        preview = Importer(document, f"https://descriptions.example.test/{path.name}").preview()
    except AgentBuilderError as error:
        print(f"{path.name} is refused: {error.detail}")
        return None
    result = Result(path.name, preview, expected(document), time.process_time() - begin)
    if judge:
        source = source_of(path, document)
        for operation in preview.operations:
            if operation.tool:
                judge_schema(operation, result)
                judge_requests(operation, source, result)
    return result


def expected(document: Document) -> int:
    """How many operations a description has, counted without the importer."""
    items = (item for item in document.root.get("paths", {}).values() if isinstance(item, dict))
    return sum(1 for item in items for word in item if word.lower() in METHODS)


def source_of(path: Path, document: Document) -> Source | None:
    """The description as an independent validator; of Swagger 2.0 only what another program made of it."""
    if document.dialect != "2.0":
        return Source(document.root)
    converted = Path(os.environ.get("SWAGGER_CONVERTED", "/nonexistent")) / f"{path.name}.json"
    return Source(json.loads(converted.read_bytes())) if converted.exists() else None


def judge_schema(operation: ImportedOperation, result: Result) -> None:
    """Hold name and schema against the rules of all vendors."""
    assert operation.tool
    result.vendor_faults += [f"{operation.key}: {fault}" for fault in name_faults(operation.tool.name)]
    for vendor, strict in VENDORS:
        adapted = adapt(operation.tool.input_schema, vendor, strict=strict)
        found = faults(adapted.schema, vendor, strict=adapted.strict)
        result.vendor_faults += [f"{operation.key} for {vendor}: {fault}" for fault in found]


def judge_requests(operation: ImportedOperation, source: Source | None, result: Result) -> None:
    """Build requests from made-up arguments and ask the description about them."""
    assert operation.tool
    tool = operation.tool.model_copy(update={"base_url": None})
    examples = Examples(tool.input_schema)
    for fill in FILLS:
        try:
            arguments = examples.make(fill)
            check_arguments(tool.input_schema, arguments)
            request = build_request(tool, arguments, base_url=BASE)
            found = source.faults(operation.path, request) if source else None
        except (CannotMake, ToolError) as error:
            result.requests["failed"] += 1
            result.objections.append(f"{operation.key} ({operation.status}): {str(error)[:300]}")
            continue
        except Unjudged:
            found = None
        kind = "unjudged" if found is None else "objected" if found else "valid"
        result.requests[kind] += 1
        result.objections += [f"{operation.key} ({operation.status}): {one[:600]}" for one in found or ()]


def report(results: list[Result], *, judged: bool) -> str:
    """The table in Markdown, with the reasons below it."""
    head = ["description", "OpenAPI", "operations", "accepted", "changed", "skipped", "CPU s"]
    head += ["requests valid", "objected", "not judged"] if judged else []
    lines = [row(head), row(["---", "---", *["---:"] * (len(head) - 2)])]
    lines += [row([f"`{one.name}`", one.preview.openapi, *figures([one], judged=judged)]) for one in results]
    lines += [row(["**all**", "", *figures(results, judged=judged)]), "", *reasons(results)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    if not judged:
        lines += ["", f"Peak memory of the process: {peak:.0f} MB."]
    else:
        count = sum(len(result.vendor_faults) for result in results)
        lines += [
            "",
            f"Faults that the rules of Anthropic, OpenAI (also strict) and Google find in the schemas: {count}.",
        ]
    return "\n".join(lines)


def figures(results: list[Result], *, judged: bool) -> list[str]:
    """The numbers of one row."""
    counts: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for result in results:
        counts.update(result.preview.counts())
        requests.update(result.requests)
    numbers = [sum(len(result.preview.operations) for result in results)]
    numbers += [counts[name] for name in ("accepted", "changed", "skipped")]
    shown = [*map(str, numbers), f"{sum(result.seconds for result in results):.2f}"]
    kinds = (requests["valid"], requests["objected"] + requests["failed"], requests["unjudged"])
    return shown + ([str(number) for number in kinds] if judged else [])


def reasons(results: list[Result]) -> list[str]:
    """How many operations each reason stands at."""
    counted: Counter[tuple[str, str]] = Counter()
    for result in results:
        for operation in result.preview.operations:
            counted.update({(note.level, note.code) for note in operation.notes})
    lines = [row(["level", "reason", "operations"]), row(["---", "---", "---:"])]
    ordered = sorted(counted.items(), key=lambda item: (item[0][0] == "info", -item[1]))
    return lines + [row([level, f"`{code}`", str(count)]) for (level, code), count in ordered]


def row(cells: list[Any]) -> str:
    """A row of a table."""
    return "| " + " | ".join(cells) + " |"


def verdict(results: list[Result]) -> int:
    """0 where nothing is lost and enough becomes tools."""
    lost = [result.name for result in results if len(result.preview.operations) < result.expected]
    if lost:
        print(f"Operations are lost in {', '.join(lost)}.")
    total = sum(len(result.preview.operations) for result in results)
    made = sum(1 for result in results for operation in result.preview.operations if operation.tool)
    print(f"{made} of {total} operations become tools.")
    return 1 if lost or made < LEAST_SHARE * total else 0


if __name__ == "__main__":
    raise SystemExit(main())
