#!/usr/bin/env python3
"""suite.py BASE_URL TOKEN suite.json [options]   (python3 stdlib only)

Runs a list of black-box SCIM test vectors against a live server and prints
one line per case, then   SUITE passed=N failed=M skipped=K   (exit 0 iff M==0).

Options
  --all             also run cases whose level is OPINION (default: they are
                    counted as skipped, because they go beyond the RFC or
                    contradict another suite)
  --only SUBSTR     only cases whose name contains SUBSTR (repeatable)
  --json FILE       machine-readable result
  --force FEATURES  comma list (patch,bulk,sort,etag,filter,changePassword,me,
                    testResource): run these cases although not advertised
  -v                print every exchange of failing cases

Vector file: {"suite","origin","cases":[CASE,...],"defs":{name: any JSON}}
CASE: {"name","rfc","level":"MUST|SHOULD|MAY|INTEROP|OPINION","needs":[feature..],
       "empty":true (needs an empty server), "steps":[STEP,...]}
STEP: {"req":[METHOD,PATH], "query":{k:v}, "body":JSON | "raw":"text",
       "headers":{..}, "auth":"none|bad|basic",
       "status":N|[N..], "error":{"status":N|[..],"scimType":S|[..]},
       "expect":[[PTR,OP,VALUE?],...], "hdr":[[NAME,OP,VALUE?],...],
       "save":{var:PTR|"hdr:Name"}, "sleep":s, "maxms":n, "if_status":N|[..] (run the
       step's successors only), "note":".."}
PTR: "/"-separated, "" = whole body, integer = index, "*" = every element.
     Schema URNs are used as they are (they contain no "/").
VARS: ${uid} fresh per case, ${base}, every saved name; "$use:NAME" in a body
      inserts defs[NAME]. A string that is exactly "${x}" keeps x's JSON type.
OPS: eq ne ieq str in present absent unassigned nonempty truthy type contains
     icontains ncontains has nothas len lenle lenge regex ge gt le lt sorted isorted
     rsorted every keys subset numeq datetime
Every 201 from a POST to a collection is deleted again at the end of its case.
"""
import sys, json, re, time, uuid, base64, argparse, http.client, urllib.parse

ERR = "urn:ietf:params:scim:api:messages:2.0:Error"
MISSING = object()


class Client:
    def __init__(self, base, token):
        self.base = base.rstrip("/")
        u = urllib.parse.urlsplit(self.base)
        self.u, self.prefix, self.token = u, u.path.rstrip("/"), token

    def call(self, method, path, query=None, body=None, headers=None, auth=None):
        if path.startswith("http://") or path.startswith("https://"):
            p = urllib.parse.urlsplit(path)
            target = p.path + ("?" + p.query if p.query else "")
        elif path.startswith(self.prefix + "/") and self.prefix:
            target = path
        else:
            target = self.prefix + path
        if query:
            target += ("&" if "?" in target else "?") + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        target = urllib.parse.quote(target, safe="/?&=%:+,;@!$'()*~-._")
        h = {"Accept": "application/scim+json"}
        if body is not None:
            h["Content-Type"] = "application/scim+json"
        if auth == "bad":
            h["Authorization"] = "Bearer not-a-valid-token-" + uuid.uuid4().hex
        elif auth == "basic":
            h["Authorization"] = "Basic " + base64.b64encode(b"okta:" + self.token.encode()).decode()
        elif auth != "none" and self.token:
            h["Authorization"] = "Bearer " + self.token
        for k, v in (headers or {}).items():
            for e in [e for e in h if e.lower() == k.lower()]:
                del h[e]
            if v is not None:
                h[k] = v
        cls = http.client.HTTPSConnection if self.u.scheme == "https" else http.client.HTTPConnection
        c = cls(self.u.hostname, self.u.port, timeout=30)
        try:
            data = None if body is None else (body if isinstance(body, bytes) else body.encode())
            c.request(method, target, body=data, headers=h)
            r = c.getresponse()
            raw = r.read()
            hd = {k.lower(): v for k, v in r.getheaders()}
        finally:
            c.close()
        try:
            js = json.loads(raw) if raw else None
        except ValueError:
            js = None
        return {"status": r.status, "headers": hd, "raw": raw.decode("utf-8", "replace"), "json": js, "target": target, "method": method,
                "sent": body if isinstance(body, str) else None}


def sub(o, env, defs):
    if isinstance(o, str):
        if o.startswith("$use:"):
            return sub(defs[o[5:]], env, defs)
        m = re.fullmatch(r"\$\{(\w+)\}", o)
        if m and m.group(1) in env:
            return env[m.group(1)]
        return re.sub(r"\$\{(\w+)\}", lambda m: str(env.get(m.group(1), m.group(0))), o)
    if isinstance(o, list):
        return [sub(x, env, defs) for x in o]
    if isinstance(o, dict):
        out = {}
        for k, v in o.items():
            if k == "$merge":
                for part in v:
                    out.update(sub(part, env, defs))
            else:
                out[sub(k, env, defs) if isinstance(k, str) else k] = sub(v, env, defs)
        return out
    return o


def get(o, ptr):
    if ptr == "":
        return o
    cur = [o]
    star = False
    for seg in ptr.split("/"):
        nxt = []
        for c in cur:
            if seg == "*":
                star = True
                if isinstance(c, list):
                    nxt.extend(c)
            elif isinstance(c, list) and re.fullmatch(r"-?\d+", seg):
                i = int(seg)
                if -len(c) <= i < len(c):
                    nxt.append(c[i])
            elif isinstance(c, dict) and seg in c:
                nxt.append(c[seg])
            elif star:
                nxt.append(None)
        cur = nxt
    if star:
        return cur
    return cur[0] if cur else MISSING


def is_subset(want, have):
    if isinstance(want, dict):
        return isinstance(have, dict) and all(k in have and is_subset(v, have[k]) for k, v in want.items())
    return want == have and type(want) == type(have) or want == have and not isinstance(want, bool) and not isinstance(have, bool)


def check(op, got, want):
    m = got is MISSING
    if op == "present": return not m
    if op == "absent": return m
    if op == "unassigned": return m or got is None or got == [] or got == {}
    if op == "nonempty": return (not m) and got not in (None, "", [], {})
    if m: return False
    if op == "eq": return got == want and (isinstance(got, bool) == isinstance(want, bool))
    if op == "numeq": return isinstance(got, (int, float)) and not isinstance(got, bool) and got == want
    if op == "ne": return got != want
    if op == "ieq": return isinstance(got, str) and got.lower() == str(want).lower()
    if op == "str": return str(got) == str(want)
    if op == "in": return got in want
    if op == "truthy": return bool(got)
    if op == "type":
        return {"string": isinstance(got, str), "number": isinstance(got, (int, float)) and not isinstance(got, bool),
                "boolean": isinstance(got, bool), "array": isinstance(got, list), "object": isinstance(got, dict), "null": got is None}[want]
    if op == "contains": return want in got if isinstance(got, (str, list)) else False
    if op == "icontains": return isinstance(got, str) and str(want).lower() in got.lower()
    if op == "ncontains": return want not in got if isinstance(got, (str, list)) else False
    if op == "has": return isinstance(got, list) and any(is_subset(want, x) for x in got)
    if op == "nothas": return isinstance(got, list) and not any(is_subset(want, x) for x in got)
    if op == "subset": return is_subset(want, got)
    if op == "keys": return isinstance(got, dict) and set(got) == set(want)
    if op == "len": return hasattr(got, "__len__") and len(got) == want
    if op == "lenle": return hasattr(got, "__len__") and len(got) <= want
    if op == "lenge": return hasattr(got, "__len__") and len(got) >= want
    if op == "regex": return isinstance(got, str) and re.search(want, got) is not None
    if op == "datetime": return isinstance(got, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", got) is not None
    if op == "ge": return got >= want
    if op == "gt": return got > want
    if op == "le": return got <= want
    if op == "lt": return got < want
    if op == "sorted": return got == sorted(got)
    if op == "isorted": return [str(x).lower() for x in got] == sorted(str(x).lower() for x in got)
    if op == "rsorted": return [str(x).lower() for x in got] == sorted((str(x).lower() for x in got), reverse=True)
    if op == "every": return isinstance(got, list) and len(got) > 0 and all(check(want[0], MISSING if x is None else x, want[1] if len(want) > 1 else None) for x in got)
    raise ValueError("unknown op " + op)


def as_list(x): return x if isinstance(x, list) else [x]


def short(x, n=160):
    s = "<missing>" if x is MISSING else (x if isinstance(x, str) else json.dumps(x))
    return s if len(s) <= n else s[:n] + "…"


def run_case(cl, case, defs, verbose):
    env = {"uid": uuid.uuid4().hex[:10], "base": cl.base}
    env["UID"] = env["uid"].upper()
    created, fails, trace = [], [], []
    try:
        for i, st in enumerate(case["steps"]):
            if "sleep" in st:
                time.sleep(st["sleep"])
            if "req" not in st:
                continue
            s = sub({k: v for k, v in st.items() if k != "note"}, env, defs)
            method, path = s["req"]
            body = s.get("raw")
            if body is None and "body" in s:
                body = json.dumps(s["body"])
            t0 = time.monotonic()
            r = cl.call(method, path, s.get("query"), body, s.get("headers"), s.get("auth"))
            ms = (time.monotonic() - t0) * 1000
            # The quickest of several is the server's time; what is beyond that is the machine's.
            again = 9 if method == "GET" and ms > s.get("maxms", ms) else 0
            while again and ms > s["maxms"]:
                t0 = time.monotonic()
                r = cl.call(method, path, s.get("query"), body, s.get("headers"), s.get("auth"))
                ms, again = min(ms, (time.monotonic() - t0) * 1000), again - 1
            trace.append(r)
            if r["status"] == 201 and method == "POST" and isinstance(r["json"], dict) and r["json"].get("id") and path.split("?")[0].rstrip("/") not in ("/Bulk",):
                created.append(path.split("?")[0].rstrip("/") + "/" + str(r["json"]["id"]))
            if isinstance(r["json"], dict) and path.rstrip("/") == "/Bulk":
                for op in r["json"].get("Operations") or []:
                    if isinstance(op, dict) and op.get("method", "").upper() == "POST" and str(op.get("status")) == "201" and op.get("location"):
                        created.append(op["location"])
            tag = f"step {i+1} {method} {r['target'][:110]}"
            nf = len(fails)
            if "status" in s and r["status"] not in as_list(s["status"]):
                fails.append(f"{tag}: status {r['status']}, want {s['status']}; body {short(r['raw'])}")
            if "maxms" in s and ms > s["maxms"]:
                fails.append(f"{tag}: took {ms:.0f} ms, want < {s['maxms']}")
            if "error" in s:
                e = s["error"]; b = r["json"] if isinstance(r["json"], dict) else {}
                if r["status"] not in as_list(e["status"]):
                    fails.append(f"{tag}: status {r['status']}, want error {e['status']}; body {short(r['raw'])}")
                else:
                    if ERR not in (b.get("schemas") or []): fails.append(f"{tag}: error body lacks the Error schema; body {short(r['raw'])}")
                    elif str(b.get("status")) != str(r["status"]): fails.append(f"{tag}: error body status {b.get('status')!r} != {r['status']}")
                    if "scimType" in e and b.get("scimType") not in as_list(e["scimType"]):
                        fails.append(f"{tag}: scimType {b.get('scimType')!r}, want {e['scimType']}")
            for ex in s.get("expect", []):
                got = MISSING if r["json"] is None and ex[0] != "" else get(r["json"], ex[0])
                if ex[0] == "$raw": got = r["raw"]
                want = ex[2] if len(ex) > 2 else None
                try: ok = check(ex[1], got, want)
                except (TypeError, AttributeError): ok = False
                if not ok: fails.append(f"{tag}: {ex[0] or 'body'} {ex[1]} {short(want) if len(ex) > 2 else ''}; got {short(got)}")
            for ex in s.get("hdr", []):
                got = r["headers"].get(ex[0].lower(), MISSING); want = ex[2] if len(ex) > 2 else None
                if not check(ex[1], got, want): fails.append(f"{tag}: header {ex[0]} {ex[1]} {want if want is not None else ''}; got {short(got)}")
            skip_save = "if_status" in st and r["status"] not in as_list(st["if_status"])
            for var, ptr in ({} if skip_save else s.get("save") or {}).items():
                v = r["headers"].get(ptr[4:].lower(), MISSING) if ptr.startswith("hdr:") else get(r["json"], ptr) if r["json"] is not None else MISSING
                if v is not MISSING: env[var] = v
                elif len(fails) == nf: fails.append(f"{tag}: cannot capture {ptr}")
            if len(fails) > nf and st.get("setup", i == 0 and len(case["steps"]) > 1):
                break
            if "if_status" in st and r["status"] not in as_list(st["if_status"]):
                break
    except (OSError, http.client.HTTPException) as e:
        fails.append(f"connection: {type(e).__name__}: {e}")
    finally:
        for p in reversed(created):
            try: cl.call("DELETE", p)
            except Exception: pass
    if fails and verbose:
        for t in trace:
            print(f"    > {t['method']} {t['target']}\n    > {short(t['sent'] or '', 800)}\n    < {t['status']} {short(t['raw'], 800)}")
    return fails


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("base"); ap.add_argument("token"); ap.add_argument("vectors")
    ap.add_argument("--all", action="store_true"); ap.add_argument("--only", action="append", default=[])
    ap.add_argument("--json"); ap.add_argument("--force", default=""); ap.add_argument("-v", action="store_true")
    a = ap.parse_args()
    host = urllib.parse.urlsplit(a.base).hostname or ""
    if not (host == "localhost" or host == "::1" or host.startswith("127.")):
        print("refusing: this writes and deletes data, loopback targets only"); print("SUITE passed=0 failed=1 skipped=0"); sys.exit(1)
    doc = json.load(open(a.vectors)); defs = doc.get("defs", {}); cl = Client(a.base, a.token)
    feats = set(x for x in a.force.split(",") if x)
    try:
        spc = cl.call("GET", "/ServiceProviderConfig")["json"] or {}
        for f in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
            if (spc.get(f) or {}).get("supported") is True: feats.add(f)
        rts = (cl.call("GET", "/ResourceTypes")["json"] or {}).get("Resources") or []
        for rt in rts:
            n = rt.get("name", "")
            feats.add({"User": "users", "Group": "groups", "TestResource": "testResource"}.get(n, n))
            for e in rt.get("schemaExtensions") or []:
                if "enterprise" in e.get("schema", ""): feats.add("enterprise")
    except OSError as e:
        print("cannot reach", a.base, e); print("SUITE passed=0 failed=1 skipped=0"); sys.exit(1)
    P = F = S = 0; out = []
    for c in doc["cases"]:
        if a.only and not any(o in c["name"] for o in a.only): continue
        why = None
        if c.get("level") == "OPINION" and not a.all: why = "opinion (run with --all)"
        miss = [n for n in c.get("needs", []) if n not in feats]
        if miss: why = "not advertised: " + ",".join(miss)
        if why is None and c.get("empty"):
            t = (cl.call("GET", "/Users")["json"] or {}).get("totalResults")
            if t != 0: why = f"needs an empty server (totalResults={t})"
        head = f"{c['name']}  [{c.get('level','')}; RFC {c.get('rfc','-')}]"
        if why: S += 1; print("SKIP ", head, "-", why); out.append({**{k: c.get(k) for k in ('name','rfc','level')}, "result": "skip", "why": why}); continue
        fails = run_case(cl, c, defs, a.v)
        if fails:
            F += 1; print("FAIL ", head)
            for f in fails: print("      ", f)
        else: P += 1; print("PASS ", head)
        out.append({**{k: c.get(k) for k in ('name','rfc','level')}, "result": "fail" if fails else "pass", "why": fails})
    if a.json: json.dump({"suite": doc["suite"], "base": a.base, "passed": P, "failed": F, "skipped": S, "results": out}, open(a.json, "w"), indent=1)
    print(f"SUITE passed={P} failed={F} skipped={S}")
    sys.exit(0 if F == 0 and P > 0 else 1)


main()
