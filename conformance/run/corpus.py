#!/usr/bin/env python3
"""Replay the SCIM interop corpus against a live server (Python stdlib only).

usage: corpus.py BASE_URL TOKEN corpus.json
           [--client NAME[,NAME]] [--only ID[,ID]] [--level must|should]
           [--basic USER:PASS] [--header 'K: V']... [--timeout S]
           [--anonymous] [--except FILE]
           [--report out.json] [--list] [-v] [-q]

--anonymous sends no header that tells which client asks; --except names a file of
scenarios to leave out, one id and the reason a line.

Prints every failing step with its request and response.  The last line is
'passed=N failed=M skipped=K' (scenarios).  Exit code: 0 only if failed=0 and something ran.
"""
import argparse, base64, copy, http.client, json, re, secrets, ssl, sys, time, uuid
from urllib.parse import quote, urlsplit

VAR = re.compile(r"\$\{([^}]+)\}")
MISSING = object()


class Unresolved(Exception):
    pass


# ---------------------------------------------------------------- templating
def subst(text, env, enc=None):
    def rep(m):
        name = m.group(1)
        mode = enc
        if "|" in name:
            name, mode = name.split("|", 1)
        if name not in env:
            raise Unresolved(name)
        v = env[name]
        v = v if isinstance(v, str) else json.dumps(v)
        if mode == "pct":                      # %20 style, nothing left bare
            return quote(v, safe="")
        if mode == "plus":                     # form style, blank becomes '+'
            return quote(v, safe="").replace("%20", "+")
        if mode == "upper":
            return v.upper()
        if mode == "lower":
            return v.lower()
        if mode == "upperpct":
            return quote(v.upper(), safe="")
        return v
    return VAR.sub(rep, text)


def deep_merge(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        out = dict(a)
        for k, v in b.items():
            if v == {"$drop": True}:
                out.pop(k, None)
            else:
                out[k] = deep_merge(out[k], v) if k in out else v
        return out
    return b


def build(node, env):
    """expand a body template"""
    if isinstance(node, str):
        m = VAR.fullmatch(node)
        if m and m.group(1).startswith("@"):
            if m.group(1) not in env:
                raise Unresolved(m.group(1))
            return copy.deepcopy(env[m.group(1)])
        return subst(node, env)
    if isinstance(node, list):
        return [build(x, env) for x in node]
    if isinstance(node, dict):
        if "$merge" in node:
            out = {}
            for part in node["$merge"]:
                out = deep_merge(out, build(part, env))
            return out
        if "$each" in node:
            src = env.get(node["$each"], [])
            out = []
            for i, it in enumerate(src):
                e = dict(env)
                e["it"], e["i"] = it, str(i)
                out.append(build(node["item"], e))
            return out
        if node == {"$drop": True}:
            return node
        return {subst(k, env): build(v, env) for k, v in node.items()}
    return node


# ---------------------------------------------------------------- json lookup
TOK = re.compile(r"""\.?([A-Za-z_$@][\w$-]*)|\['((?:[^'\\]|\\.)*)'\]|\[(-?\d+)\]|\[\?([\w$.]+)=([^\]]*)\]""")


def lookup(doc, path):
    p = path[1:] if path.startswith("$") and (len(path) == 1 or path[1] in ".[") else path
    p = p.replace(".[", "[")
    cur, pos = doc, 0
    while pos < len(p):
        m = TOK.match(p, pos)
        if not m:
            raise ValueError("bad path %r" % path)
        pos = m.end()
        if cur is MISSING:
            return MISSING
        name, quoted, idx, sk, sv = m.groups()
        if name is not None or quoted is not None:
            key = name if name is not None else quoted
            cur = cur.get(key, MISSING) if isinstance(cur, dict) else MISSING
        elif idx is not None:
            i = int(idx)
            cur = cur[i] if isinstance(cur, list) and -len(cur) <= i < len(cur) else MISSING
        else:
            hit = MISSING
            if isinstance(cur, list):
                for el in cur:
                    v = lookup(el, sk) if isinstance(el, (dict, list)) else MISSING
                    s = v if isinstance(v, str) else (json.dumps(v) if v is not MISSING else None)
                    if s is not None and s.lower() == sv.lower():
                        hit = el
                        break
            cur = hit
    return cur


def is_empty(v):
    return v is MISSING or v is None or v == [] or v == {} or v == ""


def subset(want, got):
    if isinstance(want, dict):
        return isinstance(got, dict) and all(k in got and subset(v, got[k]) for k, v in want.items())
    return want == got


def show(v):
    return "<absent>" if v is MISSING else json.dumps(v, ensure_ascii=False)[:300]


TYPES = {
    "string": lambda v: isinstance(v, str), "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "array": lambda v: isinstance(v, list), "object": lambda v: isinstance(v, dict)}


def check(doc, rule, env):
    path, op = subst(rule[0], env), rule[1]
    want = build(rule[2], env) if len(rule) > 2 else None
    v = lookup(doc, path)
    ok = {
        "eq": lambda: v is not MISSING and v == want and type(v) is type(want),
        "ieq": lambda: isinstance(v, str) and v.lower() == str(want).lower(),
        "ne": lambda: v is MISSING or v != want,
        "exists": lambda: v is not MISSING and v is not None and v != "",
        "present": lambda: v is not MISSING,
        "absent": lambda: v is MISSING or v is None,
        "empty": lambda: is_empty(v),
        "type": lambda: v is not MISSING and TYPES[want](v),
        "len": lambda: isinstance(v, list) and len(v) == want,
        "lenlte": lambda: v is MISSING or (isinstance(v, list) and len(v) <= want),
        "lengte": lambda: isinstance(v, list) and len(v) >= want,
        "gte": lambda: isinstance(v, (int, float)) and v >= want,
        "lte": lambda: isinstance(v, (int, float)) and v <= want,
        "in": lambda: v in want,
        "contains": lambda: (isinstance(v, str) and str(want) in v) or (isinstance(v, list) and want in v),
        "matches": lambda: isinstance(v, str) and re.search(str(want), v) is not None,
        "any": lambda: isinstance(v, list) and any(subset(want, x) for x in v),
        "none": lambda: v is MISSING or v is None or (isinstance(v, list) and not any(subset(want, x) for x in v)),
        "count": lambda: isinstance(v, list) and sum(1 for x in v if subset(want[0], x)) == want[1],
        "setof": lambda: sorted(x.get(want[0]) for x in (v if isinstance(v, list) else []) if isinstance(x, dict)) == sorted(want[1]),
    }[op]()
    return None if ok else "%s %s %s: got %s" % (path, op, show(want) if len(rule) > 2 else "", show(v))


# ---------------------------------------------------------------- http
# Headers by which a server could know the client. Accept and Content-Type stay: they say what is asked.
TELLING = {"user-agent", "adscimversion", "accept-charset", "x-forwarded-for", "via", "from"}


class Client:
    anonymous = False

    def __init__(self, base, token, basic, extra, timeout):
        self.u = urlsplit(base.rstrip("/"))
        self.token, self.basic, self.extra, self.timeout = token, basic, extra, timeout

    def send(self, method, target, headers, body, auth):
        h = {"Host": self.u.netloc, "Connection": "close"}
        if auth == "default":
            if self.basic:
                h["Authorization"] = "Basic " + base64.b64encode(self.basic.encode()).decode()
            elif self.token:
                h["Authorization"] = "Bearer " + self.token
        elif auth == "lower":
            h["Authorization"] = "bearer " + self.token
        elif auth == "bad":
            h["Authorization"] = "Bearer not-the-right-token-" + secrets.token_hex(4)
        elif auth == "garbage":
            h["Authorization"] = "Bearer"
        h.update(self.extra)
        h.update({k: v for k, v in headers.items() if not (self.anonymous and k.lower() in TELLING)})
        if body is not None:
            h["Content-Length"] = str(len(body))
        cls = http.client.HTTPSConnection if self.u.scheme == "https" else http.client.HTTPConnection
        kw = {"context": ssl._create_unverified_context()} if self.u.scheme == "https" else {}
        c = cls(self.u.hostname, self.u.port, timeout=self.timeout, **kw)
        t0 = time.time()
        try:
            c.putrequest(method, self.u.path + target, skip_host=True, skip_accept_encoding=True)
            for k, v in h.items():
                c.putheader(k, v.encode("latin-1", "replace") if isinstance(v, str) else v)
            c.endheaders(body)
            r = c.getresponse()
            raw = r.read()
            return r.status, {k.lower(): v for k, v in r.getheaders()}, raw, (time.time() - t0) * 1000, h
        finally:
            c.close()


def run_step(cl, st, env, lenient=False):
    method = st["method"]
    target = subst(st["path"], env, "pct")
    if st.get("query"):
        target += "?" + subst(st["query"], env, "pct")
    headers = {k: subst(v, env) for k, v in st.get("headers", {}).items()}
    body = None
    if "raw_body" in st:
        body = subst(st["raw_body"], env).encode()
    elif "body" in st:
        body = json.dumps(build(st["body"], env), ensure_ascii=False).encode("utf-8")
    if body is not None and not any(k.lower() == "content-type" for k in headers):
        headers["Content-Type"] = "application/scim+json"
    status, rh, raw, ms, sent = cl.send(method, target, headers, body, st.get("auth", "default"))
    doc = MISSING
    if raw.strip():
        try:
            doc = json.loads(raw.decode("utf-8"))
        except Exception:
            doc = MISSING
    bad = []
    ex = st.get("expect", {})
    if not lenient:
        want = ex.get("status")
        if want is not None:
            want = want if isinstance(want, list) else [want]
            if status not in want:
                bad.append("status %s not in %s" % (status, want))
        if ex.get("no_5xx") and status >= 500:
            bad.append("server error %s" % status)
        ct = rh.get("content-type", "").split(";")[0].strip().lower()
        if ex.get("content_type") and raw.strip() and ct not in ex["content_type"]:
            bad.append("content-type %r not in %s" % (ct, ex["content_type"]))
        for k, v in ex.get("headers", {}).items():
            got = rh.get(k.lower())
            if v == "exists" and not got:
                bad.append("header %s missing" % k)
            elif v == "absent" and got:
                bad.append("header %s should be absent" % k)
            elif v.startswith("~") and not (got and re.search(subst(v[1:], env), got)):
                bad.append("header %s=%r does not match %s" % (k, got, v[1:]))
        if ex.get("max_ms") and ms > ex["max_ms"]:
            bad.append("took %d ms > %d" % (ms, ex["max_ms"]))
        rules = list(ex.get("json", []))
        if doc is MISSING and rules and not raw.strip():
            bad.append("empty body, JSON expected")
        elif doc is MISSING and rules:
            bad.append("body is not JSON")
        if doc is not MISSING:
            for r in rules + list(ex.get("json_if_body", [])):
                msg = check(doc, r, env)
                if msg:
                    bad.append(msg)
        text = raw.decode("utf-8", "replace")
        for s in ex.get("body_contains", []):
            if subst(s, env) not in text:
                bad.append("body lacks %r" % subst(s, env))
        for s in ex.get("body_not_contains", []):
            if subst(s, env) in text:
                bad.append("body must not contain %r" % subst(s, env))
    for name, path in st.get("capture", {}).items():
        v = lookup(doc, path) if doc is not MISSING else MISSING
        if v is MISSING:
            if not lenient:
                bad.append("cannot capture %s from %s" % (name, path))
            continue
        if name.endswith("[]"):
            env.setdefault(name[:-2], []).append(v)
        else:
            env[name] = v
    for name, hk in st.get("capture_header", {}).items():
        if hk.lower() in rh:
            env[name] = rh[hk.lower()]
        elif not lenient:
            bad.append("cannot capture header " + hk)
    return bad, (method, target, sent, body, status, rh, raw, ms)


def dump(trace):
    method, target, sent, body, status, rh, raw, ms = trace
    hide = {"host", "connection", "content-length"}
    out = ["    > %s %s" % (method, target)]
    for k, v in sent.items():
        if k.lower() not in hide:
            out.append("    > %s: %s" % (k, "<redacted>" if k.lower() == "authorization" else v))
    if body is not None:
        out.append("    > " + body.decode("utf-8", "replace")[:1500])
    out.append("    < %s (%d ms) content-type=%s" % (status, ms, rh.get("content-type")))
    if raw:
        out.append("    < " + raw.decode("utf-8", "replace")[:1500])
    return "\n".join(out)


def run_scenario(cl, sc, args):
    env = {"uniq": secrets.token_hex(5), "base": cl.u.geturl(), "basepath": cl.u.path}
    for i in range(1, 6):
        env["uuid%d" % i] = str(uuid.uuid4())
        env["num%d" % i] = str(secrets.randbelow(9000000) + 1000000)
    log, failed, nsteps = [], [], 0
    try:
        for k, v in sc.get("vars", {}).items():
            env[k] = build(v, env)
        for n, st in enumerate(sc["steps"], 1):
            times = st.get("repeat", 1)
            stop = False
            for i in range(times):
                env["n"] = str(i)
                nsteps += 1
                try:
                    bad, trace = run_step(cl, st, env)
                except Unresolved as e:
                    bad, trace = ["unresolved variable ${%s}" % e], None
                except Exception as e:
                    bad, trace = ["%s: %s" % (type(e).__name__, e)], None
                if args.v:
                    log.append("  step %d %s" % (n, st.get("note", "")) + ("\n" + dump(trace) if trace else ""))
                if bad:
                    failed.append((n, st.get("note", ""), bad, trace, st))
                    if st.get("fatal", True) and (st.get("capture") or trace is None):
                        stop = True
                        break
            if stop:
                break
    finally:
        for st in sc.get("cleanup", []):
            items = [None]
            if "for" in st:
                items = list(env.get(st["for"], []))
            for it in items:
                if it is not None:
                    env["it"] = it
                try:
                    run_step(cl, {k: v for k, v in st.items() if k != "for"}, env, lenient=True)
                except Exception:
                    pass
    return failed, nsteps, log


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("base"), ap.add_argument("token"), ap.add_argument("corpus")
    ap.add_argument("--client"), ap.add_argument("--only"), ap.add_argument("--level", choices=["must", "should"])
    ap.add_argument("--basic"), ap.add_argument("--header", action="append", default=[])
    ap.add_argument("--timeout", type=float, default=60), ap.add_argument("--report")
    ap.add_argument("--anonymous", action="store_true"), ap.add_argument("--except", dest="without")
    ap.add_argument("--list", action="store_true"), ap.add_argument("-v", action="store_true"), ap.add_argument("-q", action="store_true")
    a = ap.parse_args()
    doc = json.load(open(a.corpus, encoding="utf-8"))
    todo, without = [], set()
    if a.without:
        lines = [line.split("#")[0].split() for line in open(a.without, encoding="utf-8")]
        without = {words[0] for words in lines if words}
        unknown = without - {s["id"] for s in doc}
        if unknown:
            sys.exit("%s names no scenario: %s" % (a.without, ", ".join(sorted(unknown))))
    for s in doc:
        if a.client and s["client"] not in a.client.split(","):
            continue
        if a.only and s["id"] not in a.only.split(","):
            continue
        if a.level and s.get("level", "must") != a.level:
            continue
        if s["id"] in without:
            continue
        todo.append(s)
    if a.list:
        for s in todo:
            print("%-34s %-16s %-6s %s" % (s["id"], s["client"], s.get("level", "must"), s["scenario"]))
        return 0
    extra = dict(h.split(":", 1) for h in a.header)
    cl = Client(a.base, a.token, a.basic, {k.strip(): v.strip() for k, v in extra.items()}, a.timeout)
    cl.anonymous = a.anonymous
    npass = nfail = steps = 0
    per, report = {}, []
    for s in todo:
        fails, n, log = run_scenario(cl, s, a)
        steps += n
        row = per.setdefault(s["client"], [0, 0])
        if fails:
            nfail += 1
            row[1] += 1
            if not a.q:
                print("FAIL %s [%s/%s] %s" % (s["id"], s["client"], s.get("level", "must"), s["scenario"]))
                for num, note, bad, trace, st in fails:
                    print("  step %d %s" % (num, note))
                    for b in bad:
                        print("    ! " + b)
                    if trace:
                        print(dump(trace))
        else:
            npass += 1
            row[0] += 1
            if a.v:
                print("ok   %s" % s["id"])
        if a.v:
            print("\n".join(log))
        report.append({"id": s["id"], "client": s["client"], "level": s.get("level", "must"),
                       "passed": not fails, "failures": [{"step": x[0], "note": x[1], "checks": x[2]} for x in fails]})
    if a.report:
        json.dump(report, open(a.report, "w"), indent=1)
    print("--- per client: " + ", ".join("%s %d/%d" % (k, v[0], v[0] + v[1]) for k, v in sorted(per.items())))
    for lv in ("must", "should"):
        rs = [r for r in report if r["level"] == lv]
        if rs:
            print("--- level %s: %d/%d" % (lv, sum(r["passed"] for r in rs), len(rs)))
    print("--- scenarios=%d steps=%d" % (len(todo), steps))
    print("passed=%d failed=%d skipped=%d" % (npass, nfail, len(without)))
    return 0 if nfail == 0 and todo else (1 if nfail else 2)


if __name__ == "__main__":
    sys.exit(main())
