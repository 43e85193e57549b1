"""What the import has to say: of an operation, or of the whole description."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["info", "changed", "skipped"]
Status = Literal["accepted", "changed", "skipped"]


class Note(BaseModel):
    """One thing that a person should know.

    Attributes:
        level: `info` changes no call; `changed`, the tool differs from what the description says; `skipped`, there is
            no tool.
        code: Stable, for programs and for counting.
        message: For people, says what to do where something can be done.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Level
    code: str
    message: str


def info(code: str, message: str) -> Note:
    """Worth knowing; the call is as described."""
    return Note(level="info", code=code, message=message)


def changed(code: str, message: str) -> Note:
    """The tool differs from the description."""
    return Note(level="changed", code=code, message=message)


def skipped(code: str, message: str) -> Note:
    """No tool can be made."""
    return Note(level="skipped", code=code, message=message)


def status(notes: Iterable[Note]) -> Status:
    """The worst of the notes."""
    levels = {note.level for note in notes}
    return "skipped" if "skipped" in levels else "changed" if "changed" in levels else "accepted"


def distinct(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Each note once, in order."""
    return tuple(dict.fromkeys(notes))


class Skip(Exception):
    """An operation cannot become a tool. Carries the note that says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.note = skipped(code, message)
