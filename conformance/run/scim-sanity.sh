#!/usr/bin/env bash
# scim-sanity probe (PyPI, MIT).  usage: scim-sanity.sh BASE_URL TOKEN   (SANITY_MODE=--compat for the lenient mode)
set -u
BASE=${1:?usage: $0 BASE_URL TOKEN}; TOKEN=${2:-}
case "$BASE" in http://127.*|http://localhost*|https://127.*|https://localhost*|http://\[::1\]*) ;; *) echo "refusing: loopback targets only"; echo "SUITE passed=0 failed=1 skipped=0"; exit 1;; esac
D=${MUSTER_TOOLS:-$(dirname "$(readlink -f "$0")")/../../target/tools}; V=$D/py-sanity; OUT=${SUITE_OUT:-$(mktemp -d)}; mkdir -p "$D" "$OUT"
if ! [ -x "$V/bin/scim-sanity" ]; then python3 -m venv "$V" && "$V/bin/pip" -q install scim-sanity==0.7.4 >&2 || { echo "SUITE passed=0 failed=1 skipped=0"; exit 1; }; fi
timeout 300 "$V/bin/scim-sanity" probe "$BASE" --token "$TOKEN" ${SANITY_MODE:---strict} --i-accept-side-effects --json-output > "$OUT/scim-sanity.json" 2> "$OUT/scim-sanity.err"
python3 - "$OUT/scim-sanity.json" <<'P'
import json, sys
try:
    d = json.load(open(sys.argv[1]))
except Exception as e:
    print("no report:", e); print("SUITE passed=0 failed=1 skipped=0"); sys.exit(1)
for r in d["results"]:
    if r["status"] not in ("pass",):
        print(r["status"].upper().ljust(5), r.get("phase", ""), "|", r["name"], "|", r.get("message", ""))
s = d["summary"]
# a warning is what strict mode could not call a failure: shown, counted as skipped
f = s["failed"] + s["errors"]
print(f"SUITE passed={s['passed']} failed={f} skipped={s['skipped'] + s['warnings']}")
sys.exit(0 if f == 0 and s["passed"] else 1)
P
