#!/usr/bin/env bash
# joserfc (PyPI, a JOSE library, BSD-3-Clause) on the security event tokens that the server pushes and lets poll.
# usage: sets.sh BASE_URL TOKEN ADMIN_TOKEN; the server must allow http to 127.0.0.1
set -u
BASE=${1:?usage: $0 BASE_URL TOKEN ADMIN_TOKEN}
case "$BASE" in http://127.*|http://localhost*|https://127.*|https://localhost*|http://\[::1\]*) ;; *) echo "refusing: loopback targets only"; echo "SUITE passed=0 failed=1 skipped=0"; exit 1;; esac
D=${MUSTER_TOOLS:-$(dirname "$(readlink -f "$0")")/../../target/tools}; V=$D/py-sets; mkdir -p "$D"
if ! [ -d "$V/installed" ]; then python3 -m venv "$V" && "$V/bin/pip" -q install joserfc==1.8.0 >&2 && mkdir -p "$V/installed" || { echo "SUITE passed=0 failed=1 skipped=0"; exit 1; }; fi
exec "$V/bin/python" "$(dirname "$(readlink -f "$0")")/sets.py" "$@"
