"""Files of one folder: the console. A missing file is a 404, never another page."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from aiohttp import web

from local.problems import problem

_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
_PAGE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class StaticFiles:
    """Serves what lies in `folder`; a folder answers with its index.html."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer GET and HEAD of a path."""
        if request.method not in ("GET", "HEAD"):
            return self._refusal(request)
        found = self._find(request.path)
        if found is None:
            return problem(404, headers=_PAGE_HEADERS)
        if found.is_dir():
            if not request.path.endswith("/"):
                return web.Response(status=308, headers={"Location": f"{request.path}/"})
            found = found / "index.html"
        if not found.is_file():
            return problem(404, headers=_PAGE_HEADERS)
        return web.FileResponse(found, headers={**_PAGE_HEADERS, **self._headers(found)})

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

    def _headers(self, file: Path) -> dict[str, str]:
        kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        if kind.startswith("text/"):
            kind = f"{kind}; charset=utf-8"
        immutable = "/_next/static/" in file.as_posix()
        return {
            "Content-Type": kind,
            "Cache-Control": "public, max-age=31536000, immutable" if immutable else "no-cache",
        }
