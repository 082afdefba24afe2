#!/usr/bin/env bash
# Builds the wheels of amends and amends-capture into dist/, each in an environment of its own, as an installer would.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${AMENDS_NO_UV:-}" != 1 ] && command -v uv >/dev/null 2>&1; then
  uv build --quiet --wheel --out-dir dist
  uv build --quiet --wheel --out-dir dist packages/capture
else
  .venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist . ./packages/capture
fi
ls -l dist/*.whl
