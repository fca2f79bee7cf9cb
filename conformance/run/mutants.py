#!/usr/bin/env python3
"""Prove that the requirements notice what they are for: a proxy in front of a good server breaks one rule at a time.

Each defect names the requirement that ought to notice it. `muster selftest` runs that requirement without the defect, then with
it: the defect is noticed when a check of the requirement fails now that did not fail before. A requirement that the server in the back does not
take part in (a feature it does not announce), or that fails already, proves nothing: the defect is not applicable.
"""
import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import mutants_answers  # noqa: F401  the defects register themselves
import mutants_changes  # noqa: F401
import mutants_habits  # noqa: F401
import mutants_state  # noqa: F401
from mutants_list import DEFECTS

ROOT = Path(__file__).resolve().parent.parent.parent


class Exchange:
    """One request on its way to the server behind, and its answer on the way back; a defect may change either."""

    def __init__(self, proxy, method, target, headers, raw):
        self.proxy, self.method, self.headers, self.raw = proxy, method, headers, raw
        path, _, query = target.partition("?")
        self.base = proxy.back.path if path.startswith(proxy.back.path) else ""
        self.path = path.removeprefix(self.base)
        self.query = dict(parse_qsl(query, keep_blank_values=True))
        self.status, self.answer_headers, self.data = None, {}, b""

    @property
    def body(self):
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(self.raw or b"null")
        return None

    @body.setter
    def body(self, value):
        self.raw = json.dumps(value).encode()

    @property
    def json(self):
        with contextlib.suppress(ValueError):
            return json.loads(self.data or b"null")
        return None

    @json.setter
    def json(self, value):
        self.data = b"" if value is None else json.dumps(value).encode()

    def answer(self, status, value=None, **headers):
        """An answer of the proxy's own."""
        self.status, self.json = status, value
        self.answer_headers = {"Content-Type": "application/scim+json", **{k.replace("_", "-"): v for k, v in headers.items()}}

    def error(self, status, scim_type=None):
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": "a defect"}
        self.answer(status, {**body, "scimType": scim_type} if scim_type else body)

    def pass_on(self):
        self.status, self.answer_headers, self.data = self.ask(self.method, self.path, self.raw, self.query, self.headers)

    def ask(self, method, path, raw=None, query=None, headers=None):
        """What the server behind says: status, headers, body."""
        if headers is None:
            headers = {"Authorization": "Bearer " + self.proxy.token, "Content-Type": "application/scim+json"}
        more = "?" + "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items()) if query else ""
        link = http.client.HTTPConnection(self.proxy.back.netloc, timeout=30)
        try:
            link.putrequest(method, self.base + path + more, skip_accept_encoding=True)
            for name, value in headers.items():
                if name.lower() not in ("host", "content-length", "connection", "transfer-encoding"):
                    link.putheader(name, self.proxy.inward(value))
            link.putheader("X-Forwarded-For", self.proxy.address())
            data = self.proxy.inward(raw) if raw else b""
            if data or method in ("POST", "PUT", "PATCH"):
                link.putheader("Content-Length", str(len(data)))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                link.endheaders(data)
            got = link.getresponse()
            kept = {k: self.proxy.outward(v) for k, v in got.getheaders()
                    if k.lower() not in ("content-length", "connection", "transfer-encoding", "date")}
            return got.status, kept, self.proxy.outward(got.read())
        finally:
            link.close()

    def get(self, path):
        """A resource as the server behind shows it, {} if it does not."""
        status, _, data = self.ask("GET", path)
        return json.loads(data) if status == 200 else {}


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, url, token, second=None, foreign=None):
        self.second, self.foreign, self.stumbled = second, foreign, None
        super().__init__(("127.0.0.1", 0), Handler)
        self.back, self.token, self.defect, self.memory = urlsplit(url.rstrip("/")), token, None, {}
        self.lock, self.count = threading.Lock(), 0
        self.here = f"127.0.0.1:{self.server_address[1]}"

    def through(self, x):
        """Over the server behind and back, with the defect. One that stumbles is no defect of a server."""
        try:
            if self.defect:
                self.defect.breaks(x)
        except (LookupError, TypeError, ValueError, AttributeError) as why:
            self.stumbled = repr(why)
        if x.status is None:
            x.pass_on()

    def address(self):
        """Each request from another address, for a server that believes the proxy and counts wrong tokens."""
        with self.lock:
            self.count += 1
        return f"10.{self.count >> 16 & 255}.{self.count >> 8 & 255}.{self.count & 255}"

    @property
    def url(self):
        return f"http://{self.here}{self.back.path}"

    def outward(self, what):
        """Links of the server behind become links of the proxy."""
        return self.swap(what, self.back.netloc, self.here)

    def inward(self, what):
        return self.swap(what, self.here, self.back.netloc)

    @staticmethod
    def swap(what, old, new):
        return what.replace(old.encode(), new.encode()) if isinstance(what, bytes) else what.replace(old, new)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one piece, at once: otherwise each answer waits for the acknowledgement of its first half.
    wbufsize = 65536
    disable_nagle_algorithm = True

    def handle_any(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Names of headers have no case; defects are written with the usual one.
        headers = {k.title(): v for k, v in self.headers.items()}
        x = Exchange(self.server, self.command, self.path, headers, raw)
        try:
            self.server.through(x)
        except OSError as why:
            x.answer(502, {"detail": str(why)})
        self.send_response(x.status)
        for name, value in x.answer_headers.items():
            self.send_header(name, value)
        data = b"" if x.status in (204, 304) else x.data
        if x.status not in (204, 304):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(data if self.command != "HEAD" else b"")
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any

    def log_message(self, *_):
        pass


# ---------------------------------------------------------------- the proof

def selftest(program, *words, **more):
    """What the program says, as JSON; it ends with 1 when something failed, which is what we want to hear."""
    got = subprocess.run([program, "selftest", *words, "--json", "-"], env={**os.environ, **more}, capture_output=True, timeout=900)
    if got.returncode not in (0, 1):
        raise SystemExit(f"{program} selftest {' '.join(words)} ended with {got.returncode}: {got.stderr.decode()}")
    return json.loads(got.stdout)


def outcomes(proxy, program, wanted):
    """Requirement id -> record, of one run."""
    tokens = {"TOKEN": proxy.token, "SECOND": proxy.second or "", "FOREIGN": proxy.foreign or ""}
    report = selftest(program, proxy.url, "--only", ",".join(sorted(wanted)), **{f"MUSTER_SELFTEST_{k}": v for k, v in tokens.items()})
    for record in report["requirements"]:
        for check in record["checks"]:
            check["failed"] = check["result"] in ("failed", "noted", "departs")
    return {record["id"]: record for record in report["requirements"]}


def prove(proxy, program, defects, verbose):
    """[(defect, verdict, remark)]"""
    known = {q["id"] for q in selftest(program, "--list")}
    before = outcomes(proxy, program, {d.requirement for d in defects} & known)
    kinds = json.loads(Exchange(proxy, "GET", proxy.back.path, {}, b"").ask("GET", "/ResourceTypes")[2]).get("Resources", [])
    endpoints = [k["endpoint"] for k in kinds]
    for n, defect in enumerate(defects, 1):
        name, level = defect.requirement, defect.level
        good, bad = checks(before, name, level, False), checks(before, name, level, True)
        if name not in known:
            verdict, remark = "missed", "no such requirement"
        elif defect.endpoint and defect.endpoint not in endpoints:
            verdict, remark = "not applicable", f"the server has no {defect.endpoint}"
        elif defect.client and not getattr(proxy, defect.client):
            verdict, remark = "not applicable", f"no token --{defect.client} was given"
        elif not good:
            verdict, remark = "not applicable", "nothing of it passes without the defect"
        else:
            proxy.defect, proxy.memory, proxy.stumbled = defect, {}, None
            now = outcomes(proxy, program, {name})
            proxy.defect = None
            noticed = bool(checks(now, name, level, True) - bad)
            verdict, remark = "noticed" if noticed else "not applicable" if bad else "missed", now[name]["result"]
            if proxy.stumbled:
                verdict, remark = "missed", f"the defect itself stumbles: {proxy.stumbled}"
        if verbose or verdict == "missed":
            print(f"{verdict:15}{name:8}{defect.says} ({remark})", flush=True)
        yield defect, verdict, remark


def checks(records, name, level, failed):
    """The names of the checks of a requirement that failed, or passed, those of one level if the defect is against that alone."""
    return {c["name"] for c in records.get(name, {}).get("checks", [])
            if level in (None, c["level"]) and (c["failed"] if failed else c["result"] == "passed")}


def present(proxy):
    """The paths of all users and groups."""
    x, found = Exchange(proxy, "GET", proxy.back.path, {}, b""), set()
    for kind in ("/Users", "/Groups"):
        rows = [1]
        while rows:
            status, _, data = x.ask("GET", kind, query={"startIndex": str(len(found) + 1), "count": "100"})
            rows = json.loads(data).get("Resources") or [] if status == 200 else []
            new = {f"{kind}/{r['id']}" for r in rows} - found
            found |= new
            rows = rows if new else []
    return found


def clean(proxy, before):
    """What a defect kept from being deleted goes at the end."""
    x = Exchange(proxy, "DELETE", proxy.back.path, {}, b"")
    for path in present(proxy) - before:
        x.ask("DELETE", path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("base_url", help="a server that passes, e.g. http://127.0.0.1:8080/scim/v2")
    p.add_argument("token", help="bearer token")
    p.add_argument("--second", metavar="TOKEN", help="of another client of the same tenant")
    p.add_argument("--foreign", metavar="TOKEN", help="of a client of another tenant, under the same address")
    p.add_argument("--program", default=str(ROOT / "target/debug/muster"), help="the Muster whose self-test is proved")
    p.add_argument("--only", help="comma-separated requirement ids or beginnings of them (DIS, PAT-0)")
    p.add_argument("--list", action="store_true", help="print the defects and stop")
    p.add_argument("-v", "--verbose", action="store_true", help="print every defect, not only the missed ones")
    args = p.parse_args()
    starts = tuple(args.only.split(",")) if args.only else ("",)
    defects = [d for d in DEFECTS if d.requirement.startswith(starts)]
    if args.list:
        for d in defects:
            print(f"{d.requirement:8}{d.says}")
        return 0
    proxy = Proxy(args.base_url, args.token, args.second, args.foreign)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    tally, before = {"noticed": 0, "missed": 0, "not applicable": 0}, present(proxy)
    try:
        for _, verdict, _ in prove(proxy, args.program, defects, args.verbose):
            tally[verdict] += 1
    finally:
        clean(proxy, before)
        proxy.shutdown()
    print(f"defects: {len(defects)}, noticed {tally['noticed']}, missed {tally['missed']}, not applicable {tally['not applicable']}")
    return 1 if tally["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
