"""Files of one folder: the console, as `next build` exports it. A missing file is a 404, never another page."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp import web

from local.console import COOKIE, Addresses
from local.problems import problem

CONFIG = "/config.json"
_SPEAK = "connect-src 'self'"
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
# What scripts may do stands in each page itself, by the hashes of its own; this is what only a header can say.
_PAGE_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Dr. Melton Agent Builder</title><h1>The console is not built</h1>
<p>The API answers at <a href="/api/v1/docs">/api/v1/docs</a>. The console is built by <code>make console</code>, which
needs Node.js 20 or later with npm; then reload this page.</p>
"""


class StaticFiles:
    """Serves what lies in `folder`.

    `config` is what the console is told about signing in, `origins` are those that it then speaks to beside its own.
    """

    def __init__(self, folder: Path, config: Mapping[str, str] | None = None, origins: Sequence[str] = ()) -> None:
        self._folder = folder.resolve()
        self._config = dict(config or {})
        self._addresses = Addresses(self._folder)
        self._origins = " ".join(origins)

    def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD of a path."""
        if request.path == CONFIG and request.method in ("GET", "HEAD"):
            return self._told()
        if request.method not in ("GET", "HEAD"):
            return self._refusal(request)
        if not request.path.startswith("/api/") and (page := self._page(request)):
            return page
        found = self._find(request.path)
        if found is None:
            return problem(404, headers=_PAGE_HEADERS)
        if found.is_dir():
            if not request.path.endswith("/"):
                return web.Response(status=308, headers={"Location": f"{request.path}/"})
            found = found / "index.html"
        if not found.is_file():
            return problem(404, headers=_PAGE_HEADERS)
        return self._file(found)

    def _page(self, request: web.Request) -> web.StreamResponse | None:
        """Answer the address of a page of the console, None for other files."""
        wants_page = "text/html" in request.headers.get("Accept", "")
        if wants_page and not (self._addresses.exist or (self._folder / "index.html").is_file()):
            return web.Response(status=503, text=_NOT_BUILT, content_type="text/html", headers=_PAGE_HEADERS)
        languages, cookie = request.headers.get("Accept-Language", ""), request.cookies.get(COOKIE, "")
        answer = self._addresses.find(request.path, request.rel_url.raw_query_string, languages, cookie)
        if answer is None:
            return None
        if answer.status in (302, 308):
            headers = {"Location": answer.target, "Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}
            return web.Response(status=answer.status, headers={**headers, **_PAGE_HEADERS})
        if answer.status == 404 and not wants_page:
            return problem(404, headers=_PAGE_HEADERS)
        return self._file(self._folder / answer.target.lstrip("/"), answer.status)

    def _told(self) -> web.Response:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=json.dumps(self._config).encode(), content_type="application/json", headers=headers)

    def _file(self, file: Path, status: int = 200) -> web.StreamResponse:
        if not file.is_file():
            return problem(404, headers=_PAGE_HEADERS)
        headers = {**_PAGE_HEADERS, **_headers(file), **({"Cache-Control": "no-store"} if status == 404 else {})}
        if self._origins and file.suffix == ".html":
            # Pages may speak to their own origin; where people sign in, to the issuer as well.
            text = file.read_text("utf-8").replace(_SPEAK, f"{_SPEAK} {self._origins}")
            return web.Response(status=status, body=text.encode(), headers=headers)
        return web.FileResponse(file, status=status, headers=headers)

    def _refusal(self, request: web.Request) -> web.Response:
        if self._find(request.path) is None:
            return problem(404, headers=_PAGE_HEADERS)
        return problem(405, headers={"Allow": "GET, HEAD", **_PAGE_HEADERS})

    def _find(self, path: str) -> Path | None:
        """Return the file or folder of a decoded path, None when it is missing, hidden or outside."""
        parts = [part for part in path.split("/") if part]
        if any(part.startswith(".") or "\0" in part or "\\" in part for part in parts):
            return None
        try:
            candidate = self._folder.joinpath(*parts).resolve()
            inside = candidate.is_relative_to(self._folder) and candidate.exists()
        except OSError:
            return None
        return candidate if inside else None


def _headers(file: Path) -> dict[str, str]:
    kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind = f"{kind}; charset=utf-8"
    immutable = "/_next/static/" in file.as_posix()
    return {
        "Content-Type": kind,
        "Cache-Control": "public, max-age=31536000, immutable" if immutable else "no-cache",
    }
