"""Defects in PATCH, DELETE, bulk, and in what protects people and tenants (checklist groups 14 to 16, 20 to 22)."""
import json
import re

from mutants_list import ENT, GROUP, MSG, ONE, USER, answered, asked, defect, each, fits, headers, told

ANY, PATCH = r".*", "PATCH " + ONE


def operations(requirement, says, edit):
    """A defect in how PATCH is understood: `edit` changes the list of operations, or gives another."""
    def change(x):
        body = x.body
        if isinstance(body, dict) and isinstance(body.get("Operations"), list):
            other = edit(x, body["Operations"])
            x.body = {**body, "Operations": body["Operations"] if other is None else other}
    asked(requirement, says, PATCH, change)


def one(requirement, says, wanted, edit):
    """The same for each operation that is wanted; `edit` changes it in place."""
    def change(x, ops):
        for op in ops:
            if isinstance(op, dict) and wanted(op):
                edit(op)
    operations(requirement, says, change)


def drops(requirement, says, wanted):
    """Operations that are wanted are dropped, and the answer is a success."""
    def change(x):
        body = x.body
        if not isinstance(body, dict) or not isinstance(body.get("Operations"), list):
            return
        kept = [op for op in body["Operations"] if not (isinstance(op, dict) and wanted(op))]
        if kept and len(kept) < len(body["Operations"]):
            x.body = {**body, "Operations": kept}
        elif not kept and (shown := x.get(x.path)):
            x.answer(200, shown)
    asked(requirement, says, PATCH, change)


def is_op(name, path=ANY, value=ANY):
    """Whether an operation has this verb, a path and a value like these."""
    def wanted(op):
        return (str(op.get("op")).lower() == name and re.fullmatch(path, op.get("path") or "") is not None
                and re.fullmatch(value, str(op.get("value")), re.S) is not None)
    return wanted


@defect("PAT-01 tol", "the schema of a PATCH does not matter")
def any_patch(x):
    if fits(x, PATCH) and isinstance(x.body, dict):
        x.body = {**x.body, "schemas": [MSG + "PatchOp"]}


@defect("PAT-01", "a PATCH without operations is a success")
def no_operations(x):
    if fits(x, PATCH) and isinstance(x.body, dict) and not x.body.get("Operations"):
        x.answer(200, x.get(x.path))


one("PAT-02", "an unknown verb is understood as replace", lambda op: op.get("op") not in ("add", "remove", "replace"),
    lambda op: op.update(op="replace"))
drops("PAT-02", "an unknown verb is passed over", lambda op: op.get("op") not in ("add", "remove", "replace"))
drops("PAT-03", "an operation whose path cannot be read is passed over",
      lambda op: re.search(r"\[[^\]]*$|\.\.|^\.|\]x|^$| ", op.get("path") or "a"))
operations("PAT-04", "operations run backwards", lambda x, ops: ops[::-1])
operations("PAT-04", "the first operation alone counts", lambda x, ops: ops[:1])


@defect("PAT-05", "what came before a failed operation stays")
def half_done(x):
    x.pass_on()
    if fits(x, PATCH) and x.status >= 400 and isinstance(x.body, dict) and len(x.body.get("Operations") or []) > 1:
        x.ask("PATCH", x.path, json.dumps({**x.body, "Operations": x.body["Operations"][:1]}).encode())


drops("PAT-06", "changes of what is read-only are passed over", lambda op: re.match(r"(?i)(id|meta|groups)", op.get("path") or ""))


def not_primary(value):
    return [{k: v for k, v in e.items() if k != "primary"} for e in value] if isinstance(value, list) else value


@defect("PAT-08", "a second value becomes primary beside the first")
def two_primary(x):
    x.pass_on()
    if x.path.startswith("/Users/") and x.status == 200 and len((x.json or {}).get("emails", [])) > 1:
        x.json = {**x.json, "emails": [{**e, "primary": True} for e in x.json["emails"]]}


answered("PAT-09", "a PATCH answers 202", PATCH, lambda x: setattr(x, "status", 202))
answered("PAT-09", "a PATCH answers 204 although attributes was given", PATCH,
         lambda x: "attributes" in x.query and setattr(x, "status", 204))
told("PAT-09", "a PATCH answers the operations", PATCH, lambda v: (v.pop("userName", 0), v.pop("id", 0)))
drops("PAT-10", "operations on an extension are passed over",
      lambda op: (op.get("path") or "").startswith("urn:ietf:params:scim:schemas:extension"))
asked("PAT-10", "a path into an extension the person does not have yet is refused", PATCH,
      lambda x: b'"path":"urn:ietf:params:scim:schemas:extension' in x.raw.replace(b" ", b"") and ENT not in x.get(x.path) and x.error(400, "invalidPath"))
drops("PAT-11", "paths with the URN of the core are passed over", lambda op: USER in (op.get("path") or ""))
drops("PAT-11", "paths in another case are passed over", lambda op: (op.get("path") or "a").isupper())
drops("PAT-12", "an add without a value is passed over", lambda op: op.get("op") == "add" and "value" not in op)
drops("PAT-13", "an operation without a path is passed over", lambda op: "path" not in op)
asked("PAT-13", "keys with a URN inside a value are refused", PATCH, lambda x: b'"value":{"urn:' in x.raw.replace(b" ", b"") and x.error(400, "invalidPath"))
one("PAT-14", "add takes the place of what is there", lambda op: op.get("op") == "add" and isinstance(op.get("value"), list),
    lambda op: op.update(op="replace"))
one("PAT-14", "of several values added the first alone counts", lambda op: op.get("op") == "add" and isinstance(op.get("value"), list),
    lambda op: op.update(value=op["value"][:1]))


@defect("PAT-15", "add to a name drops what it does not mention")
def add_drops_name(x):
    if fits(x, PATCH) and isinstance(x.body, dict):
        ops = x.body.get("Operations") or []
        if any(isinstance(op, dict) and op.get("op") == "add" and op.get("path") == "name" for op in ops):
            x.body = {**x.body, "Operations": [{"op": "remove", "path": "name"}, *ops]}


@defect("PAT-16", "adding what is there is a change")
def touches(x):
    x.pass_on()
    if fits(x, PATCH) and x.status == 200 and isinstance(x.json, dict) and "meta" in x.json:
        x.proxy.memory["moved"] = x.path
    if x.path == x.proxy.memory.get("moved") and isinstance(x.json, dict) and "meta" in x.json:
        x.json = {**x.json, "meta": {**x.json["meta"], "lastModified": "2099-01-01T00:00:00Z"}}


@defect("PAT-16", "a member added again is there twice")
def member_twice(x):
    x.pass_on()
    if fits(x, PATCH) and b'"add"' in x.raw:
        x.proxy.memory["twice"] = x.path
    if x.path == x.proxy.memory.get("twice") and isinstance(x.json, dict) and "members" in x.json:
        x.json = {**x.json, "members": x.json["members"] * 2}


answered("PAT-16", "a member added again is a conflict", PATCH,
         lambda x: b'"add"' in x.raw and b'"members"' in x.raw and x.error(409, "uniqueness"))
drops("PAT-18", "a remove without a path is passed over", lambda op: op.get("op") == "remove" and not op.get("path"))
one("PAT-19", "a remove by filter removes all values", is_op("remove", r".*\[.*"),
    lambda op: op.update(path=re.split(r"\[", op["path"])[0]))
drops("PAT-19", "a remove by filter is passed over", is_op("remove", r".*\[.*"))
drops("PAT-19", "a remove of all values is passed over", is_op("remove", r"\w+"))
drops("PAT-20", "removing what is required is passed over", is_op("remove", r"(?i)userName"))
asked("PAT-21", "removing what is not there is an error", PATCH, lambda x: any(
    is_op("remove", r"\w+")(op) and op["path"] not in x.get(x.path) for op in x.body["Operations"]) and x.error(400, "noTarget"))
operations("PAT-22", "the values of a remove are not looked at",
           lambda x, ops: [{k: v for k, v in op.items() if not (k == "value" and op.get("op") == "remove")} for op in ops])


@defect("PAT-23", "replace without a path takes the place of everything")
def replaces_all(x):
    if fits(x, PATCH) and isinstance(x.body, dict):
        for op in x.body.get("Operations") or []:
            if op.get("op") == "replace" and "path" not in op and isinstance(op.get("value"), dict) and (now := x.get(x.path)):
                kept = {k: now[k] for k in ("schemas", "userName", "displayName") if k in now and (k != "displayName" or GROUP in now["schemas"])}
                got = x.ask("PUT", x.path, json.dumps({**kept, **op["value"]}).encode())
                x.status, x.answer_headers, x.data = got


@defect("PAT-23", "replace that does not mention members empties the group")
def empties_group(x):
    if x.method == "PATCH" and x.path.startswith("/Groups/") and isinstance(x.body, dict):
        if not any("members" in str(op) for op in x.body.get("Operations") or []):
            x.body = {**x.body, "Operations": [*x.body["Operations"], {"op": "remove", "path": "members"}]}


drops("PAT-24", "replace of what is not there is passed over", is_op("replace", r"nickName|title"))
one("PAT-24", "replace of values adds them", lambda op: op.get("op") == "replace" and isinstance(op.get("value"), list),
    lambda op: op.update(op="add"))
drops("PAT-24", "active cannot be switched", is_op("replace", r"active"))


@defect("PAT-25", "replace of a name drops what it does not mention")
def replace_drops_name(x):
    if fits(x, PATCH) and isinstance(x.body, dict):
        ops = x.body.get("Operations") or []
        if any(isinstance(op, dict) and op.get("op") == "replace" and op.get("path") == "name" for op in ops):
            x.body = {**x.body, "Operations": [{"op": "remove", "path": "name"}, *ops]}


one("PAT-26", "replace by filter changes the first value alone", is_op("replace", r"emails\[type eq .*\]\.display"),
    lambda op: op.update(path=op["path"].replace('type eq "work"', 'value eq "w1@example.com"')))
drops("PAT-26", "replace by filter is passed over", is_op("replace", r".*\[.*"))
drops("PAT-27", "replace by a filter without match is a success", is_op("replace", r".*\[.*fax.*"))
drops("PAT-28", "values of a wrong type are passed over", lambda op: op.get("path") in ("active", "userName", "name") and
      not isinstance(op.get("value"), {"active": bool, "userName": str, "name": dict}[op["path"]]))
answered("PAT-28", "a clash in a PATCH is 400", PATCH, lambda x: x.error(400, "invalidValue"), 409)
drops("PAT-29", "replace by null is passed over", lambda op: op.get("op") == "replace" and op.get("value", 1) in (None, []))
drops("PAT-29", "replace of members by nothing is passed over", is_op("replace", "members", r"\[\]"))
drops("PAT-30", "changes inside a member are passed over", is_op("replace", r"members\[.*\]\..*"))
one("PAT-31", "a JSON pointer is taken for a path", lambda op: str(op.get("path")).startswith("/"),
    lambda op: op.update(path=op["path"].strip("/").replace("/", ".")))
drops("PAT-31", "paths with an index are passed over", lambda op: re.search(r"\[\d+\]", op.get("path") or ""))


@defect("PAT-32", "when the primary value goes another takes its place")
def promoted(x):
    x.pass_on()
    if x.path.startswith("/Users/") and x.status == 200 and len((x.json or {}).get("emails", [])) == 1:
        x.json = {**x.json, "emails": [{**x.json["emails"][0], "primary": True}]}


asked("PAT-33", "PATCH is announced and not there", PATCH, lambda x: x.error(501))
drops("PAT-34", "operations on unknown attributes are a success", is_op(r"replace", r"noSuch.*"))
drops("PAT-34", "and so is an add of one", is_op(r"add", r"noSuch.*"))

# ---------------------------------------------------------------- 15 DELETE


answered("DEL-01", "a deletion answers 200 with a body", "DELETE " + ONE, lambda x: x.answer(200, {"deleted": True}))
asked("DEL-02", "what is deleted stays", "DELETE " + ONE, lambda x: x.answer(204))
answered("DEL-02", "a second deletion succeeds", "DELETE " + ONE, lambda x: x.answer(204), 404)


@defect("DEL-02", "somebody deleted can still be read, as inactive")
def ghost(x):
    ghosts = x.proxy.memory.setdefault("ghosts", {})
    if x.method == "DELETE":
        ghosts[x.path] = {**x.get(x.path), "active": False}
    x.pass_on()
    if x.method == "GET" and x.status == 404 and ghosts.get(x.path):
        x.answer(200, ghosts[x.path])


@defect("DEL-03", "somebody deleted is still found")
def found_ghost(x):
    ghosts = x.proxy.memory.setdefault("ghosts", {})
    if x.method == "DELETE" and (shown := x.get(x.path)):
        ghosts[shown["id"]] = shown
    x.pass_on()
    wanted = next((g for g in ghosts if g in x.query.get("filter", "")), None)
    if wanted and x.status == 200:
        x.json = {**x.json, "totalResults": 1, "Resources": [ghosts[wanted]]}


@defect("DEL-04", "the name of somebody deleted stays taken")
def name_stays(x):
    gone = x.proxy.memory.setdefault("gone", set())
    if x.method == "DELETE":
        gone.add(x.get(x.path).get("userName"))
    if x.method == "POST" and isinstance(x.body, dict) and x.body.get("userName") in gone - {None}:
        x.error(409, "uniqueness")


@defect("DEL-05", "somebody deleted stays a member")
def ghost_member(x):
    x.pass_on()
    if x.method == "GET" and x.path.startswith("/Groups/") and x.status == 200 and not x.json.get("members"):
        x.json = {**x.json, "members": [{"value": "00000000-0000-7000-8000-000000000000", "type": "User"}]}


asked("DEL-06", "a deletion does not look at If-Match", "DELETE .*", lambda x: x.headers.pop("If-Match", 0))

# ---------------------------------------------------------------- 16 bulk

BULK = "POST /Bulk"


def done(says, requirement, edit):
    """A defect in the result of each operation."""
    told(requirement, says, BULK, lambda v: [edit(op) for op in v.get("Operations", [])])


told("BLK-01", "the answer to bulk has the schema of the request", BULK, lambda v: v.update(schemas=[MSG + "BulkRequest"]))
answered("BLK-02", "operations without a method are passed over", BULK,
         lambda x: x.answer(200, {"schemas": [MSG + "BulkResponse"], "Operations": []}), (200, 400))
answered("BLK-04", "a bulk request with a failure is 400", BULK, lambda x: b'"response"' in x.data and x.error(400))
asked("BLK-05", "failOnErrors is not looked at", BULK, lambda x: isinstance(x.body, dict) and setattr(
    x, "body", {k: v for k, v in x.body.items() if k != "failOnErrors"}))
asked("BLK-05", "bulk stops at the first failure", BULK,
      lambda x: isinstance(x.body, dict) and setattr(x, "body", {**x.body, "failOnErrors": 1}))
done("results have no bulkId", "BLK-06", lambda op: op.pop("bulkId", 0))
done("results have no location", "BLK-06", lambda op: op.pop("location", 0))
done("results have no method", "BLK-06", lambda op: op.pop("method", 0))
done("a failure does not say why", "BLK-07", lambda op: op.pop("response", 0))
asked("BLK-08", "bulkId is not resolved", BULK, lambda x: setattr(x, "raw", x.raw.replace(b'"bulkId:', b'"bulk:')))
asked("BLK-09", "references in a circle are not understood", BULK,
      lambda x: b"bulkId:b" in x.raw and b"bulkId:a" in x.raw and x.error(400))
answered("BLK-11", "too much is 400", BULK, lambda x: x.error(400), 413)
told("BLK-13", "the answer repeats failOnErrors", BULK, lambda v: v.update(failOnErrors=1))
done("the status is a number", "BLK-14",
     lambda op: op.update(status=int(op["status"]) if isinstance(op.get("status"), str) else op.get("status")))
done("every status is 200", "BLK-14", lambda op: op.update(status="200"))
answered("BLK-19", "bulk is announced as unsupported, and answers 404", BULK, lambda x: x.error(404), 501)

# ---------------------------------------------------------------- 20 people and tenants

@defect("SEC-02", "a new password is shown once")
def shown_once(x):
    x.pass_on()
    if x.method in ("POST", "PUT", "PATCH") and isinstance(x.body, dict) and "password" in x.body and x.status in (200, 201):
        x.json = {**x.json, "password": x.body["password"]}


@defect("SEC-02", "an error repeats the password")
def error_repeats(x):
    x.pass_on()
    if x.status >= 400 and b"password" in x.raw and isinstance(x.json, dict):
        x.json = {**x.json, "detail": x.raw.decode(errors="replace")}


asked("SEC-03", "every password is good enough", "(POST|PATCH|PUT) .*",
      lambda x: isinstance(x.body, dict) and "password" in x.body and setattr(
    x, "body", {k: v for k, v in x.body.items() if k != "password"}))
asked("SEC-05", "a quotation mark in a filter is our fault", ANY, lambda x: "'" in x.query.get("filter", "") and x.error(500))
each("SEC-05", "signs of markup are lost", lambda r: "displayName" in r and r.update(displayName=re.sub(r"[<>']", "", r["displayName"])))
each("I18-01", "names are put in lower case without accents",
     lambda r: "userName" in r and r.update(userName=r["userName"].encode("ascii", "ignore").decode()))


@defect("I18-01", "names of the same letters in another width are two names")
def wide(x):
    if x.method == "POST" and isinstance(x.body, dict) and any("\uff00" < c < "\uff5f" for c in str(x.body.get("userName"))):
        x.body = {**x.body, "userName": f"wide{id(x)}"}


asked("I18-03", "a filter compares bytes", ANY, lambda x: "displayName eq" in x.query.get("filter", "") and not x.query["filter"].isascii()
      and x.query.update(filter='id eq "none"'))
asked("I18-04", "capitals are those of one language", ANY, lambda x: "I" in x.query.get("filter", "") and x.query.update(
    filter=x.query["filter"].replace("I", "\u0131")))
asked("I18-05", "a language with a region is refused", "(POST|PUT) .*",
      lambda x: b"preferredLanguage" in x.raw and x.error(400, "invalidValue"))


@defect("I18-06 tol", "a country of three letters is taken")
def three_letters(x):
    x.raw = (x.raw or b"").replace(b'"USA"', b'"US"')


each("I18-06", "countries are put into words", lambda r: [a.update(country="Germany") for a in r.get("addresses", [])])
headers("EVT-07", "a request to answer later says nothing of what comes", ANY, lambda h: h.pop("set-txn", 0), 202)
headers("EVT-07", "a request to answer later does not say that the wish was met", ANY, lambda h: h.pop("preference-applied", 0), 202)
told("ROL-01", "roles have another schema", "GET /Roles", lambda v: [r.update(schemas=[USER]) for r in v.get("Resources", [])])
told("ROL-02", "a role has no value", "GET /Roles", lambda v: [r.pop("value", 0) for r in v.get("Resources", [])])
told("TEN-04", "links lead to another host", "POST /Users",
     lambda v: v.get("meta", {}).update(location="https://other.example.com/Users/1"))

# ---------------------------------------------------------------- attributes of every kind (schemas/testresource.json)

ALL = r"/TestResources(/[^/.]+)?"


@defect("RES-09 /TestResources", "a required extension may be left out")
def no_extension(x):
    urn = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource"
    if x.method == "POST" and x.path == "/TestResources" and isinstance(x.body, dict) and urn not in x.body:
        x.body = {**x.body, "schemas": [*x.body["schemas"], urn], urn: {"extRequired": "made up"}}


@defect("RES-22 /TestResources", "fractions are cut off")
def cut_off(x):
    x.raw = (x.raw or b"").replace(b"3.5", b"3")


asked("RES-23 /TestResources", "a day is taken for an instant", ANY, lambda x: b'"2024-01-15"' in (x.raw or b"") and x.answer(204))
answered("RES-32 /TestResources", "an immutable value that is changed is passed over", "PUT " + ALL,
         lambda x: x.answer(200, x.get(x.path)), 400)


@defect("RES-34 /TestResources", "what is shown on request is shown always")
def always_shown(x):
    x.pass_on()
    if x.method == "GET" and "attributes" not in x.query and x.path.startswith("/TestResources/") and x.status == 200:
        x.json = {**x.json, "requestOnlyAttr": "Alpha"}


told("RES-34 /TestResources", "what is shown on request is never shown", "GET " + ALL, lambda v: v.pop("requestOnlyAttr", 0))
told("RES-31 /TestResources", "text whose case counts is put in lower case", "GET " + ALL,
     lambda v: v.update({k: w.lower() for k, w in v.items() if k == "caseExactString"}))
answered("RES-35 /TestResources", "a unique value is shared", "POST " + ALL, lambda x: x.answer(201, {**x.body, "id": "1"}), 409)
asked("PUT-06 /TestResources", "an immutable value is refused even if it is equal", "PUT " + ALL,
      lambda x: "immutableAttr" in (x.body or {}) and x.error(400, "mutability"))
asked("PAT-06 /TestResources", "an immutable value is changed", "PATCH " + ALL, lambda x: b"immutableAttr" in x.raw and x.answer(204))
asked("PAT-07 /TestResources", "an immutable attribute takes no first value", "PATCH " + ALL,
      lambda x: b"immutableAttr" in x.raw and x.error(400, "mutability"))
asked("FLT-14 /TestResources", "numbers are compared as texts", "GET " + ALL,
      lambda x: "gt 9" in x.query.get("filter", "") and x.query.update(filter='id eq "none"'))
asked("FLT-11 /TestResources", "value in brackets is not understood for simple values", "GET " + ALL,
      lambda x: "[value" in x.query.get("filter", "") and x.error(400, "invalidFilter"))

# ---------------------------------------------------------------- seen in the wild

drops("PAT-24", "active cannot be switched by add", is_op("add", r"active"))
drops("PAT-14", "members that are added are dropped, and the answer is a success", is_op("add", r"members"))
answered("PAT-02", "an operation with a capital letter is our fault", PATCH, lambda x: b'"Add"' in x.raw and x.error(500), range(200, 500))
asked("ATT-25", "members are dropped when a group is made", "POST /Groups", lambda x: isinstance(x.body, dict) and setattr(
    x, "body", {k: v for k, v in x.body.items() if k != "members"}))


@defect("PUT-02", "members of a PUT are not looked at")
def put_members(x):
    if x.method == "PUT" and x.path.startswith("/Groups/") and isinstance(x.body, dict):
        x.body = {**x.body, "members": x.get(x.path).get("members", [])}


@defect("ATT-14", "somebody inactive cannot be found")
def inactive_unfound(x):
    x.pass_on()
    if x.method == "GET" and x.path == "/Users" and x.status == 200:
        kept = [r for r in x.json.get("Resources", []) if r.get("active") is not False]
        x.json = {**x.json, "Resources": kept, "totalResults": len(kept)}


@defect("ATT-14", "a PUT that does not name active switches somebody off")
def put_switches_off(x):
    if x.method == "PUT" and x.path.startswith("/Users/") and isinstance(x.body, dict) and "active" not in x.body:
        x.body = {**x.body, "active": False}


# ---------------------------------------------------------------- between tenants and clients

def own_token(x):
    """The server takes every known token for the one of the first tenant."""
    if x.proxy.foreign and x.proxy.foreign in x.headers.get("Authorization", ""):
        x.headers["Authorization"] = "Bearer " + x.proxy.token


def foreign(x):
    return x.proxy.foreign and x.proxy.foreign in x.headers.get("Authorization", "")


asked("TEN-03 foreign", "names are unique over all tenants", ANY, own_token)
asked("TEN-04 foreign", "other tenants read what they know the id of", "GET " + ONE, own_token)
asked("TEN-04 foreign", "other tenants delete what they know the id of", "DELETE .*", own_token)
asked("TEN-04 foreign", "other tenants change what they know the id of", "(PUT|PATCH) .*", own_token)
asked("TEN-04 foreign", "other tenants find everybody", "GET /Users", own_token)
answered("TEN-04 foreign", "other tenants hear that somebody is there", "GET " + ONE, lambda x: foreign(x) and x.error(403), 404)
asked("CUR-12 foreign", "a cursor works for everybody", "GET /Users", lambda x: x.query.get("cursor") and own_token(x))
told("CUR-14 foreign", "the error tells that the cursor is somebody's", ANY, lambda v: v.update(detail=f"cursor of another tenant {id(v)}"), 400)
asked("RES-14 second", "externalId is shared by all clients", "GET /Users", lambda x: x.proxy.second and "externalId" in x.query.get("filter", "")
      and x.headers.update(Authorization="Bearer " + x.proxy.token))
