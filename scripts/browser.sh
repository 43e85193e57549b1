#!/bin/sh
# Makes sure that there is a Chromium for the browser tests: one that is installed, else Debian's, else Playwright's own.
set -eu
for candidate in chromium chromium-browser google-chrome; do
  command -v "$candidate" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Chromium with apt"
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
echo "Installing Chromium with Playwright"
.venv/bin/python -m playwright install chromium
