#!/bin/sh
# Writes every lock file from pyproject.toml and the .in files beside this script. No lock file names a registry.
# UPGRADE=1 moves to the newest versions that fit; without it, what is locked stays as far as it can.
set -eu
compile() {
  "$VIRTUAL_ENV/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    ${UPGRADE:+--upgrade} "$@"
}
compile pyproject.toml -o layers/dependencies/requirements.txt
compile pyproject.toml --group dev -c layers/dependencies/requirements.txt -o requirements-dev.txt
compile pyproject.toml --group local -c requirements-dev.txt -o requirements.txt
compile scripts/sam-requirements.in -o scripts/sam-requirements.txt
compile scripts/uv-requirements.in -o scripts/uv-requirements.txt
