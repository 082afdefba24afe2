#!/usr/bin/env bash
# Installs the servers that the tests start for themselves, from Debian's packages.
# Nothing is left running and no port is held: tests run their own copies in folders of their own.
set -euo pipefail

declare -A package=(
  [postgresql]=postgresql
  [prometheus]=prometheus
  [alertmanager]=prometheus-alertmanager
  [haproxy]=haproxy
  [chromium]=chromium
)
order=(postgresql prometheus alertmanager haproxy chromium)

present() {
  case $1 in
    postgresql) command -v postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' ;;
    prometheus) command -v prometheus ;;
    alertmanager) command -v prometheus-alertmanager || command -v alertmanager ;;
    haproxy) command -v haproxy || [ -x /usr/sbin/haproxy ] ;;
    chromium) command -v chromium || command -v chromium-browser ;;
  esac >/dev/null 2>&1
}

absent_servers() {
  local name
  for name in "${order[@]}"; do
    present "$name" || printf '%s\n' "$name"
  done
}

list_absent() {
  local names=() name
  echo "absent: $*" >&2
  for name in "$@"; do names+=("${package[$name]}"); done
  echo "  their tests are skipped until you run: apt-get install --no-install-recommends ${names[*]}" >&2
}

mapfile -t absent < <(absent_servers)
if [ ${#absent[@]} -eq 0 ]; then
  echo "servers: all here (${order[*]})"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "installing servers needs root, or sudo without a password" >&2
    list_absent "${absent[@]}"
    exit 1
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "this is not Debian or one of its children; install the servers by your system's own means" >&2
  list_absent "${absent[@]}"
  exit 1
fi

policy=/usr/sbin/policy-rc.d
createcluster=/etc/postgresql-common/createcluster.conf
made=()
undo() {
  if [ ${#made[@]} -gt 0 ]; then "${as_root[@]}" rm -f "${made[@]}"; fi
}
trap undo EXIT
# 101 is Debian's word for "do not start services"; see invoke-rc.d(8). A machine's own policy is left alone.
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  made+=("$policy")
fi
# Without this, PostgreSQL's package creates a cluster that starts on port 5432 at the next boot.
if [ ! -e "$createcluster" ]; then
  "${as_root[@]}" mkdir -p "$(dirname "$createcluster")"
  printf 'create_main_cluster = false\n' | "${as_root[@]}" tee "$createcluster" >/dev/null
fi

wanted=()
for name in "${absent[@]}"; do wanted+=("${package[$name]}"); done
install_packages() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends \
    -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "${wanted[@]}" </dev/null
}
echo "servers: installing ${wanted[*]}"
if ! install_packages; then
  echo "servers: trying again with a fresh package list"
  "${as_root[@]}" apt-get update --quiet
  install_packages || true
fi

# Only what this run installed is kept from starting at boot; a service that was here before is not ours.
if [ -d /run/systemd/system ]; then
  for name in "${absent[@]}"; do
    case $name in chromium) continue ;; esac
    "${as_root[@]}" systemctl disable --now --quiet "${package[$name]}" 2>/dev/null || true
  done
fi

mapfile -t absent < <(absent_servers)
if [ ${#absent[@]} -gt 0 ]; then
  list_absent "${absent[@]}"
  exit 1
fi
echo "servers: all here (${order[*]})"
