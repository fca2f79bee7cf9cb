"""Used by requirements.py: what the server announces, what checks start from, and the steps of a check."""
import json
import re
import secrets
import time

from rq_language import Blocked, Values, Wrong, holds, instant, place, select
from rq_server import short

USER, GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MSG = "urn:ietf:params:scim:api:messages:2.0:"
MOST = 20_000_000  # bytes of one body
WORDS = {"User": USER, "Group": GROUP, "Enterprise": ENT}


class Skip(Exception):
    """The server does not announce what the check needs."""


class World:
    """The server under test with what it says of itself, and the values every check knows."""

    def __init__(self, server, fixtures, tokens):
        self.server, self.fixtures, self.bodies, self.tokens = server, {f["name"]: f for f in fixtures}, {}, tokens
        self.run, self.count, self.probed = "q" + secrets.token_hex(3), 0, {}
        self.config, self.types, self.schemas = {}, [], {}

    def discover(self):
        """ServiceProviderConfig, ResourceTypes and Schemas; what is not there counts as nothing announced."""
        def read(path):
            reply = self.server("GET", path)
            return reply.json if reply.status == 200 and isinstance(reply.json, (dict, list)) else {}

        def items(value):
            rows = value.get("Resources") or [] if isinstance(value, dict) else value
            return [r for r in rows if isinstance(r, dict)]

        config = read("/ServiceProviderConfig")
        config = items(config)[0] if isinstance(config, dict) and items(config) else config
        self.config = config if isinstance(config, dict) else {}
        self.types = [{**t, "schemaExtensions": [e for e in t.get("schemaExtensions") or [] if isinstance(e, dict)]}
                      for t in items(read("/ResourceTypes")) if isinstance(t.get("endpoint"), str)]
        self.schemas = {s["id"]: s for s in items(read("/Schemas")) if isinstance(s.get("id"), str)}

    # ------------------------------------------------------------ features

    def needs(self, features):
        for name in features if isinstance(features, list) else [features]:
            if name and self.announces(name.removeprefix("!")) == name.startswith("!"):
                raise Skip(f"the server announces {name[1:]}" if name[0] == "!" else
                           f"no token --{name} was given" if name in ("second", "foreign") else f"the server does not announce {name}")

    def announces(self, name):
        paging = self.config.get("pagination") if isinstance(self.config.get("pagination"), dict) else {}
        match name:
            case "cursor":
                return paging.get("cursor") is True
            case "index":
                return paging.get("index") is not False
            case "pagination" | "securityEvents" | "RolesAndEntitlements":
                return name in self.config
            case "async":
                return (self.config.get("securityEvents") or {}).get("asyncRequest") in ("long", "request", "LONG", "REQUEST")
            case "me" | "search" | "root" | "auth":
                return self.probe(name)
            case "users" | "groups" | "roles" | "entitlements":
                return any(self.endpoint(t) == "/" + name.capitalize() for t in self.types)
            case "enterprise":
                return any(e.get("schema") == ENT for t in self.types for e in t.get("schemaExtensions") or [])
            case "second" | "foreign":
                return bool(self.tokens.get(name))
            case "version":
                return re.search(r"/v\d+$", self.server.url.path) is not None
        if name.split(".")[0] in WORDS and "." in name:
            return self.attribute(WORDS[name.split(".")[0]], name.partition(".")[2]) is not None
        entry = self.config.get(name)
        return isinstance(entry, dict) and entry.get("supported") is True

    def probe(self, name):
        """What no configuration announces is tried once."""
        if name not in self.probed:
            body = json.dumps({"schemas": [MSG + "SearchRequest"], "count": 1}).encode()
            how = {"me": ("GET", "/Me", None), "search": ("POST", "/Users/.search", body), "root": ("POST", "/.search", body),
                   "auth": ("GET", "/Users", None)}[name]
            got = self.server(*how, auth="" if name == "auth" else None).status
            self.probed[name] = got in (401, 403) if name == "auth" else got in (200, 308) if name == "me" else got not in (401, 403, 404, 405, 501)
        return self.probed[name]

    @staticmethod
    def endpoint(kind):
        return "/" + kind["endpoint"].strip("/").rpartition("/")[2]

    def attribute(self, urn, path):
        """The definition of an attribute or sub-attribute, None if the server does not have it."""
        inside = self.schemas.get(urn, {}).get("attributes")
        found = None
        for name in path.split("."):
            found = next((a for a in inside or [] if str(a.get("name")).lower() == name.lower()), None)
            inside = (found or {}).get("subAttributes")
        return found

    # ------------------------------------------------------------ starting points

    def values(self):
        self.count += 1
        base = self.server.url.path
        return Values({
            "USER": USER, "GROUP": GROUP, "ENT": ENT, "MSG": MSG, "base": self.server.base, "token": self.server.token,
            "host": f"{self.server.url.scheme}://{self.server.url.netloc}", "base-path": base,
            "other-version": f"{self.server.url.scheme}://{self.server.url.netloc}" + re.sub(r"/v\d+$", "/v9", base),
            "run": self.run, "n": f"{self.run}-{self.count}", "spc": self.config, "schema-ids": list(self.schemas),
            **{f"{name}-token": token for name, token in self.tokens.items() if token}, "type-names": [t.get("name") for t in self.types], "endpoints": [self.endpoint(t) for t in self.types],
            "type-schemas": [u for t in self.types for u in
                             [t.get("schema"), *(e.get("schema") for e in t.get("schemaExtensions") or [])]],
        })

    def create(self, values, step):
        """A resource to work on. The bodies of a fixture are tried in turn: a server may require more than the smallest."""
        fixture, name = self.fixtures[step["create"]], step.get("as", step["create"])
        if not any(self.endpoint(t) == fixture["endpoint"] for t in self.types) and self.types:
            raise Skip(f"the server has no {fixture['endpoint']}")
        values.known["as"] = name
        start = self.bodies.get(fixture["name"], 0)
        for n, text in enumerate(fixture["bodies"][start:], start):
            body = {**values.json(text), **values.json(step.get("with", "{}"))}
            reply = self.server("POST", fixture["endpoint"], json.dumps(body).encode(), values.fill(step.get("headers", {})))
            if reply.status == 201 and isinstance(reply.json, dict) and isinstance(reply.json.get("id"), str):
                self.bodies[fixture["name"]] = n
                self.keep(values, name, fixture["endpoint"], reply)
                return reply
        raise Blocked(f"the resource to work on could not be made: {reply}")

    @staticmethod
    def keep(values, name, endpoint, reply):
        meta = reply.json.get("meta") or {}
        values.known.update({name: reply.json, f"{name}.path": f"{endpoint}/{reply.json['id']}",
                             f"{name}.tag": reply.headers.get("ETag") or meta.get("version") or "",
                             f"{name}.location": reply.headers.get("Location") or meta.get("location") or ""})


# ---------------------------------------------------------------- steps

def run_steps(world, values, steps):
    for step in steps:
        if "pause" in step:
            time.sleep(pause(values, step["pause"]))
        elif "create" in step:
            world.create(values, step)
        else:
            send(world, values, step)


def pause(values, how):
    """Seconds, or `tick`: long enough for the lastModified of the resource `user` to show a change."""
    if how != "tick":
        return how
    shown = json.dumps([v.get("meta", {}).get("lastModified") for v in values.known.values() if isinstance(v, dict)])
    return 0.005 if "." in shown else 1.1


def payload(values, step):
    if "raw" in step:
        return big(values.text(step["raw"])).encode()
    if "ops" in step:
        return json.dumps({"schemas": [MSG + "PatchOp"], "Operations": values.json(step["ops"])}).encode()
    if "bulk" in step:
        return json.dumps({"schemas": [MSG + "BulkRequest"], "Operations": values.json(step["bulk"])}).encode()
    if "body" in step:
        return json.dumps(values.json(step["body"]), ensure_ascii=False).encode()
    return None


def big(text):
    """`<<10000 x>>` stands for 10,000 times x."""
    if any(int(n) * len(x) > MOST for n, x in re.findall(r"<<(\d+) (.+?)>>", text)):
        raise Blocked("the limit is too high to be tried")
    return re.sub(r"<<(\d+) (.+?)>>", lambda m: m[2] * int(m[1]), text)


def send(world, values, step):
    method, _, path = values.text(step["send"]).partition(" ")
    query = {k: big(str(v)) for k, v in values.fill(step.get("query", {})).items()}
    auth = values.text(step["auth"]) if "auth" in step else None
    head = values.fill(step.get("headers", {}))
    reply = world.server(method, path, payload(values, step), head, query, auth)
    wrong = complaint(reply, values, step)
    if wrong and (step.get("setup") or reply.status == 429):
        raise Blocked(f"{wrong}: {reply}")
    if wrong:
        raise Wrong(f"{wrong}: {reply}")
    for name, at in step.get("save", {}).items():
        found = place(reply, at)
        if not found and "[*]" not in at:
            raise Blocked(f"nothing at {at} to go on with: {reply}")
        values.known[name] = found if "[*]" in at else found[0]
    if "keep" in step and isinstance(reply.json, dict) and reply.json.get("id"):
        world.keep(values, step["keep"], "/" + reply.path.removeprefix(world.server.url.path).strip("/").split("/")[0].split("?")[0], reply)
    return reply


def is_error(status, shown, wanted, scim_type=None):
    """`400 invalidValue` wants that scimType, `400 invalidValue?` that or none: it is optional where no section demands it."""
    return status == int(wanted) and (scim_type is None or shown == [scim_type.rstrip("?")] or (scim_type.endswith("?") and not shown))


def complaint(reply, values, step):
    """The first thing about the answer that is not as the step says, None if all is."""
    if "status" in step:
        wanted = step["status"] if isinstance(step["status"], list) else [step["status"]]
        if reply.status not in wanted:
            return f"the status is {reply.status}, not {' or '.join(map(str, wanted))}"
    if "error" in step:
        ways = step["error"] if isinstance(step["error"], list) else [step["error"]]
        shown = select(reply.json, "$.scimType")
        if not any(is_error(reply.status, shown, *w.split()) for w in ways):
            return f"the answer is {reply.status} {' '.join(map(str, shown))}, not the error {' or '.join(ways)}"
    for fact in step.get("expect", []):
        wrong = holds(reply, values, fact)
        if wrong:
            return wrong
    return None


__all__ = ["Blocked", "Skip", "World", "Wrong", "complaint", "instant", "payload", "run_steps", "short"]
