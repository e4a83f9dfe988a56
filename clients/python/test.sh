#!/usr/bin/env bash
# The tests of the Python implementation. It needs Debian's python3-cryptography, and installs it if it is missing.
set -euo pipefail
cd "$(dirname "$0")"
python=/usr/bin/python3
if ! "$python" -c 'import cryptography' 2>/dev/null; then
  { apt-get update -qq && apt-get install -y -qq python3-cryptography; } >/dev/null 2>&1 || true
fi
if ! "$python" -c 'import cryptography' 2>/dev/null; then
  echo 'skipped: python3-cryptography is missing and cannot be installed here'
  exit 77 # as in automake
fi
exec "$python" -m unittest discover -t . -s tests
