"""Names that were seen lately, at most so many."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock


class Recent:
    """Forgets the oldest where there are too many. Frames of one environment may be handled in several threads."""

    def __init__(self, limit: int) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()
        self._limit = limit
        self._lock = Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def add(self, name: str) -> bool:
        """Note a name; false where it was noted already."""
        with self._lock:
            if name in self._names:
                return False
            self._names[name] = None
            if len(self._names) > self._limit:
                self._names.popitem(last=False)
            return True
