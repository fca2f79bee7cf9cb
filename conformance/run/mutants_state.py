"""Defects in what is found and what is done (checklist groups 6 to 16, 20 to 22)."""
import json
import re
import unicodedata

from mutants_list import ENT, MSG, ONE, TYPE, USER, answered, asked, becomes, defect, told

LISTS = r"GET " + TYPE
ANY = r".*"


def filters(requirement, says, edit):
    """A filter is understood as another one, in GET and in a search."""
    def change(x):
        if "filter" in x.query:
            x.query["filter"] = edit(x.query["filter"])
        elif x.path.endswith("/.search") and isinstance(x.body, dict) and "filter" in x.body:
            x.body = {**x.body, "filter": edit(x.body["filter"])}
    asked(requirement, says, ANY, change)


def refuses(requirement, says, pattern):
    """Filters that the pattern finds are refused."""
    asked(requirement, says, ANY, lambda x: re.search(pattern, x.query.get("filter", "")) and x.error(400, "invalidFilter"))


def rows(requirement, says, edit):
    """The rows of a list are others: `edit` gives them, of the exchange and the rows."""
    def change(x):
        value = x.json
        if isinstance(value, dict) and "Resources" in value:
            kept = edit(x, value["Resources"])
            x.json = {**value, "Resources": kept, "totalResults": value["totalResults"] - len(value["Resources"]) + len(kept)}
    answered(requirement, says, LISTS, change)


# ---------------------------------------------------------------- 6 create

@defect("CRE-05", "a second create of one name answers with the first person")
def adopts(x):
    x.pass_on()
    if x.method == "POST" and x.path == "/Users" and x.status == 409:
        name = next(v for k, v in x.body.items() if k.lower() == "username")
        _, _, data = x.ask("GET", "/Users", query={"filter": f'userName eq "{name}"'})
        found = json.loads(data)["Resources"][0]
        x.answer(201, found, Location=found["meta"]["location"])


@defect("CRE-06", "an empty userName is taken")
def empty_name(x):
    if x.method == "POST" and isinstance(x.body, dict) and x.body.get("userName") == "":
        x.body = {**x.body, "userName": f"empty{id(x)}"}


@defect("CRE-06", "a missing userName is made up")
def no_name(x):
    if x.method == "POST" and x.path == "/Users" and isinstance(x.body, dict) and not any(k.lower() == "username" for k in x.body):
        x.body = {**x.body, "userName": f"made-up-{id(x)}"}


@defect("CRE-07", "the name of somebody deleted stays taken")
def taken_for_ever(x):
    gone = x.proxy.memory.setdefault("gone", set())
    if x.method == "DELETE":
        gone.add(x.get(x.path).get("userName"))
    if x.method == "POST" and isinstance(x.body, dict) and x.body.get("userName") in gone - {None}:
        x.error(409, "uniqueness")


asked("CRE-08", "a create does not look at attributes", "POST .*",
      lambda x: (x.query.pop("attributes", 0), x.query.pop("excludedAttributes", 0)))


@defect("CRE-10", "names are not prepared before they are compared")
def unprepared(x):
    if x.method == "POST" and isinstance(x.body, dict):
        name = x.body.get("userName", "")
        if isinstance(name, str) and unicodedata.normalize("NFC", name) != name:
            x.body = {**x.body, "userName": "nfd" + name.encode().hex()}


@defect("CRE-11", "of two creates at once both succeed")
def both_succeed(x):
    x.pass_on()
    if x.method == "POST" and x.status == 409:
        x.answer(201, {**x.body, "id": "00000000-0000-7000-8000-000000000000"}, Location="/Users/none")


# ---------------------------------------------------------------- 7 read

@defect("GET-01", "a user is found among the groups")
def among_groups(x):
    x.pass_on()
    if x.method == "GET" and x.path.startswith("/Groups/") and x.status == 404:
        x.status, x.answer_headers, x.data = x.ask("GET", x.path.replace("/Groups/", "/Users/"))


# ---------------------------------------------------------------- 8 query and filter

told("QRY-01", "a list has no totalResults", LISTS, lambda v: v.pop("totalResults"))
told("QRY-01", "a list has another schema", LISTS, lambda v: v.update(schemas=["urn:scim:schemas:core:1.0"]))
answered("QRY-02", "no match is 404", LISTS, lambda x: x.json["totalResults"] == 0 and x.error(404))
told("QRY-03", "a page does not say where it starts", LISTS, lambda v: v.pop("startIndex", 0))
told("QRY-03", "a page does not say how long it is", LISTS, lambda v: v.pop("itemsPerPage", 0))
becomes("QRY-04", "the root knows nothing but users", r"(GET /|POST /\.search)", lambda v: {
    **v, "Resources": [r for r in v.get("Resources", []) if r.get("meta", {}).get("resourceType") != "Group"]})
asked("QRY-06", "filters are not looked at", ANY, lambda x: x.query.pop("filter", 0))
filters("FLT-01", "co is understood as eq", lambda f: re.sub(r"(?i)\bco\b", "eq", f))
filters("FLT-01", "sw is understood as co", lambda f: re.sub(r"(?i)\bsw\b", "co", f))
filters("FLT-01", "ew is understood as co", lambda f: re.sub(r"(?i)\bew\b", "co", f))
filters("FLT-01", "ge is understood as gt", lambda f: re.sub(r"\bge\b", "gt", f))
filters("FLT-01", "ne is understood as eq", lambda f: re.sub(r"\bne\b", "eq", f))
filters("FLT-01", "or is understood as and", lambda f: re.sub(r"\bor\b", "and", f))
filters("FLT-01", "not is not looked at", lambda f: re.sub(r"\bnot ?\(", "(", f))
refuses("FLT-01", "operators have to be written small", r" (EQ|Eq|AND|CO|PR)\b")
refuses("FLT-02", "names have to be written as in the schema", r"USERNAME|username ")
filters("FLT-03", "or binds as and does, from left to right",
        lambda f: re.sub(r"^(.*) or (.*) and (.*)$", r"(\1 or \2) and \3", f) if "(" not in f else f)
refuses("FLT-04", "not needs a space before its parenthesis", r"not\(")
filters("FLT-05", "escapes in literals are not understood", lambda f: re.sub(r"\\u[0-9a-f]{4}", "?", f))
filters("FLT-05", "an escaped quotation mark ends the text", lambda f: f.replace('\\"', ""))
refuses("FLT-06", "a URN before a name is not understood", r"urn:ietf:params:scim:schemas:core")
refuses("FLT-06", "attributes of extensions cannot be filtered", r"urn:ietf:params:scim:schemas:extension")
filters("FLT-07", "terms in brackets may hold for different values",
        lambda f: re.sub(r'emails\[type eq ("[^"]*") and value (\w\w) ("[^"]*")\]', r"(emails.type eq \1 and emails.value \2 \3)", f))
refuses("FLT-08", "there is no or in brackets", r"\[[^\]]* or ")


@defect("FLT-09", "of several values the first alone is looked at")
def first_value(x):
    x.pass_on()
    if "emails" in x.query.get("filter", "") and x.status == 200:
        wanted = re.findall(r'"([^"]*)"', x.query["filter"])
        value = x.json
        kept = [r for r in value["Resources"] if any(w in json.dumps((r.get("emails") or [{}])[0]) for w in wanted)]
        x.json = {**value, "Resources": kept, "totalResults": len(kept)}


refuses("FLT-10", "a multi-valued attribute needs .value", r"\bemails (co|eq)")
filters("FLT-10", "name without a part is its formatted name", lambda f: re.sub(r"\bname (eq|co)", r"name.formatted \1", f))
refuses("FLT-11", "brackets need an attribute of their own", r"\[value ")
filters("FLT-12", "pr holds for everybody", lambda f: re.sub(r"\b(title|nickName|emails|name) pr\b", "id pr", f))
filters("FLT-13", "an order of booleans is taken", lambda f: re.sub(r"active (gt|ge|lt|le) (true|false)", "active pr", f))
filters("FLT-14", "instants are compared as texts", lambda f: re.sub(r"(meta\.\w+ ge \"[^\"]*)(\+02:00)\"", r'\1Z"', f))


@defect("FLT-15", "case counts in userName")
def case_counts(x):
    x.pass_on()
    found = re.search(r'userName eq "([^"]*)"', x.query.get("filter", ""))
    if found and x.status == 200:
        value = x.json
        kept = [r for r in value.get("Resources", []) if r.get("userName") == found[1]]
        x.json = {**value, "Resources": kept, "totalResults": len(kept)}


filters("FLT-15", "case does not count in id", lambda f: re.sub(r'\bid eq "([^"]*)"', lambda m: f'id eq "{m[1].lower()}"', f))


@defect("FLT-16", "a filter that cannot be read finds everybody")
def finds_everybody(x):
    x.pass_on()
    if "filter" in x.query and x.status == 400:
        x.query.pop("filter")
        x.pass_on()


answered("FLT-16", "a filter that cannot be read is our fault", LISTS, lambda x: "filter" in x.query and x.error(500), 400)
answered("FLT-16", "a filter that cannot be read finds nobody", LISTS, lambda x: "filter" in x.query and x.answer(
    200, {"schemas": [MSG + "ListResponse"], "totalResults": 0, "Resources": []}), 400)
filters("FLT-20", "active of a filter is not active of the body", lambda f: f.replace("active eq true", 'active eq false'))
refuses("FLT-21", "schemas cannot be filtered", r"\bschemas\b")
filters("FLT-22", "the password can be guessed by its beginning", lambda f: re.sub(r"password (sw|co|eq|gt) \"[^\"]*\"", "id pr", f))
asked("FLT-23", "operands are not prepared", ANY,
      lambda x: x.query.get("filter", "") != unicodedata.normalize("NFC", x.query.get("filter", ""))
      and x.query.update(filter='id eq "none"'))
filters("FLT-25", "% stands for anything", lambda f: re.sub(r'(userName|displayName) co "%"', r"\1 pr", f))
filters("FLT-25", "_ stands for any letter", lambda f: re.sub(r'(\w+) (co|eq) "[^"]*_[^"]*"', r"\1 pr", f))
asked("FLT-26", "a deep filter is our fault", ANY, lambda x: x.query.get("filter", "").count("(") > 500 and x.error(500))

# ---------------------------------------------------------------- 9 sort, 10 pages by index

asked("SRT-01", "sortBy is not looked at", ANY, lambda x: x.query.pop("sortBy", 0))
asked("SRT-02", "sortOrder is not looked at", ANY, lambda x: x.query.pop("sortOrder", 0))
rows("SRT-03", "capitals come first", lambda x, found: sorted(found, key=lambda r: r.get("displayName") or r.get("title") or "~")
     if "sortBy" in x.query else found)
rows("SRT-04", "of several values the first decides, not the primary one",
     lambda x, found: sorted(found, key=lambda r: (r.get("emails") or [{}])[0].get("value", "~")) if "emails" in x.query.get("sortBy", "") else found)
asked("SRT-05", "a complex attribute is sorted by nothing", ANY, lambda x: x.query.get("sortBy") == "name" and x.query.pop("sortBy"))
rows("SRT-06", "who has no value comes first", lambda x, found: sorted(found, key=lambda r: x.query.get("sortBy") in r)
     if "sortBy" in x.query and "sortOrder" not in x.query else found)
asked("SRT-07", "a page begins with the last row of the page before", LISTS, lambda x: "sortBy" in x.query
      and int(x.query.get("startIndex", 1)) > 1 and x.query.update(startIndex=str(int(x.query["startIndex"]) - 1)))
asked("PAG-01", "startIndex 0 is refused", ANY, lambda x: x.query.get("startIndex") in ("0", "-1") and x.error(400, "invalidValue"))
asked("PAG-01", "startIndex counts from 0", ANY,
      lambda x: "startIndex" in x.query and x.query.update(startIndex=str(int(x.query["startIndex"]) + 1)))
asked("PAG-02", "a negative count is refused", ANY, lambda x: x.query.get("count", "").startswith("-") and x.error(400, "invalidValue"))
asked("PAG-02", "a negative count is no count", ANY, lambda x: x.query.get("count", "").startswith("-") and x.query.pop("count"))
asked("PAG-03", "count 0 is no count", ANY, lambda x: x.query.get("count") == "0" and x.query.pop("count"))
told("PAG-03", "with count 0 nothing is counted", LISTS, lambda v: v.get("itemsPerPage") == 0 and v.update(totalResults=0))
asked("PAG-04", "count is not looked at", ANY, lambda x: x.query.pop("count", 0))
told("PAG-05", "totalResults is the length of the page", LISTS, lambda v: v.update(totalResults=len(v.get("Resources", []))))


@defect("PAG-06", "itemsPerPage is what was asked for")
def items_asked(x):
    x.pass_on()
    if x.status == 200 and isinstance(x.json, dict) and "itemsPerPage" in x.json:
        x.json = {**x.json, "itemsPerPage": int(x.query.get("count", x.json["itemsPerPage"]))}


told("PAG-06", "startIndex is always 1", LISTS, lambda v: v.update(startIndex=1))
told("PAG-06", "numbers are texts", LISTS, lambda v: v.update(totalResults=str(v["totalResults"])))
asked("PAG-07", "a page past the end is 404", LISTS, lambda x: int(x.query.get("startIndex", 1)) > 10000 and x.error(404))

# ---------------------------------------------------------------- 11 cursors, 12 search

told("CUR-01", "cursors hold signs that addresses do not", ANY,
     lambda v: "nextCursor" in v and v.update(nextCursor=v["nextCursor"] + "+/="))
told("CUR-02", "the last page has a cursor, too", ANY,
     lambda v: "nextCursor" not in v and "totalResults" in v and v.update(nextCursor="again"))
told("CUR-02", "no page has a cursor", ANY, lambda v: v.pop("nextCursor", 0))
told("CUR-03", "the first page has a previousCursor", ANY, lambda v: "nextCursor" in v and v.update(previousCursor=v["nextCursor"]))
asked("CUR-04", "count is not looked at beside a cursor", ANY, lambda x: "cursor" in x.query and x.query.pop("count", 0))
asked("CUR-05", "another filter beside a cursor is not looked at", ANY,
      lambda x: x.query.get("cursor") and x.query.update(filter="userName pr"))
answered("CUR-07", "a bad cursor starts from the beginning", ANY,
         lambda x: x.query.get("cursor") and (x.query.update(cursor=""), x.pass_on()), 400)
told("CUR-07", "a bad cursor is an invalid value", ANY, lambda v: v.update(scimType="invalidValue"), 400)
asked("CUR-08", "pages by cursor are not sorted", ANY, lambda x: "cursor" in x.query and x.query.pop("sortBy", 0))
answered("CUR-13", "a forged cursor is taken", ANY, lambda x: x.query.get("cursor") and (x.query.update(cursor=""), x.pass_on()), 400)
asked("SEA-01", "there is no search", r"POST .*/\.search", lambda x: x.error(404))
asked("SEA-01", "there is no search over all types", r"POST /\.search", lambda x: x.error(405))


@defect("SEA-02", "the schema of a search does not matter")
def any_search(x):
    if x.path.endswith("/.search") and isinstance(x.body, dict):
        x.body = {**x.body, "schemas": [MSG + "SearchRequest"]}


@defect("SEA-03", "a search does not look at its filter")
def search_all(x):
    if x.path.endswith("/.search") and isinstance(x.body, dict):
        x.body = {k: v for k, v in x.body.items() if k != "filter"}


@defect("SEA-03", "a search does not sort")
def search_unsorted(x):
    if x.path.endswith("/.search") and isinstance(x.body, dict):
        x.body = {k: v for k, v in x.body.items() if k not in ("sortBy", "count")}


answered("SEA-04", "a search answers 201", r"POST .*/\.search", lambda x: setattr(x, "status", 201))


@defect("SEA-05", "members of another type are dropped")
def search_types(x):
    if x.path.endswith("/.search") and isinstance(x.body, dict):
        x.body = {k: v for k, v in x.body.items() if not (k in ("count", "startIndex") and not isinstance(v, int))}


# ---------------------------------------------------------------- 13 PUT

PUT = "PUT " + ONE
asked("PUT-01", "there is no PUT", PUT, lambda x: x.error(501))


@defect("PUT-02", "PUT changes nothing")
def put_nothing(x):
    if x.method == "PUT" and x.get(x.path):
        x.answer(200, {**x.get(x.path), **x.body})


@defect("PUT-03", "PUT merges")
def put_merges(x):
    if x.method == "PUT" and isinstance(x.body, dict) and x.get(x.path):
        x.body = {**x.get(x.path), **x.body}


@defect("PUT-04", "null leaves the value as it is")
def put_null(x):
    if x.method == "PUT" and isinstance(x.body, dict):
        x.body = {**x.body, **{k: x.get(x.path)[k] for k, v in x.body.items() if v in (None, []) and k in x.get(x.path)}}


asked("PUT-05", "an id in a PUT is refused", PUT, lambda x: "id" in (x.body or {}) and x.error(400, "mutability"))
asked("PUT-05", "groups in a PUT are refused", PUT, lambda x: "groups" in (x.body or {}) and x.error(400, "mutability"))


@defect("PUT-07", "a missing userName stays as it is")
def put_no_name(x):
    if x.method == "PUT" and x.path.startswith("/Users/") and isinstance(x.body, dict) and "userName" not in x.body:
        x.body = {**x.body, "userName": x.get(x.path).get("userName")}


answered("PUT-08", "PUT answers 204", PUT, lambda x: setattr(x, "status", 204))
becomes("PUT-08", "PUT answers the id alone", PUT, lambda v: {"schemas": v["schemas"], "id": v["id"]})
answered("PUT-09", "a PUT to nobody answers 200", PUT, lambda x: x.answer(200, x.body), 404)
answered("PUT-10", "a clash in a PUT is 400", PUT, lambda x: x.error(400, "invalidValue"), 409)


@defect("PUT-10", "a group is in conflict with itself")
def own_conflict(x):
    if x.method == "PUT" and x.path.startswith("/Groups/") and x.get(x.path).get("displayName") == (x.body or {}).get("displayName"):
        x.error(409, "uniqueness")


@defect("PUT-12", "PUT keeps the extension it does not name")
def keeps_extension(x):
    if x.method == "PUT" and isinstance(x.body, dict) and ENT in x.get(x.path) and ENT not in x.body:
        x.body = {**x.body, "schemas": [USER, ENT], ENT: x.get(x.path)[ENT]}
