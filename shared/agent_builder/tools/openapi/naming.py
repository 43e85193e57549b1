"""Names that all vendors take: of tools `[a-zA-Z_][a-zA-Z0-9_-]{0,63}`, of arguments `[a-zA-Z_][a-zA-Z0-9_]{0,63}`."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LENGTH = 64
_DIGEST = 6


def tool_name(operation_id: str | None, method: str, path: str, taken: set[str]) -> str:
    """A name that is not taken: from the operationId, else from method and path. Adds it to `taken`.

    The same operation gets the same name whatever else the description holds, except where two want one name: then
    the later one carries a digest of its method and path.
    """
    wanted = plain(operation_id or "", dash=True) or plain(f"{method.lower()} {_words(path)}", dash=True)
    name = _fitted(wanted, "" if wanted not in taken and len(wanted) <= _LENGTH else f"{method} {path}")
    number = 1
    while name in taken:
        number += 1
        name = _fitted(wanted, f"{method} {path} {number}")
    taken.add(name)
    return name


def argument_name(wanted: str, taken: set[str], *, prefix: str = "") -> str:
    """A name for an argument that is not taken; `prefix` is put before where two parameters share a name."""
    base = plain(wanted, dash=False) or "value"
    name = _fitted(base, "" if len(base) <= _LENGTH else wanted)
    if name in taken and prefix:
        base = plain(f"{prefix}_{wanted}", dash=False)
        name = _fitted(base, "" if len(base) <= _LENGTH else wanted)
    number = 1
    while name in taken:
        number += 1
        name = f"{_fitted(base, '')[: _LENGTH - 4]}_{number}"
    taken.add(name)
    return name


def plain(text: str, *, dash: bool) -> str:
    """ASCII letters, digits, underscores (and dashes), beginning with a letter; empty where nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+" if dash else r"[^A-Za-z0-9_]+", "_", ascii_text)
    name = re.sub(r"__+", "_", name).strip("_-") if re.search(r"[A-Za-z0-9]", name) else ""
    return f"_{name}" if name[:1].isdigit() else name


def _words(path: str) -> str:
    """A path as words: `/pets/{petId}/photos` becomes `pets by petId photos`."""
    return re.sub(r"\{([^{}]*)\}", r" by \1 ", path.split("?")[0]) if path.strip("/") else "root"


def _fitted(name: str, digest_of: str) -> str:
    if not digest_of:
        return name[:_LENGTH]
    digest = hashlib.sha256(digest_of.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LENGTH - _DIGEST - 1].rstrip('_-')}_{digest}"
