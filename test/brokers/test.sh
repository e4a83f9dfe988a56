#!/usr/bin/env bash
# Installs the brokers that are missing from Debian's packages, without starting one, and runs the tests of this folder.
# The tests of a broker that cannot be installed are skipped, with the reason in their name.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo --non-interactive); fi

missing_packages() {
  local name
  for name in nats-server redis-server mosquitto kcat; do
    PATH=$PATH:/usr/sbin command -v "$name" >/dev/null || echo "$name"
  done
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || echo rabbitmq-server
}

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  echo "Installing ${missing[*]} …"
  # No package starts its service, which would take the default port of the broker.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
  fi
  install "${missing[@]}" || { "${as_root[@]}" apt-get update -qq && install "${missing[@]}"; } ||
    echo "Not installed: ${missing[*]}"
fi
npm run --silent test:brokers -- "$@"
