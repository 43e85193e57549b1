"""The template process of a function: imports the handler once, then forks an environment whenever one is wanted.

This is what a SnapStart restore is on AWS: twenty environments at once cost twenty forks, some milliseconds each, and
not twenty imports. The process has one thread and opens no client, so that a fork is safe; a thread that a handler's
import started is reported, because it would be missing in the environments.

Orders come over a socket, a message each: `{"fork": id}` with two descriptors, the environment's Runtime API connection
and its log. Answers: `{"ready": true}` or `{"failed": error}` once, then `{"forked": id, "pid": n}` and
`{"exited": pid, "status": n}`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import threading
from typing import Any

from local import worker
from local.lifeline import die_with_parent

_MESSAGE_BYTES = 65536


def main() -> None:
    """Entry point: argv is the handler's name and the number of the inherited control socket."""
    name, descriptor = sys.argv[1], int(sys.argv[2])
    die_with_parent(os.getppid())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    control = socket.socket(fileno=descriptor)
    try:
        handler = worker.load_handler(name)
    except worker.ImportFailed as failure:
        _send(control, {"failed": failure.description})
        return
    if threading.active_count() > 1:
        others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        print(f"[WARNING] importing {name} started threads that environments will not have: {others}", flush=True)
    gc.collect()
    gc.freeze()
    _send(control, {"ready": True})
    _take_orders(control, handler)


def _take_orders(control: socket.socket, handler: worker.Handler) -> None:
    wake, waker = socket.socketpair()
    waker.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.fileno())
    while True:
        readable, _, _ = select.select([control, wake], [], [])
        if wake in readable:
            wake.recv(_MESSAGE_BYTES)
            _report_exits(control)
        if control in readable:
            message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, 2)
            if not message:
                return
            _fork(control, handler, json.loads(message), descriptors)


def _fork(control: socket.socket, handler: worker.Handler, order: dict[str, Any], descriptors: list[int]) -> None:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        _send(control, {"forked": order["fork"], "pid": pid})
        return
    code = 1
    try:
        _become_environment(parent, control, descriptors, order["fork"])
        worker.serve(socket.socket(fileno=descriptors[0]), handler)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(code)


def _become_environment(parent: int, control: socket.socket, descriptors: list[int], name: str) -> None:
    die_with_parent(parent)
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control.close()
    os.dup2(descriptors[1], 1)
    os.dup2(descriptors[1], 2)
    os.close(descriptors[1])
    os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] = name


def _report_exits(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _send(control, {"exited": pid, "status": os.waitstatus_to_exitcode(status)})


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        control.send(json.dumps(message).encode())
