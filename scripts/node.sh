#!/bin/sh
# node.sh FOLDER: installs the locked npm packages of FOLDER. Does nothing where there are none.
set -eu
test -e "$1/package-lock.json" || exit 0
if ! command -v npm >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Node.js with apt"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
  else
    echo "Node.js 20 or later with npm is needed by the tests and was not found on the PATH." >&2
    exit 1
  fi
fi
echo "Installing the npm packages of $1"
cd "$1"
npm ci --silent --no-audit --no-fund
