#!/usr/bin/env bash
# Asks the gates once, and tells the answer in every way that GitHub reads: annotations, outputs, summary.
set -euo pipefail

[ -z "${STORE:-}" ] || export AMENDS_STORE="$STORE"
[ -z "${TOKEN:-}" ] || export AMENDS_TOKEN="$TOKEN"
case "${FAIL_ON:-undecided}" in
  undecided | blocked) ;;
  *) echo "::error title=amends gate::found fail-on: $FAIL_ON; allowed: undecided, blocked"; exit 2 ;;
esac

question=(--release "$RELEASE" --to "$ENVIRONMENT" --policy "$POLICY")
[ -z "${SERVICE:-}" ] || question+=(--service "$SERVICE")
[ "${WAIT:-false}" != true ] || question+=(--wait --limit "$LIMIT")

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
# One question, three forms of the same answer: asked again, the gates might answer something else.
code=0
amends gate "${question[@]}" --format github --also "json=$folder/answer.json" --also "junit=$folder/gates.xml" \
  --also "markdown=$folder/summary.md" || code=$?

if [ -s "$folder/answer.json" ]; then
  python3 - "$folder/answer.json" >>"$GITHUB_OUTPUT" <<'PYTHON'
import json, sys
answer = json.load(open(sys.argv[1], encoding="utf-8"))
print(f"decision={answer['decision']}")
print(f"until={answer['until'] or ''}")
print("json=" + json.dumps(answer, ensure_ascii=True))  # one line, whatever a reason holds
PYTHON
  cat "$folder/summary.md" >>"$GITHUB_STEP_SUMMARY"
  [ -z "${JUNIT:-}" ] || cp "$folder/gates.xml" "$JUNIT"
else
  echo "::error title=amends gate::the gates could not be asked (exit $code); see the log of this step"
fi
[ "$code" -ne 3 ] || [ "${FAIL_ON:-undecided}" = undecided ] || code=0
exit "$code"
