#!/bin/sh
# venv.sh FOLDER LOCK: a virtual environment in FOLDER with exactly the locked packages that LOCK names, checked by hash.
# What is there already is kept, so a second call takes a moment. Works where Debian has split `venv` from Python.
set -eu
folder=$1
lock=$2
scripts=$(dirname "$0")
python=$("$scripts/python.sh" ${PYTHON:+"$PYTHON"})

create() {
  "$python" -m venv "$folder" >/dev/null 2>&1
}

if ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
  rm -rf "$folder"
  if ! create; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
      echo "Installing python$version-venv with apt"
      apt-get update -qq
      apt-get install -y -qq --no-install-recommends "python$version-venv" >/dev/null
      create
    else
      echo "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2
      exit 1
    fi
  fi
fi

# uv installs several times faster than pip; without it pip does the same.
if ! "$folder/bin/uv" --version >/dev/null 2>&1; then
  "$folder/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$scripts/uv-requirements.txt" ||
    echo "uv could not be installed, pip takes its place"
fi
# The machine's own certificates count, as they do for pip: many networks have an inspecting proxy.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}"
if [ -x "$folder/bin/uv" ]; then
  VIRTUAL_ENV=$folder "$folder/bin/uv" pip install -q --compile-bytecode --require-hashes -r "$lock"
else
  "$folder/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock"
fi
