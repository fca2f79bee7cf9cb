#!/usr/bin/env bash
# openapi-spec-validator (PyPI, python-openapi, Apache-2.0) on the document that the server gives out.
# usage: openapi.sh BASE_URL TOKEN
set -u
BASE=${1:?usage: $0 BASE_URL TOKEN}
case "$BASE" in http://127.*|http://localhost*|https://127.*|https://localhost*|http://\[::1\]*) ;; *) echo "refusing: loopback targets only"; echo "SUITE passed=0 failed=1 skipped=0"; exit 1;; esac
D=${MUSTER_TOOLS:-$(dirname "$(readlink -f "$0")")/../../target/tools}; V=$D/py-openapi; mkdir -p "$D"
if ! [ -x "$V/bin/openapi-spec-validator" ]; then python3 -m venv "$V" && "$V/bin/pip" -q install openapi-spec-validator==0.7.2 >&2 || { echo "SUITE passed=0 failed=1 skipped=0"; exit 1; }; fi
exec "$V/bin/python" "$(dirname "$(readlink -f "$0")")/openapi.py" "${BASE%/scim/v2}/api/openapi.json"
