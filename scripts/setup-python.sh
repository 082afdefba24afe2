#!/usr/bin/env bash
# Creates .venv with amends, every extra and the tools of development: by uv from uv.lock where uv is there,
# otherwise by venv and pip, held to the versions of the same lock file.
set -euo pipefail
cd "$(dirname "$0")/.."
export AMENDS_SKIP_ASSETS=1 # an editable install packs no assets

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python; do
    if fits "$candidate"; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  {
    echo "amends needs Python 3.11 or newer; found: $(python3 --version 2>&1 || echo none)"
    echo "  mend: install one (Debian 12 and newer: apt-get install python3 python3-venv),"
    echo "        or name one: make setup PYTHON=/path/to/python3.11"
  } >&2
  exit 1
}

with_uv() {
  uv sync --compile-bytecode --all-extras --frozen --inexact ${PYTHON:+--python "$PYTHON"}
}

with_pip() {
  local python
  python=$(find_python)
  if ! fits .venv/bin/python; then
    "$python" -m venv --clear .venv || {
      echo "$python cannot make a virtual environment." >&2
      echo "  mend: on Debian and Ubuntu: apt-get install python3-venv" >&2
      exit 1
    }
  fi
  .venv/bin/python -m ensurepip --upgrade >/dev/null 2>&1 || true
  .venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
  .venv/bin/python scripts/locked_versions.py >.venv/locked.txt
  .venv/bin/python -m pip install --quiet --constraint .venv/locked.txt --editable packages/capture \
    --editable '.[postgres]' --group dev
}

if [ "${AMENDS_NO_UV:-}" != 1 ] && command -v uv >/dev/null 2>&1; then
  echo "setup: uv sync"
  with_uv
else
  echo "setup: venv and pip (some minutes the first time)"
  with_pip
fi
# Bytecode of amends itself: an editable install leaves it to each start, where a machine may forbid to keep it.
.venv/bin/python -m compileall -q src/amends packages/capture/src
