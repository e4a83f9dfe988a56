#!/usr/bin/env bash
# Installs Chromium from Debian's packages if no browser is found, and runs the tests of this folder.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo --non-interactive); fi

has_browser() {
  [ -x /usr/bin/chromium ] || [ -x /usr/bin/google-chrome ]
}

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

if ! has_browser; then
  echo "Installing chromium …"
  install || { "${as_root[@]}" apt-get update -qq && install; } || echo "Not installed: chromium"
fi
npm run --silent test:browser -- "$@"
