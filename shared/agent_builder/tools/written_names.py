"""Names of parameters as servers read them, so that no object brings one that belongs to something else.

Servers differ: some ignore case, some take `limit[]` or `limit[0]` for `limit`, `a.b` or `a_b` for `a[b]`, or undo
escapes twice. Two names are alike here if any of them could take one for the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from agent_builder.tools.outcomes import InvalidArguments

_SHOWN = 80
_Owner = tuple[str, str]


def same_place(name: str, held: str) -> bool:
    """Whether a server could put the value of `name` into, or in the place of, what `held` names."""
    return _forms(held)[0] in _forms(name)[1]


class WrittenNames:
    """All names of one place of a request (query, cookies, path, body), each with its owner.

    An owner is a parameter, or a field of a body. Of an object's names those that are described and those that are not
    can be told apart by `part`: they may not be alike either.
    """

    def __init__(self) -> None:
        self._whole: dict[str, set[_Owner]] = {}
        self._within: dict[str, set[_Owner]] = {}
        self._brought: list[tuple[_Owner, str]] = []

    def hold(self, owner: str, names: Iterable[str], part: str = "") -> None:
        """Names that belong to an owner, used or not."""
        for name in names:
            whole, steps = _forms(name)
            self._whole.setdefault(whole, set()).add((owner, part))
            for step in steps:
                self._within.setdefault(step, set()).add((owner, part))

    def bring(self, owner: str, names: Iterable[str], part: str = "") -> None:
        """Names that a value brings along."""
        brought = list(names)
        self.hold(owner, brought, part)
        self._brought += [((owner, part), name) for name in brought]

    def check(self) -> None:
        """Refuse what is brought and belongs to another owner as well.

        Raises:
            InvalidArguments: Names it.
        """
        for owner, name in self._brought:
            whole, steps = _forms(name)
            holders = self._within.get(whole, set()).union(*(self._whole.get(step, ()) for step in steps))
            if others := [holder for holder in holders if _differ(holder, owner)]:
                belongs = min(others)[0][:_SHOWN]
                raise InvalidArguments(
                    f"{owner[0][:_SHOWN]} must not contain {name[:_SHOWN]!r}: that name belongs to {belongs}."
                )


def _differ(one: _Owner, other: _Owner) -> bool:
    return one[0] != other[0] or bool(one[1] and other[1] and one[1] != other[1])


def _forms(name: str) -> tuple[str, frozenset[str]]:
    """The whole name, and with it what it is inside of: `a`, `a_b` and `a_b_c` for `A[b][c]`."""
    for _ in range(3):
        name = unquote(name)
    plain = unicodedata.normalize("NFKC", name).partition("\0")[0].strip().casefold().replace("]", "")
    steps = plain.split("[")
    while len(steps) > 1 and not steps[-1].strip():
        steps.pop()
    found = [_flat("[".join(steps[: length + 1])) for length in range(len(steps))]
    return found[-1], frozenset(found)


def _flat(name: str) -> str:
    return re.sub(r"\W", "_", name)
