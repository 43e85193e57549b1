"""Looks at what `sam build` made, without running it: would it work on Lambda?

    inspect_build.py .aws-sam/build

Prints the unzipped size of each part and what is wrong: a wheel or a binary for another machine or Python, an import
that nothing in the artefacts provides, too many bytes. Exits with 1 if anything is.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Lambda refuses a function that is larger than this with all its layers, unzipped.
LIMIT_BYTES = 250 * 1024 * 1024

# As ELF headers name the processor.
AARCH64 = 0xB7

# In the standard library of the oldest Python that may run this script, and not in Lambda's.
REMOVED = frozenset(
    """aifc asynchat asyncore audioop cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap msilib nis nntplib
    ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib""".split()
)
# Made at run time by `six`, so no file has its name.
DYNAMIC = frozenset({"six.moves"})


@dataclass(frozen=True)
class Import:
    """One imported module, the names taken from it, and whether the importing module fails without it."""

    module: str
    names: tuple[str, ...]
    required: bool


def size(folder: Path) -> int:
    """Bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def parts(build: Path) -> tuple[list[Path], list[Path]]:
    """The folders of the functions and of the layers' Python packages."""
    layers = sorted(build.glob("*/python"))
    functions = sorted(folder.parent for folder in build.glob("*/functions"))
    return functions, layers


# ---------------------------------------------------------------- wheels and binaries


def foreign_wheels(site: Path, version: tuple[int, int]) -> Iterator[str]:
    """Names wheels that CPython `version` on Linux and arm64 would not install."""
    python = "cp{}{}".format(*version)
    for metadata in sorted(site.glob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag: (\S+)-(\S+)-(\S+)$", metadata.read_text("utf-8"), re.MULTILINE)
        if not any(fits(tag, python) for tag in tags):
            yield f"{metadata.parent.name} is built for {', '.join('-'.join(tag) for tag in tags)}"


def fits(tag: tuple[str, str, str], python: str) -> bool:
    """Whether a wheel's tag (interpreter, ABI, platform) suits `python` ("cp313") on Lambda's arm64."""
    interpreter, abi, machine = tag
    if machine != "any" and not re.fullmatch(r"(manylinux\w*|linux)_aarch64", machine):
        return False
    if abi == "none":
        return interpreter in {"py3", "py2.py3", python} or "py3" in interpreter.split(".")
    older = abi == "abi3" and interpreter.startswith("cp3") and int(interpreter[3:]) <= int(python[3:])
    return older or (interpreter, abi) == (python, python)


def foreign_binaries(site: Path, version: tuple[int, int]) -> Iterator[str]:
    """Names shared libraries for another processor or another Python."""
    python = "cpython-{}{}".format(*version)
    for path in sorted(site.rglob("*.so*")):
        with path.open("rb") as file:
            header = file.read(20)
        if header[:4] != b"\x7fELF" or int.from_bytes(header[18:20], "little") != AARCH64:
            yield f"{path.relative_to(site)} is not a library for Linux on arm64"
        tag = re.search(r"\.(cpython-\d+)", path.name)
        if tag and tag[1] != python:
            yield f"{path.relative_to(site)} is built for {tag[1]}"


# ---------------------------------------------------------------- imports


def imports(tree: ast.Module, package: str) -> Iterator[Import]:
    """The modules that a module imports. Those in a function, a `try` or under a condition are not required."""

    def walk(node: ast.AST, required: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, (), required) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(absolute(node, package), tuple(alias.name for alias in node.names), required)
        conditional = isinstance(node, (ast.Try, ast.If, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.With))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, required and not conditional)

    yield from walk(tree, required=True)


@cache
def imports_of(source: Path, package: str) -> tuple[Import, ...]:
    """The same for a file, remembered: the functions have most of them in common."""
    return tuple(imports(ast.parse(source.read_bytes()), package))


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module named by `from ... import`, with the dots of a relative import resolved within `package`."""
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def locate(module: str, path: list[Path]) -> Path | None:
    """The file or the folder that `module` is imported from, in the order of `path`."""
    relative = Path(*module.split("."))
    for root in path:
        if (root / relative / "__init__.py").is_file():
            return root / relative / "__init__.py"
        if (root / relative).with_suffix(".py").is_file():
            return (root / relative).with_suffix(".py")
        if any(root.glob(f"{relative}.*.so")) or any(root.glob(f"{relative}.so")):
            return root / f"{relative}.so"
    folders = [root / relative for root in path if (root / relative).is_dir()]
    return folders[0] if folders else None


def missing_imports(function: Path, layers: list[Path]) -> Iterator[str]:
    """Names each import reached from a function's modules that neither it nor the layers nor Python provides.

    In our own packages every import counts, wherever it stands; in others' only those that stand plainly at the top.
    """
    path = [function, *layers]
    own = ("functions.", "agent_builder")
    queue = [(module_name(source, path), source) for source in sorted((function / "functions").rglob("*.py"))]
    seen = {name for name, _ in queue}
    while queue:
        name, source = queue.pop()
        package = name if source.name == "__init__.py" else name.rpartition(".")[0]
        for found in imports_of(source, package):
            if not (found.required or name.startswith(own)) or provided(found.module):
                continue
            for module, needed in steps(found):
                target = locate(module, path) if module not in seen else None
                if target and target.suffix == ".py":
                    queue.append((module, target))
                elif needed and module not in seen and not target:
                    yield f"{name} imports {module}, which is not there"
                seen.add(module)


def provided(module: str) -> bool:
    """Whether Lambda's Python itself, or a package while it runs, provides `module`."""
    return module in DYNAMIC or module.split(".")[0] in sys.stdlib_module_names - REMOVED


def steps(found: Import) -> Iterator[tuple[str, bool]]:
    """What one import may load, in order: each parent package, the module, and names of it that may be modules.

    The second value tells whether it has to be there; a name may be a module or something that the module defines.
    """
    words = found.module.split(".")
    for count in range(1, len(words) + 1):
        yield ".".join(words[:count]), True
    for name in found.names:
        yield f"{found.module}.{name}", False


def module_name(source: Path, path: list[Path]) -> str:
    """The dotted name under which a file below one of `path` is imported."""
    root = next(root for root in path if source.is_relative_to(root))
    parts = source.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# ---------------------------------------------------------------- report


def faults(build: Path, version: tuple[int, int]) -> Iterator[str]:
    """Everything that is wrong with the artefacts in `build` for Lambda's Python `version`."""
    functions, layers = parts(build)
    if not functions or not layers:
        yield f"{build} holds no functions or no layers"
    for layer in layers:
        yield from foreign_wheels(layer, version)
        yield from foreign_binaries(layer, version)
    shared = sum(size(layer) for layer in layers)
    for function in functions:
        yield from (f"{function.name}: {fault}" for fault in missing_imports(function, layers))
        total = shared + size(function)
        if total > LIMIT_BYTES:
            yield f"{function.name} weighs {total / 1e6:.0f} MB with its layers, above the limit of Lambda"


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    build: Path = parser.parse_args().build
    functions, layers = parts(build)
    for folder in [*functions, *layers]:
        part = folder.parent.name if folder in layers else folder.name
        compiled = sum(1 for _ in folder.rglob("*.pyc"))
        print(f"{part:20} {size(folder) / 1e6:8.2f} MB  {compiled} modules compiled")
    found = list(faults(build, (3, 13)))
    print("\n".join(found) or "nothing wrong")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
