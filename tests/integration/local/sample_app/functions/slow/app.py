"""Counts, sleeps, fails and dies on demand."""

import importlib
import os
import sys
import time
from pathlib import Path

from snapshot_restore_py import register_after_restore, register_before_snapshot

HOOKS = []
SEEN = []


@register_before_snapshot
def before():
    """Note that the hook ran."""
    HOOKS.append(f"before in {os.getpid()}")


@register_after_restore
def after():
    """Note that the hook ran."""
    HOOKS.append(f"after in {os.getpid()}")


def lambda_handler(event, context):
    """Do what the event says."""
    SEEN.append(context.aws_request_id)
    what = event.get("do")
    if what == "sleep":
        time.sleep(event["seconds"])
    elif what == "raise":
        raise ValueError("asked to fail")
    elif what == "exit":
        os._exit(7)
    elif what == "import":
        importlib.import_module(event["module"])
    elif what == "log":
        sys.stdout.write(event["line"] + "\n")
    elif what == "fail_until":
        file = Path(event["file"])
        file.write_text((file.read_text() if file.exists() else "") + "x")
        if file.stat().st_size < event["attempts"]:
            raise ValueError("not yet")
    return {"pid": os.getpid(), "hooks": HOOKS, "seen": len(SEEN), "arn": context.invoked_function_arn, **extra(event)}


def extra(event):
    """Return the variables asked for."""
    return {"environment": {name: os.environ.get(name) for name in event.get("variables", [])}}
