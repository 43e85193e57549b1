#!/bin/sh
# Prints the newest tried Python (3.13 is Lambda's, so it comes first) that is 3.11 or later and really starts.
for candidate in "$@" python3.13 python3.12 python3.11 python3.14 python3; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "$candidate"
    exit 0
  fi
done
echo "Python 3.11 or later is needed and was not found on the PATH." >&2
exit 1
