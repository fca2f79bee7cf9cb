"""Used by requirements.py: the named procedures, for what a list of steps cannot say.

Each is called with the world, the values and the check; it raises Wrong, Skip or Blocked, or returns."""
import json
import threading
from types import SimpleNamespace

from rq_check import ENT, USER, Blocked, Skip, Wrong, complaint, payload, run_steps
from rq_language import holds

LATE = ("every-answer", "every-resource")


def as_reply(value, seen=None):
    """A JSON value in the place of an answer, so that facts can be asked of it."""
    return SimpleNamespace(json=value, status=200, text=json.dumps(value), headers={}, method=getattr(seen, "method", ""),
                           path=getattr(seen, "path", ""), sent=getattr(seen, "sent", b""))


def all_hold(reply, values, facts):
    return all(holds(reply, values, fact) is None for fact in facts)


def judge(reply, values, facts, what):
    for fact in facts:
        wrong = holds(reply, values, fact)
        if wrong:
            raise Wrong(f"{wrong}: {what}")


# ---------------------------------------------------------------- over everything seen

def every_answer(world, values, check):
    """Each answer of the whole run for which `where` holds."""
    seen = 0
    for reply in list(world.server.seen):
        if all_hold(reply, values, check.get("where", [])):
            seen += 1
            judge(reply, values, check["expect"], reply)
    if not seen:
        raise Skip("no such answer was seen")


def every_resource(world, values, check):
    """Each User and Group shown in the whole run, alone or in a list."""
    seen = 0
    for reply in list(world.server.seen):
        if not isinstance(reply.json, dict) or reply.status not in (200, 201) or "/Schemas" in reply.path:
            continue
        rows = reply.json.get("Resources")
        for resource in rows if isinstance(rows, list) else [reply.json]:
            if isinstance(resource, dict) and "id" in resource and ("userName" in resource or "displayName" in resource):
                if all_hold(as_reply(resource, reply), values, check.get("where", [])):
                    seen += 1
                    judge(as_reply(resource), values, check["expect"], reply)
    if not seen:
        raise Skip("no such resource was seen")


# ---------------------------------------------------------------- over the published schemas

def definitions(world, leave_out=()):
    """(path, definition) of every attribute and sub-attribute."""
    def walk(rows, path):
        for a in rows if isinstance(rows, list) else []:
            if isinstance(a, dict):
                yield f"{path}{a.get('name')}", a
                yield from walk(a.get("subAttributes"), f"{path}{a.get('name')}.")
    for urn, schema in world.schemas.items():
        if urn not in leave_out:
            yield from walk(schema.get("attributes"), urn + ":")


def each_attribute(world, values, check):
    """Each attribute definition for which `where` holds."""
    rows = [(p, a) for p, a in definitions(world, check.get("except", [])) if all_hold(as_reply(a), values, check.get("where", []))]
    if not rows:
        raise Skip("no schema has such an attribute")
    for path, a in rows:
        judge(as_reply(a), values, check["expect"], f"GET /Schemas, {path}")


def attribute(world, values, check):
    """The definitions named by `names` of one schema, those that the server has."""
    urn = values.text(check["schema"])
    rows = [(n, world.attribute(urn, n)) for n in check["names"]]
    if not any(a for _, a in rows):
        raise Skip("the server does not have the attribute")
    for name, a in rows:
        if a:
            judge(as_reply(a), values, check["expect"], f"GET /Schemas, {urn}:{name}")


SAMPLES = {"string": ["Alpha", "Beta"], "boolean": [True, False], "integer": [3, 10], "decimal": [4.5, 9.25], "binary": ["AQID", "BAUG"],
           "dateTime": ["2024-01-15T08:00:00Z", "2025-03-01T10:30:00Z"], "reference": ["https://example.com/a", "https://example.com/b"]}


def sample(a, n):
    """The n-th (0 or 1) valid value of an attribute."""
    if a.get("type") == "complex":
        value = {s["name"]: sample(s, n) for s in a.get("subAttributes") or [] if s.get("mutability") != "readOnly" and s["name"] != "$ref"}
    else:
        known = a.get("canonicalValues") or SAMPLES.get(a.get("type", "string"), SAMPLES["string"])
        value = known[n % len(known)]
    return [value] if a.get("multiValued") else value


def with_attribute(world, values, check):
    """Runs the steps with an attribute of any resource type for which `where` holds: see the README for the values it gives."""
    for kind in world.types:
        urns = [kind.get("schema"), *(e.get("schema") for e in kind.get("schemaExtensions") or [])]
        for urn in urns:
            for a in world.schemas.get(urn, {}).get("attributes") or []:
                if usable(kind, urn, a) and all_hold(as_reply(a), values, check["where"]):
                    bind(world, values, kind, urn, a)
                    run_steps(world, values, check["steps"])
                    return
    raise Skip("no resource type has such an attribute")


def with_type(world, values, check):
    """Runs the steps with a resource type for which `where` holds: see the README for the values it gives."""
    for kind in world.types:
        if isinstance(kind.get("schema"), str) and all_hold(as_reply(kind), values, check["where"]):
            whole = required(world, values, kind)
            bare = {k: v for k, v in whole.items() if not k.startswith("urn:")}
            values.known.update({"endpoint": world.endpoint(kind), "without": whole, "bare": {**bare, "schemas": [kind["schema"]]}})
            run_steps(world, values, check["steps"])
            return
    raise Skip("no such resource type")


def usable(kind, urn, a):
    """Attributes whose values a client may make up. The rest has checks of its own."""
    special = {"userName", "password", "members", "groups", "manager", "id", "meta", "externalId", "schemas"}
    return a.get("type") != "complex" and a.get("name") not in special and kind.get("endpoint") and urn


def bind(world, values, kind, urn, a):
    endpoint, core = world.endpoint(kind), urn == kind.get("schema")
    known = values.known
    fixture = next((f for f in world.fixtures.values() if f["endpoint"] == endpoint), None)
    known["as"] = "made"
    known["without"] = values.json(fixture["bodies"][world.bodies.get(fixture["name"], 0)]) if fixture else required(world, values, kind)
    for name, n in (("whole", 0), ("other-whole", 1)):
        part = {a["name"]: sample(a, n)}
        body = {**known["without"], **(part if core else {urn: part})}
        if not core and isinstance(known["without"].get(urn), dict):
            body[urn] = {**known["without"][urn], **part}
        known[name] = {**body, "schemas": sorted({*body["schemas"], urn}, key=lambda s: s != kind["schema"])}
    known.update({"endpoint": endpoint, "attr": a["name"] if core else f"{urn}:{a['name']}", "value": sample(a, 0),
                  "other": sample(a, 1), "at": f"$.{a['name']}" if core else f'$["{urn}"].{a["name"]}', "type-schema": kind["schema"]})


def required(world, values, kind):
    """The smallest body of a type that has no fixture."""
    def part(urn):
        rows = [a for a in world.schemas.get(urn, {}).get("attributes") or [] if a.get("required") and a.get("mutability") != "readOnly"]
        return {a["name"]: values.known["n"] if a.get("type") == "string" and not a.get("multiValued") else sample(a, 0) for a in rows}

    extensions = [e["schema"] for e in kind.get("schemaExtensions") or [] if e.get("required")]
    return {"schemas": [kind["schema"], *extensions], **part(kind["schema"]), **{urn: part(urn) for urn in extensions}}


# ---------------------------------------------------------------- walks and races

def walk(world, values, check):
    """Every page of a query, by `index` or by `cursor`: the resources made for it are each seen exactly once."""
    made = []
    for n in range(check.get("make", 7)):
        world.create(values, {"create": check.get("create", "user"), "as": f"w{n}", "with": check.get("with", "{}")})
        made.append(values.known[f"w{n}"]["id"])
    seen, query = [], values.fill(check.get("query", {}))
    for page in (by_cursor if check["by"] == "cursor" else by_index)(world, check["path"], query, check["count"]):
        rows = [r.get("id") for r in page.json.get("Resources") or []]
        if len(rows) > check["count"]:
            raise Wrong(f"a page of {check['count']} holds {len(rows)}: {page}")
        if check.get("churn") and not seen:
            come_and_go(world, values, check, [m for m in made if m in rows], made)
        seen += rows
    for name in made:
        if seen.count(name) != 1:
            raise Wrong(f"of {len(made)} resources made, one was on {seen.count(name)} pages instead of 1: {page}")
    if len(set(seen)) != len(seen):
        raise Wrong(f"a resource was on two pages: {page}")


def come_and_go(world, values, check, shown, made):
    """Somebody who was on the first page goes, and somebody new comes: those who stay are still to be seen once."""
    for name in shown[:1]:
        world.server("DELETE", f"{check['path']}/{name}")
        made.remove(name)
    world.create(values, {"create": check.get("create", "user"), "as": "late", "with": check.get("with", "{}")})


def by_index(world, path, query, count):
    start, total = 1, 1
    while start <= total and start < 5000:
        page = world.server("GET", path, query={**query, "startIndex": start, "count": count})
        if page.status != 200 or not isinstance(page.json, dict):
            raise Wrong(f"a page was refused: {page}")
        yield page
        total = page.json.get("totalResults") or 0
        got = len(page.json.get("Resources") or [])
        if start + got <= total and not got:
            raise Wrong(f"an empty page before the end: {page}")
        start += got or 1


def by_cursor(world, path, query, count):
    cursor = ""
    for number in range(5000):
        page = world.server("GET", path, query={**query, "count": count, "cursor": cursor})
        if page.status != 200 or not isinstance(page.json, dict):
            raise Wrong(f"a page was refused: {page}")
        if not number and "previousCursor" in page.json:
            raise Wrong(f"the first page has a previousCursor: {page}")
        yield page
        if not page.json.get("nextCursor"):
            return
        cursor = page.json["nextCursor"]


def race(world, values, check):
    """One request `times` times at once. `outcome` gives the facts of the numbers: status -> how many, `rest` for the others."""
    run_steps(world, values, check.get("before", []))
    step, replies = check["step"], []
    method, _, path = values.text(step["send"]).partition(" ")
    data, head = payload(values, step), values.fill(step.get("headers", {}))

    def one():
        replies.append(world.server(method, path, data, head, alone=True))

    threads = [threading.Thread(target=one) for _ in range(check["times"])]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if len(replies) != check["times"]:
        raise Wrong("not every request was answered")
    statuses = sorted(r.status for r in replies)
    first = statuses.count(check["one"])
    if first != 1 or any(s not in (check["one"], *check["rest"]) for s in statuses):
        raise Wrong(f"{check['times']} equal requests at once were answered {statuses}: {replies[-1]}")
    run_steps(world, values, check.get("after", []))


PROCEDURES = {"every-answer": every_answer, "every-resource": every_resource, "each-attribute": each_attribute, "attribute": attribute,
              "with-attribute": with_attribute, "with-type": with_type, "walk": walk, "race": race}
__all__ = ["ENT", "LATE", "PROCEDURES", "USER", "Blocked", "complaint"]
