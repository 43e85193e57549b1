"""What names look like: patterns, and the words in which who gives another one is told."""

from __future__ import annotations

from collections.abc import Mapping

from agent_builder.models.headers import NAME_PATTERN

TOOL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$"
ARGUMENT_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$"
HOST = r"^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$"
IN_WORDS: Mapping[str, str] = {
    TOOL_NAME: "Up to 64 letters, digits, _ and -, beginning with a letter or _.",
    ARGUMENT_NAME: "Up to 64 letters, digits and _, beginning with a letter or _.",
    NAME_PATTERN: "The name of a header: up to 200 letters, digits and -, without spaces.",
    HOST: "A host alone, in small letters, such as api.example.com or *.example.com: no https://, port or path.",
}
