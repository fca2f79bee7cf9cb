"""Seeded defects: habits of servers in the field, most of them silent. They say 200 and do less, or more, than was asked."""
import json
import re

from mutants_list import COLLECTION, DEFECTS, ENT, ONE, Defect, defect, each, fits, told


def as_if_done(x):
    """Answers a change as if it had been made."""
    status, headers, data = x.ask("GET", x.path)
    x.status, x.answer_headers, x.data = status, headers, data


def patched(requirement, says, change, kind=ONE):
    """`change` gives the operations that take the place of one; of none that is left the change is done in silence."""
    def breaks(x):
        body = x.body
        if not fits(x, "PATCH " + kind) or not isinstance(body, dict) or not isinstance(body.get("Operations"), list):
            return
        done = [new for op in body["Operations"] for new in (change(op) if isinstance(op, dict) else [op])]
        if done != body["Operations"]:
            if done:
                x.body = {**body, "Operations": done}
            else:
                as_if_done(x)
    DEFECTS.append(Defect(requirement, says, breaks))


def verb(op):
    return str(op.get("op", "")).lower()


def path(op):
    return op["path"] if isinstance(op.get("path"), str) else ""


def unless(when):
    """Leaves an operation away."""
    return lambda op: [] if when(op) else [op]


def filtered(requirement, says, pattern, put, kind=COLLECTION):
    """The filter of a query, with what fits the pattern put otherwise."""
    def breaks(x):
        if fits(x, "GET " + kind) and "filter" in x.query:
            x.query["filter"] = re.sub(pattern, put, x.query["filter"], flags=re.I)
    DEFECTS.append(Defect(requirement, says, breaks))


def sent(requirement, says, change, when):
    """`change` edits the body that was sent, in place."""
    def breaks(x):
        body = x.body
        if fits(x, when) and isinstance(body, dict):
            change(body)
            x.body = body
    DEFECTS.append(Defect(requirement, says, breaks))


# ---------------------------------------------------------------- who is let in

def let_in(says, when):
    def breaks(x):
        if when(x, x.headers.get("Authorization", "")):
            x.headers["Authorization"] = "Bearer " + x.proxy.token
    DEFECTS.append(Defect("AUT-02", says, breaks))


let_in("PUT asks for no token", lambda x, auth: x.method == "PUT" and not auth)
let_in("bulk asks for no token", lambda x, auth: x.path == "/Bulk" and not auth)
let_in("a search asks for no token", lambda x, auth: x.path.endswith("/.search") and not auth)
let_in("creating a group asks for no token", lambda x, auth: x.method == "POST" and x.path == "/Groups" and not auth)
let_in("reading asks for no token", lambda x, auth: x.method == "GET" and not auth)
let_in("the beginning of a token is enough", lambda x, auth: len(auth) > 12 and ("Bearer " + x.proxy.token).startswith(auth))
let_in("a token with more behind it is taken", lambda x, auth: auth.startswith("Bearer " + x.proxy.token))
let_in("an empty token is taken", lambda x, auth: auth.strip().lower() == "bearer")

# ---------------------------------------------------------------- what is told

told("DIS-15", "a schema alone says that it is a schema in another case", r"GET /Schemas/.+", lambda v: v["meta"].update(resourceType="schema"))


@defect("DIS-18", "an extension that is shown is not announced")
def _(x):
    x.pass_on()
    if fits(x, r"GET /ResourceTypes(/.+)?") and x.status == 200:
        value = x.json
        for row in value.get("Resources", [value]):
            row.pop("schemaExtensions", None)
        x.json = value


@defect("HTT-02 should", "errors are application/json")
def _(x):
    x.pass_on()
    if x.status >= 400:
        x.answer_headers = {k: v for k, v in x.answer_headers.items() if k.lower() != "content-type"}
        x.answer_headers["Content-Type"] = "application/json"


each("ATT-16", "a list of one is the one", lambda r: r.update(emails=r["emails"][0]) if len(r.get("emails", [])) == 1 else None)
each("ATT-25", "a member alone is no list", lambda r: r.update(members=r["members"][0]) if len(r.get("members", [])) == 1 else None)
each("ATT-21", "whoever is in a group by another is called a direct member", lambda r: [g.update(type="direct") for g in r.get("groups", [])])


@defect("PRJ-02", "meta is not shown when it is named")
def _(x):
    names = x.query.get("attributes", "").split(",")
    if any(name.lower().startswith("meta") for name in names):
        x.query["attributes"] = ",".join(n for n in names if not n.lower().startswith("meta")) or "id"


# ---------------------------------------------------------------- queries

filtered("FLT-08", "what follows brackets is ignored", r"\]\s+(and|or) .*$", "]")
filtered("FLT-12", "a complex attribute is always present", r"\bname pr\b", "id pr")
filtered("FLT-25 must", "a percent sign is a wildcard", r' eq "([^"%]*)%[^"]*"', r' sw "\1"')


@defect("QRY-06", "the filter is ignored from page to page")
def _(x):
    if fits(x, "GET " + COLLECTION) and "startIndex" in x.query:
        x.query.pop("filter", None)


@defect("QRY-06", "the filter is ignored when there is an order")
def _(x):
    if fits(x, "GET " + COLLECTION) and "sortBy" in x.query:
        x.query.pop("filter", None)


def unsorted(says, when):
    def breaks(x):
        if fits(x, "GET " + COLLECTION) and when(x.query.get("sortBy", "")):
            x.query.pop("sortBy")
            x.query.pop("sortOrder", None)
    DEFECTS.append(Defect("SRT-01", says, breaks))


unsorted("an order by an attribute with its URN is ignored", lambda by: by.lower().startswith("urn:"))
unsorted("an order by a name in another case is ignored", lambda by: by == "DISPLAYNAME")
unsorted("an order by an instant is ignored", lambda by: by.startswith("meta."))


@defect("SRT-07 must", "each page is sorted alone")
def _(x):
    if not fits(x, "GET " + COLLECTION) or not {"sortBy", "count"} <= set(x.query):
        return
    by, down = x.query.pop("sortBy"), x.query.pop("sortOrder", "") == "descending"
    x.pass_on()
    value = x.json
    if x.status == 200 and value.get("Resources"):
        value["Resources"].sort(key=lambda r: str(r.get(by, "")).lower(), reverse=down)
        x.json = value


@defect("CUR-05", "attributes are those of the first page alone")
def _(x):
    if fits(x, "GET " + COLLECTION) and x.query.get("cursor"):
        x.query.pop("attributes", None)


# ---------------------------------------------------------------- PUT and DELETE

sent("PUT-02", "an extension is ignored", lambda b: b.pop(ENT, None), r"PUT /Users/[^/]+")


@defect("PUT-07 should", "a group without a name keeps its name")
def _(x):
    body = x.body
    if fits(x, r"PUT /Groups/[^/]+") and isinstance(body, dict):
        body.setdefault("displayName", x.get(x.path).get("displayName"))
        x.body = body


@defect("DEL-02", "a group is not deleted")
def _(x):
    if fits(x, r"DELETE /Groups/[^/]+") and x.get(x.path):
        x.answer(204)


# ---------------------------------------------------------------- PATCH

patched("PAT-02", "an operation in capitals is done in silence", unless(lambda op: op.get("op") not in ("add", "remove", "replace") and verb(op) in ("add", "remove", "replace")))
patched("PAT-19", "removing a part takes the whole away", lambda op: [{**op, "path": path(op).split(".")[0]}] if verb(op) == "remove" and re.fullmatch(r"\w+\.\w+", path(op)) else [op])
patched("PAT-22 must", "members that are named for removal stay, in silence", unless(lambda op: verb(op) == "remove" and op.get("value")))
patched("PAT-25", "a part of an extension clears the others", lambda op: [{"op": "remove", "path": ENT}, op] if path(op).startswith(ENT + ":") and verb(op) == "replace" else [op])


@defect("PAT-04", "removals are done first")
def _(x):
    body = x.body
    if fits(x, "PATCH " + ONE) and isinstance(body, dict) and isinstance(body.get("Operations"), list):
        body["Operations"].sort(key=lambda op: not isinstance(op, dict) or verb(op) != "remove")
        x.body = body


@defect("PAT-05", "operations that fail are passed over")
def _(x):
    body = x.body
    if not fits(x, "PATCH " + ONE) or not isinstance(body, dict) or len(body.get("Operations") or []) < 2:
        return
    done = None
    for op in body["Operations"]:
        answer = x.ask("PATCH", x.path, json.dumps({**body, "Operations": [op]}).encode(), x.query, x.headers)
        done = answer if answer[0] < 300 else done or answer
    x.status, x.answer_headers, x.data = done


@defect("PAT-11", "the URN of an extension in another case is unknown")
def _(x):
    body = x.body
    if fits(x, "PATCH " + ONE) and isinstance(body, dict):
        paths = [path(op) for op in body.get("Operations") or [] if isinstance(op, dict)]
        if any(p.lower().startswith(ENT.lower()) and not p.startswith(ENT) for p in paths):
            x.error(400, "invalidPath")


patched("ATT-14", "who was switched off is never switched on again", unless(lambda op: path(op) == "active" and op.get("value") is True))
patched("PAT-19", "of a filter of two terms the first alone counts", lambda op: [{**op, "path": re.sub(r"\[(.*?) (and|or) .*?\]", r"[\1]", path(op))}] if "[" in path(op) else [op])


@defect("HTT-17", "an operation is read in one order alone")
def _(x):
    body = x.body
    if fits(x, "PATCH " + ONE) and isinstance(body, dict):
        if any(isinstance(op, dict) and list(op)[:1] == ["value"] for op in body.get("Operations") or []):
            x.error(400, "invalidSyntax")


patched("PAT-24", "the name of a group stays, in silence", unless(lambda op: path(op) == "displayName" and verb(op) == "replace"), r"/Groups/[^/]+")
patched("ATT-02", "a change of externalId is done in silence", unless(lambda op: path(op) == "externalId"))


@defect("PAT-11", "a filter in a path looks at case")
def _(x):
    body = x.body
    if fits(x, "PATCH " + ONE) and isinstance(body, dict):
        if any('eq "WORK"' in path(op) for op in body.get("Operations") or [] if isinstance(op, dict)):
            x.error(400, "noTarget")
