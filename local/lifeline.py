"""No orphans: a process of the runtime ends when the one that started it is gone, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux; elsewhere nothing happens).

    `parent` is the parent's id as the parent knows it: it closes the gap in which it died before this call.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def watch_parent(parent: int, gone: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
    """Call `gone` once when the parent process is no longer `parent`; for processes that want to end in good order."""

    def look() -> None:
        if os.getppid() != parent:
            gone()
        else:
            loop.call_later(_WATCH_SECONDS, look)

    look()
