"""How long each function takes to start, from the built artefacts, beside `import boto3` alone.

    python benchmarks/cold_start.py [--runs 11] [--explain ApiFunction]

Each start is a new process of AWS's own runtime client (`awslambdaric`) that sees what it would see on Lambda: the
function, the layers and the client, nothing of the development environment. It is timed from the process's birth to its
first request for an event, which is when Lambda's init ends. The handlers take turns, so that a busy moment of this
machine hits all alike, and medians are compared. An empty handler's time is taken off: it is Python and the client.

Not measured, since only Lambda has it: fetching and unpacking the layers, a slower processor, and SnapStart.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / ".build" / "host" / "build"
LAYERS = [BUILD / "SharedLayer" / "python", BUILD / "DependenciesLayer" / "python"]
BASELINE = "import boto3"
START_TIMEOUT_S = 60.0

# What is started beside the functions: source of a handler's module.
STUBS = {
    "empty": "",
    BASELINE: "import boto3\n",
    "import anthropic": "import anthropic.resources.messages\n",
    "import openai": "import openai.resources.chat, openai.resources.responses\n",
    "import google.genai": "from google import genai\n",
}

# How many times `import boto3` a start may take. The runner imports an SDK at the first use of its provider.
AIMS = {"AuthorizerFunction": 2.0, "PlaygroundFunction": 2.0, "ApiFunction": 3.0, "RunnerFunction": 3.0}


@dataclass
class Subject:
    """Something that is started: a handler, what it may import from, and how long its starts took, in milliseconds."""

    name: str
    handler: str
    folder: Path
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    modules: int = 0


def runtime_client(folder: Path) -> Path:
    """A folder with awslambdaric and what it needs, linked from this environment: Lambda's /var/runtime."""
    site = Path(str(metadata.distribution("awslambdaric").locate_file("")))
    for package in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        files = metadata.files(package) or []
        for name in {file.parts[0] for file in files if file.parts[0] != ".." and "__pycache__" not in file.parts[0]}:
            (folder / name).symlink_to(site / name)
    return folder


def subjects(stubs: Path) -> list[Subject]:
    """The stubs, written into `stubs`, and every function that was built."""
    found = []
    for number, (name, source) in enumerate(STUBS.items()):
        module = f"stub_{number}"
        text = f"{source}\n\ndef lambda_handler(event, context):\n    return None\n"
        (stubs / f"{module}.py").write_text(text, "utf-8")
        found.append(Subject(name, f"{module}.lambda_handler", stubs))
    for folder in sorted(path.parent for path in BUILD.glob("*/functions")):
        package = next((folder / "functions").iterdir()).name
        found.append(Subject(folder.name, f"functions.{package}.app.lambda_handler", folder))
    compiled = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(stubs)]
    subprocess.run(compiled, check=True)
    return found


def environment(subject: Subject, client: Path, api: str = "") -> dict[str, str]:
    """What Lambda sets and the template sets. PYTHONPATH stands for the order in which Lambda searches."""
    path = [subject.folder, *LAYERS, client]
    return {
        "AWS_LAMBDA_RUNTIME_API": api,
        "AWS_LAMBDA_FUNCTION_NAME": subject.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": str(subject.folder),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TABLE_NAME": "table",
        "RUNNER_FUNCTION": "runner:live",
        "OIDC_ISSUER": "https://issuer.example",
        "OIDC_AUDIENCE": "console",
    }


def start(subject: Subject, client: Path) -> None:
    """Starts it once, up to its first request for an event, and notes what that took. RuntimeError: it never came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(START_TIMEOUT_S)
        variables = environment(subject, client, f"127.0.0.1:{server.getsockname()[1]}")
        command = [sys.executable, "-S", "-m", "awslambdaric", subject.handler]
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            connection, _ = server.accept()
            request = connection.recv(4096)
            subject.wall_ms.append((time.perf_counter() - begun) * 1000)
        finally:
            process.kill()
        output, _ = process.communicate()
        connection.close()
    if not request.startswith(b"GET /2018-06-01/runtime/invocation/next "):
        raise RuntimeError(f"{subject.name} did not start:\n{request.decode()}\n{output.decode()}")


def cpu(subject: Subject, client: Path) -> tuple[float, int]:
    """Processor milliseconds and modules of importing the handler, in an interpreter that then ends by itself."""
    module = subject.handler.rpartition(".")[0]
    code = (
        f"import importlib, sys, time; importlib.import_module({module!r});"
        "print(time.process_time() * 1000, len(sys.modules))"
    )
    command = [sys.executable, "-S", "-c", code]
    result = subprocess.run(command, env=environment(subject, client), capture_output=True, text=True, check=True)
    milliseconds, modules = result.stdout.split()
    return float(milliseconds), int(modules)


def measure(found: list[Subject], client: Path, runs: int) -> None:
    """Starts every subject `runs` times, by turns, after one that fills the file cache."""
    for turn in range(runs + 1):
        for subject in found:
            start(subject, client)
            milliseconds, subject.modules = cpu(subject, client)
            subject.cpu_ms.append(milliseconds)
        if turn == 0:
            for subject in found:
                subject.wall_ms.clear()
                subject.cpu_ms.clear()
        print(f"\rround {turn + 1} of {runs + 1}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def report(found: list[Subject]) -> bool:
    """Prints the table. True if every aim is met."""
    by_name = {subject.name: subject for subject in found}
    floor = statistics.median(by_name["empty"].wall_ms)
    unit = statistics.median(by_name[BASELINE].wall_ms) - floor
    cpu_floor = statistics.median(by_name["empty"].cpu_ms)
    cpu_unit = statistics.median(by_name[BASELINE].cpu_ms) - cpu_floor
    met = True
    print(f"{'':22}{'start ms':>9}{'above empty':>12}{'x boto3':>9}{'x (CPU)':>9}{'modules':>9}   aim")
    for subject in found:
        wall, processor = statistics.median(subject.wall_ms), statistics.median(subject.cpu_ms)
        ratio = (wall - floor) / unit
        aim = AIMS.get(subject.name)
        verdict = "" if aim is None else f"{aim:.0f}x {'met' if ratio <= aim else 'missed'}"
        met = met and (aim is None or ratio <= aim)
        row = f"{subject.name:22}{wall:9.0f}{wall - floor:12.0f}{ratio:9.2f}{(processor - cpu_floor) / cpu_unit:9.2f}"
        print(f"{row}{subject.modules:9}   {verdict}".rstrip())
    return met


def report_sizes() -> None:
    """Prints the unzipped size of each layer and function of both builds, where they are built."""
    for label, build in (("this machine", BUILD), ("Lambda", ROOT / ".aws-sam" / "build")):
        for folder in sorted(path for path in build.glob("*") if path.is_dir()):
            total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            compiled = sum(1 for _ in folder.rglob("*.pyc"))
            print(f"built for {label:13} {folder.name:20}{total / 1e6:8.1f} MB unzipped, {compiled} modules compiled")


def explain(subject: Subject, client: Path, runs: int, count: int = 30) -> None:
    """Prints the imports that take longest, each at its quickest in `runs` starts, alone and with what they import."""
    module = subject.handler.rpartition(".")[0]
    command = [sys.executable, "-S", "-X", "importtime", "-c", f"import {module}"]
    best: dict[str, tuple[float, float]] = {}
    for _ in range(runs):
        result = subprocess.run(command, env=environment(subject, client), capture_output=True, text=True, check=True)
        for line in result.stderr.splitlines()[1:]:
            own, total, name = line.removeprefix("import time:").split("|")
            quickest = best.get(name, (float("inf"), float("inf")))
            best[name] = (min(quickest[0], int(total) / 1000), min(quickest[1], int(own) / 1000))
    print(f"{'total ms':>9}{'own ms':>8}  module")
    for name, (total_ms, own_ms) in sorted(best.items(), key=lambda row: row[1], reverse=True)[:count]:
        print(f"{total_ms:9.1f}{own_ms:8.1f} {name}")


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=11, help="starts of each; the median counts")
    parser.add_argument("--explain", metavar="FUNCTION", help="show instead which imports take the time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as client_folder, tempfile.TemporaryDirectory() as stubs:
        client = runtime_client(Path(client_folder))
        found = subjects(Path(stubs))
        if options.explain:
            explain(next(subject for subject in found if subject.name == options.explain), client, options.runs)
            return
        measure(found, client, options.runs)
    met = report(found)
    report_sizes()
    sys.exit(not met)


if __name__ == "__main__":
    main()
