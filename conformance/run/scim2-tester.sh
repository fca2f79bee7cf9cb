#!/usr/bin/env bash
# scim2-tester (PyPI, python-scim, Apache-2.0), through scim2-cli.  usage: scim2-tester.sh BASE_URL TOKEN
set -u
BASE=${1:?usage: $0 BASE_URL TOKEN}; TOKEN=${2:-}
case "$BASE" in http://127.*|http://localhost*|https://127.*|https://localhost*|http://\[::1\]*) ;; *) echo "refusing: loopback targets only"; echo "SUITE passed=0 failed=1 skipped=0"; exit 1;; esac
D=${MUSTER_TOOLS:-$(dirname "$(readlink -f "$0")")/../../target/tools}; V=$D/py-tester; OUT=${SUITE_OUT:-$(mktemp -d)}; mkdir -p "$D" "$OUT"
if ! [ -x "$V/bin/scim2" ]; then python3 -m venv "$V" && "$V/bin/pip" -q install scim2-tester==0.5.2 scim2-cli==0.6.0 scim2-client==0.13.2 scim2-models==0.12.3 >&2 || { echo "SUITE passed=0 failed=1 skipped=0"; exit 1; }; fi
SCIM_CLI_HEADERS="Authorization: Bearer $TOKEN" timeout 300 "$V/bin/scim2" --url "$BASE" test -v > "$OUT/scim2-tester.txt" 2>&1
rc=$?
cat "$OUT/scim2-tester.txt" | awk '/^[A-Z]+ [a-z_]+$/{k=$1} k!="SUCCESS"{print}' | head -200
n() { grep -cE "^($1) [a-z_]+$" "$OUT/scim2-tester.txt"; }
P=$(n SUCCESS); F=$(n 'ERROR|CRITICAL'); S=$(n 'SKIPPED|DEVIATION|WARNING|COMPLIANT|ACCEPTABLE')
# a crash before any check is a failure, never a pass
if [ "$P" -eq 0 ] && [ "$F" -eq 0 ]; then tail -5 "$OUT/scim2-tester.txt"; F=1; fi
if grep -q '^Traceback' "$OUT/scim2-tester.txt"; then F=$((F+1)); fi
echo "log: $OUT/scim2-tester.txt (rc=$rc)"
echo "SUITE passed=$P failed=$F skipped=$S"
[ "$F" -eq 0 ]
