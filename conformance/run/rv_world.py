"""Used by vectors.py and rv_more.py: HTTP, comparison of states, the tenant under test."""
import http.client
import json
import re
import sys
import time
from urllib.parse import quote, urlsplit

USER, GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
BADGE = "urn:example:params:scim:schemas:extension:badge:2.0:User"
MSG = "urn:ietf:params:scim:api:messages:2.0:"
ENDPOINT = {"User": "/Users", "Group": "/Groups"}


class Skip(Exception):
    """The vector cannot be checked on this server."""


class Fail(Exception):
    """The server does not do what the vector expects."""


class Alt(Exception):
    """The server follows an alternative reading that the vector allows."""


def want(condition, message):
    if not condition:
        raise Fail(str(message))


def short(value, limit=300):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[:limit] + "..."


def first_match(check, expect, alternatives):
    """Alt instead of Fail if an alternative passes the check."""
    try:
        check(expect)
    except Fail as why:
        for other in alternatives or []:
            try:
                check(other)
            except Fail:
                continue
            raise Alt(str(why))
        raise


class Reply:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data
        try:
            body = json.loads(data)
        except ValueError:
            body = None
        self.json = body if isinstance(body, dict) else {}
        self.items = self.json.get("Resources") or []

    def __str__(self):
        return f"{self.status} {short(self.data.decode(errors='replace'))}"

    def is_error(self, status, scim_types=None):
        return self.status == status and (not scim_types or self.json.get("scimType") in scim_types)


class Server:
    def __init__(self, base, token):
        self.url, self.token = urlsplit(base.rstrip("/")), token

    def __call__(self, method, path, body=None, headers=None, raw=None):
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        link = kind(self.url.netloc, timeout=30)
        data = raw if raw is not None or body is None else json.dumps(body).encode()
        head = {"Authorization": "Bearer " + self.token, "Accept": "application/scim+json", **(headers or {})}
        if data is not None:
            head["Content-Type"] = "application/scim+json"
        try:
            try:
                link.request(method, self.url.path + path, data, head)
            except (BrokenPipeError, ConnectionResetError):
                pass  # an early refusal (413) may close the connection while we still send
            got = link.getresponse()
            return Reply(got.status, got.headers, got.read())
        finally:
            link.close()

    def pages(self, fetch):
        """All resources of a query; fetch(start) asks for one page. A refusal is returned as it came."""
        out = []
        while True:
            page = fetch(len(out) + 1)
            if page.status != 200:
                return page
            out += page.items
            if not page.items or len(out) >= page.json.get("totalResults", 0):
                return out

    def list(self, path):
        mark = "&" if "?" in path else "?"
        found = self.pages(lambda start: self("GET", path + (f"{mark}startIndex={start}" if start > 1 else "")))
        want(isinstance(found, list), f"GET {path}: {found}")
        return found


# ---------------------------------------------------------------- comparing states

ECHOED = {"members": {"display", "$ref"}, "groups": {"display", "$ref"}, "manager": {"displayName", "$ref"}}


def canon(value, key=""):
    """A form in which equal states are equal: absent = null = [] = {} (RFC 7643 2.5), primary false = unset (2.4),
    multi-valued attributes without order, and without the sub-attributes a server derives by itself."""
    if isinstance(value, list):
        return sorted((canon(x, key) for x in value), key=lambda x: json.dumps(x, sort_keys=True))
    if not isinstance(value, dict):
        return value
    out = {k: canon(v, k) for k, v in value.items() if k not in ECHOED.get(key, ())}
    return {k: v for k, v in out.items() if v not in (None, [], {}) and (k, v) != ("primary", False)}


def state(resource, without=()):
    """canon() of a resource without common attributes, password, and the paths in `without`."""
    out = canon({k: v for k, v in resource.items() if k not in ("id", "meta", "schemas", "password")})
    for path in without:
        top, _, sub = path.rpartition("|")
        (out.get(top, {}) if top else out).pop(sub, None)
    return {k: v for k, v in out.items() if v != {}}


def added(new, old):
    """Paths ('groups', 'name|formatted') that new has and old lacks."""
    new, old, out = state(new), state(old), set()
    for key, value in new.items():
        if key not in old:
            out.add(key)
        elif isinstance(value, dict):
            out |= {f"{key}|{sub}" for sub in value if sub not in old[key]}
    return out


def writable(resource, without=()):
    """The resource as a client sends it: no readOnly attributes, no extensions the server does not take."""
    out = {k: v for k, v in resource.items() if k not in ("id", "meta", "groups", *without)}
    out["schemas"] = [s for s in resource["schemas"] if s not in without]
    if "manager" in out.get(ENT, {}):
        out[ENT] = {**out[ENT], "manager": {k: v for k, v in out[ENT]["manager"].items() if k != "displayName"}}
    return out


# ---------------------------------------------------------------- the tenant

class World:
    """The server, the table of ids, the data set as the server shows it, and the list of what to delete."""

    def __init__(self, server):
        self.server, self.ids, self.res, self.made, self.missing, self.count = server, {}, {}, [], [], 0
        self.config = server("GET", "/ServiceProviderConfig").json

    def post(self, kind, body, vid=None, query=""):
        reply = self.server("POST", ENDPOINT[kind] + query, body)
        if reply.status == 201 and "id" in reply.json:
            self.made.append(f"{ENDPOINT[kind]}/{reply.json['id']}")
            if vid:
                self.ids[vid] = reply.json["id"]
        return reply

    def get(self, path):
        reply = self.server("GET", path)
        want(reply.status == 200, f"GET {path}: {reply}")
        return reply.json

    def user(self, **attributes):
        """A scratch user as the server shows it."""
        self.count += 1
        reply = self.post("User", {"schemas": [USER], "userName": f"scratch{self.count}@vectors.test", **attributes})
        want(reply.status == 201, f"cannot create a scratch user: {reply}")
        return self.get(self.made[-1])

    def everything(self):
        return {f"{path}/{r['id']}" for path in ENDPOINT.values() for r in self.server.list(path)}

    def swap(self, value):
        """Vector ids to server ids: whole strings, and literals inside filters and PATCH paths."""
        if isinstance(value, dict):
            return {k: self.swap(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.swap(v) for v in value]
        if not isinstance(value, str):
            return value
        return self.ids.get(value) or re.sub(r'"([ugpq]\d)"', lambda m: f'"{self.ids.get(m[1], m[1])}"', value)

    def names(self, resources):
        """Vector ids of resources; what does not belong to the data set is left out."""
        back = {sid: vid for vid, sid in self.ids.items()}
        return [back[r["id"]] for r in resources if r.get("id") in back]

    def ask(self, endpoint, text, search):
        """Sorted vector ids that a filter finds by GET or by POST /.search, or the refusal."""
        base = endpoint.rstrip("/")

        def fetch(start):
            if search:
                body = {"schemas": [MSG + "SearchRequest"], "filter": text, **({"startIndex": start} if start > 1 else {})}
                return self.server("POST", base + "/.search", body)
            more = f"&startIndex={start}" if start > 1 else ""
            return self.server("GET", f"{base or '/'}?filter={quote(text, safe='')}{more}")

        found = self.server.pages(fetch)
        return sorted(self.names(found)) if isinstance(found, list) else found

    def drop(self, keep=0):
        """Delete what was created after the first `keep` resources, newest first."""
        while len(self.made) > keep:
            self.server("DELETE", self.made.pop())

    def probe(self):
        """Note the extensions that the server rejects or drops."""
        for urn, sample in ((ENT, {"employeeNumber": "1"}), (BADGE, {"level": 1})):
            reply = self.post("User", {"schemas": [USER, urn], "userName": "probe@vectors.test", urn: sample})
            shown = self.server("GET", self.made[-1]).json if reply.status == 201 else {}
            if shown.get(urn) != sample:
                self.missing.append(urn)
            self.drop()

    def load(self, data):
        """Create the data set: u2 before u1 (its manager), users in the order the date filters rely on
        (20 ms apart, one pause of 1.1 s for clocks that count whole seconds), g2 before g1 (its parent)."""
        by_id = {r["id"]: r for r in data["resources"]}
        for vid in "u2 u1 u3 - u4 u5 u6 u7 g2 g1 g3".split():
            time.sleep(1.1 if vid == "-" else 0.02)
            if vid == "-":
                continue
            kind, body = by_id[vid]["meta"]["resourceType"], self.swap(writable(by_id[vid], self.missing))
            reply = self.post(kind, body, vid)
            if reply.status == 400:  # all of these mean unassigned, so leaving them out keeps the meaning
                print(f"note: {vid} sent again without null and empty values, as given it got {reply}")
                reply = self.post(kind, {k: v for k, v in body.items() if v not in (None, [], {}, "")}, vid)
            if reply.status != 201:
                sys.exit(f"cannot load the data set (empty tenant? --wipe), POST {vid}: {reply}")
        for vid, res in by_id.items():
            self.res[vid] = self.get(f"{ENDPOINT[res['meta']['resourceType']]}/{self.ids[vid]}")
            sent = self.swap(writable(res, self.missing))
            if state(sent) != state(self.res[vid], added(self.res[vid], sent)):
                print(f"note: {vid} is not stored as sent: {short(state(self.res[vid]), 600)}")

    def needs(self, vector):
        text = json.dumps(vector).lower()
        for urn in self.missing:
            if urn.lower() in text or (urn == BADGE and vector["id"] == "T04"):
                raise Skip(f"server does not take the extension {urn}")

    def feature(self, name):
        """Skip unless the server announces it: RFC 9865 cursor must be set, the rest must not be false."""
        if name == "cursor":
            missing = not (self.config.get("pagination") or {}).get("cursor")
        else:
            missing = (self.config.get(name) or {}).get("supported") is False
        if missing:
            raise Skip(f"ServiceProviderConfig says no {name}")
