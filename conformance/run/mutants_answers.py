"""Defects in discovery, HTTP, authentication and the form of what is told (checklist groups 1 to 7, 18, 19)."""
import json

from mutants_list import ENT, GROUP, MSG, ONE, TYPE, USER, answered, asked, becomes, defect, each, headers, told

ANY = r".*"
SPC, SCHEMAS, TYPES = "GET /ServiceProviderConfig", "GET /Schemas", "GET /ResourceTypes"


def first_attribute(kind):
    """An edit that spoils the first attribute definition that fits, anywhere in /Schemas."""
    def find(definitions, wanted):
        for a in definitions:
            if wanted(a):
                return a
            if inner := find(a.get("subAttributes", []), wanted):
                return inner
        return None

    def edit(wanted, spoil):
        def change(value):
            for schema in value.get("Resources", [value]):
                if hit := find(schema.get("attributes", []), wanted):
                    spoil(hit)
                    return
        return change
    return edit(*kind)


def listed(value, total=None):
    return {"schemas": [MSG + "ListResponse"], "totalResults": total or 1, "Resources": [value]}


# ---------------------------------------------------------------- 1 discovery

becomes("DIS-01", "the configuration comes wrapped in a list", SPC, listed)
told("DIS-01", "the configuration has no schema", SPC, lambda v: v.pop("schemas"))
told("DIS-02", "the configuration says nothing about sorting", SPC, lambda v: v.pop("sort"))
told("DIS-02", "`supported` is a string", SPC, lambda v: v["patch"].update(supported="true"))
told("DIS-03", "filter has no maxResults", SPC, lambda v: v["filter"].pop("maxResults"))
told("DIS-03", "bulk.maxOperations is a string", SPC, lambda v: v["bulk"].update(maxOperations="100"))
told("DIS-04", "an authentication scheme has no description", SPC, lambda v: v["authenticationSchemes"][0].pop("description"))
told("DIS-04", "an authentication scheme of an unknown type", SPC, lambda v: v["authenticationSchemes"][0].update(type="bearer"))
asked("DIS-05", "discovery needs credentials", SPC, lambda x: "Authorization" in x.headers or x.error(401))
asked("DIS-06", "the configuration can be replaced", "PUT /ServiceProviderConfig", lambda x: x.answer(200, x.body))
told("DIS-07", "PATCH is announced as unsupported, and works", SPC, lambda v: v["patch"].update(supported=False))
becomes("DIS-08", "/Schemas is a bare array", SCHEMAS, lambda v: v["Resources"])
told("DIS-08", "totalResults of /Schemas is one too many", SCHEMAS, lambda v: v.update(totalResults=v["totalResults"] + 1))
becomes("DIS-09", "one schema comes as a list", r"GET /Schemas/.+", listed)
answered("DIS-09", "an unknown schema is an empty object", r"GET /Schemas/.+", lambda x: x.answer(200, {}), 404)
told("DIS-10", "the schema of the enterprise extension is missing", SCHEMAS, lambda v: v.update(
    Resources=[s for s in v["Resources"] if s["id"] != ENT], totalResults=v["totalResults"] - 1))
told("DIS-11", "/Schemas lists a message", SCHEMAS, lambda v: v.update(
    Resources=v["Resources"] + [{**v["Resources"][0], "id": MSG + "PatchOp"}], totalResults=v["totalResults"] + 1))
told("DIS-12", "an attribute has no mutability", SCHEMAS, first_attribute((lambda a: True, lambda a: a.pop("mutability", 0))))
told("DIS-12", "a sub-attribute has no type", SCHEMAS, first_attribute((lambda a: a["name"] == "givenName", lambda a: a.pop("type"))))
told("DIS-13", "a complex attribute lists nothing", SCHEMAS,
     first_attribute((lambda a: a.get("type") == "complex", lambda a: a.pop("subAttributes"))))
told("DIS-14", "a reference does not say to what", SCHEMAS,
     first_attribute((lambda a: a.get("type") == "reference", lambda a: a.pop("referenceTypes"))))
told("DIS-15", "a schema has no meta", SCHEMAS, lambda v: v["Resources"][0].pop("meta"))
asked("DIS-16", "a schema can be deleted", r"DELETE /Schemas/.+", lambda x: x.answer(204))
becomes("DIS-17", "one resource type comes as a list", r"GET /ResourceTypes/User", listed)
told("DIS-18", "an extension does not say whether it is required", TYPES,
     lambda v: [e.pop("required") for r in v["Resources"] for e in r.get("schemaExtensions", [])])
told("DIS-18", "a resource type names a schema that is not there", TYPES, lambda v: v["Resources"][0].update(schema="urn:x:User"))
each("DIS-19", "meta.resourceType is the path", lambda r: r.get("meta", {}).update(resourceType="Users"))
told("DIS-20", "the endpoint of groups leads nowhere", TYPES,
     lambda v: [r.update(endpoint="/Teams") for r in v["Resources"] if r["name"] == "Group"])
asked("DIS-21", "a filter of schemas is ignored", SCHEMAS, lambda x: x.query.pop("filter", None))
told("DIS-22", "resource types are cut by count", TYPES, lambda v: v.update(Resources=v["Resources"][:1]))
told("DIS-25", "the paging announced has no default", SPC, lambda v: v["pagination"].pop("cursor", 0))
told("DIS-26", "securityEvents has an unknown way of asking", SPC, lambda v: v["securityEvents"].update(asyncRequest="maybe"))


# ---------------------------------------------------------------- 2 HTTP

answered("HTT-01", "letters beyond ASCII are lost", "GET " + ONE, lambda x: setattr(
    x, "data", json.dumps(x.json, ensure_ascii=False).encode("ascii", "replace")))
headers("HTT-02", "application/scim+json is answered with text/plain", ANY, lambda h: h.update({"content-type": "text/plain"}))
asked("HTT-03", "application/json is not acceptable", ANY, lambda x: x.headers.get("Accept") == "application/json" and x.error(406))
headers("HTT-04", "without Accept the answer is application/json", ANY, lambda h: h.update({"content-type": "application/json"}))
asked("HTT-05", "a body of application/json is refused", "POST /Users",
      lambda x: x.headers.get("Content-Type", "").startswith("application/json") and x.error(415))
asked("HTT-05", "a charset is refused", "POST /Users", lambda x: "charset" in x.headers.get("Content-Type", "") and x.error(415))
asked("HTT-06", "the type of the body does not matter", "POST /Users", lambda x: x.headers.update({"Content-Type": "application/scim+json"}))
asked("HTT-08", "unknown query parameters are refused", ANY, lambda x: set(x.query) - {
    "filter", "attributes", "excludedAttributes", "count", "startIndex", "sortBy", "sortOrder", "cursor"} and x.error(400))


@defect("HTT-09", "PUT creates")
def put_creates(x):
    x.pass_on()
    if x.method == "PUT" and x.status == 404:
        x.answer(201, {**x.body, "id": x.path.split("/")[2]})


@defect("HTT-10", "any version is served")
def any_version(x):
    if "/v9/" in x.path:
        x.base = x.proxy.back.path
        x.answer(*(lambda got: (got[0], json.loads(got[2])))(x.ask("GET", "/Users")))


@defect("HTT-13", "methods that are not there answer 200")
def unknown_method(x):
    x.pass_on()
    if x.status == 501:
        x.answer(200, {})


asked("HTT-14", "deleting all users answers 200", "DELETE /Users", lambda x: x.answer(200, {}))
KNOWN = {"schemas", "username", "displayname", "externalid", "title", "name", "emails", "active", "id", "meta", "members"}
asked("HTT-15", "names in another case are dropped", "(POST|PUT) .*", lambda x: isinstance(x.body, dict) and setattr(x, "body", {
    k: v for k, v in x.body.items() if not (k.lower() in KNOWN and k == k.upper())}))


@defect("HTT-16", "of two equal names the last counts")
def last_name_counts(x):
    if x.method == "POST" and isinstance(x.body, dict):
        x.body = {k if k != k.upper() else "userName": v for k, v in x.body.items()}


asked("HTT-17", "schemas has to come first", "POST /Users",
      lambda x: isinstance(x.body, dict) and next(iter(x.body), "schemas") != "schemas" and x.error(400, "invalidSyntax"))


@defect("HTT-18", "the answer to a create is an echo of the request")
def echo(x):
    x.pass_on()
    if x.method in ("POST", "PUT") and x.status in (200, 201) and isinstance(x.body, dict):
        x.json = {**x.json, **x.body}


answered("HTT-19", "a body that is too deep is our fault", "POST /Users", lambda x: b"[[[[[[[[" in x.raw and x.error(500), range(400, 500))


# ---------------------------------------------------------------- 3 authentication

headers("AUT-01", "401 has no WWW-Authenticate", ANY, lambda h: h.pop("www-authenticate", 0), 401)


@defect("AUT-02", "every token has all rights")
def every_token(x):
    if x.headers.get("Authorization", "").lower().startswith("bearer"):
        x.headers["Authorization"] = "Bearer " + x.proxy.token


answered("AUT-04", "401 has a page for people", ANY, lambda x: (
    x.answer_headers.update({"content-type": "text/html"}), setattr(x, "data", b"<h1>no</h1>")), 401)
asked("AUT-05", "the word Bearer has to be written so", ANY,
      lambda x: x.headers.get("Authorization", "Bearer").split()[0] == "Bearer" or x.error(401))
headers("AUT-06", "the challenge is of another scheme", ANY, lambda h: h.update({"www-authenticate": "Token"}), 401)
headers("AUT-07", "who sent no token hears that it is invalid", ANY,
        lambda h: h.update({"www-authenticate": 'Bearer realm="x", error="invalid_token"'}), 401)
answered("AUT-08", "an unknown token is forbidden, not unauthorised", ANY, lambda x: x.error(403), 401)
headers("AUT-08", "an unknown token is not called invalid", ANY, lambda h: h.update({"www-authenticate": 'Bearer realm="x"'}), 401)


@defect("AUT-11", "a token in the address is taken")
def token_in_address(x):
    if "access_token" in x.query:
        x.headers["Authorization"] = "Bearer " + x.query.pop("access_token")


each("AUT-14", "links carry a user's name and password", lambda r: "location" in r.get("meta", {}) and r["meta"].update(
    location=r["meta"]["location"].replace("://", "://me:secret@")))


# ---------------------------------------------------------------- 4 resources

each("RES-01", "resources have no schemas", lambda r: r.pop("schemas", 0))
told("RES-01", "resources in lists have no schemas", "GET /Users", lambda v: [r.pop("schemas", 0) for r in v["Resources"]])


def own_schemas(x):
    if isinstance(x.body, dict):
        x.body = {**x.body, "schemas": [USER if x.path.startswith("/Users") else GROUP] + ([ENT] if ENT in x.body else [])}


asked("RES-02 tol", "schemas that nobody knows are taken", "POST /Users", own_schemas)
asked("RES-03", "the base schema may be left out", "POST /Users", own_schemas)
each("RES-04", "schemas has everything twice", lambda r: r.update(schemas=r["schemas"] * 2))
asked("RES-04", "the base schema has to come first", "POST /Users",
      lambda x: isinstance(x.body, dict) and (x.body.get("schemas") or [USER])[0] != USER and x.error(400, "invalidValue"))
asked("RES-05 tol", "schemas may be left out", "POST /Users", own_schemas)
each("RES-06", "what an extension holds is shown beside the core", lambda r: r.update(r.pop(ENT, {})))
each("RES-07", "every extension is always listed", lambda r: USER in r["schemas"] and r.update(schemas=[USER, ENT]))
asked("RES-08", "an extension in upper case is lost", "POST /Users", lambda x: isinstance(x.body, dict) and setattr(
    x, "body", {k: v for k, v in x.body.items() if not k.startswith("URN:")}))
asked("RES-11", "null is refused", "(PUT|POST) .*", lambda x: b"null" in x.raw and x.error(400, "invalidValue"))
each("RES-12", "ids are numbers", lambda r: r.update(id=abs(hash(r["id"])) % 100000))
told("RES-12", "the id told at first is another one", "POST " + TYPE, lambda v: v.update(id=v["id"][::-1]) if "id" in v else None)


@defect("RES-13", "the client chooses the id")
def chosen_id(x):
    x.pass_on()
    if x.method == "POST" and x.status == 201 and "id" in (x.body or {}):
        x.json = {**x.json, "id": x.body["id"]}


each("RES-14", "externalId is not shown", lambda r: r.pop("externalId", 0))


@defect("RES-14", "externalId has to be unique")
def unique_external_id(x):
    seen = x.proxy.memory.setdefault("external", set())
    if x.method == "POST" and isinstance(x.body, dict) and x.body.get("externalId"):
        if x.body["externalId"] in seen:
            x.error(409, "uniqueness")
        seen.add(x.body["externalId"])


@defect("RES-15", "meta is taken from the request")
def meta_from_request(x):
    x.pass_on()
    if x.method in ("POST", "PUT") and x.status in (200, 201) and "meta" in (x.body or {}):
        x.json = {**x.json, "meta": {**x.json["meta"], **x.body["meta"]}}


told("RES-16", "every resource is a User", r".* /Groups.*", lambda v: v.get("meta", {}).update(resourceType="User"))
each("RES-17", "created moves with every change", lambda r: "meta" in r and r["meta"].update(created=r["meta"].get("lastModified")))
each("RES-18", "meta.location leads to another place", lambda r: "meta" in r and r["meta"].update(location=r["meta"]["location"] + "x"))
each("RES-19", "meta.version has lost its quotes", lambda r: "version" in r.get("meta", {}) and r["meta"].update(
    version=r["meta"]["version"].replace('"', "")))
each("RES-20", "weak tags are written w/", lambda r: "version" in r.get("meta", {}) and r["meta"].update(
    version='w/"' + r["meta"]["version"].split('"')[1] + '"'))


def with_booleans(value):
    if isinstance(value, dict):
        return {k: with_booleans(v) for k, v in value.items()}
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


asked("RES-21 tol", "strings are taken for booleans", "(POST|PUT) .*", lambda x: x.body and setattr(x, "body", with_booleans(x.body)))
each("RES-21", "active is shown as a string", lambda r: "active" in r and r.update(active=str(r["active"])))
each("RES-23", "instants are days", lambda r: "created" in r.get("meta", {}) and r["meta"].update(created=r["meta"]["created"][:10]))
asked("RES-24", "what is no base64 is taken", "POST /Users", lambda x: isinstance(x.body, dict) and setattr(
    x, "body", {k: v for k, v in x.body.items() if k != "x509Certificates"}))
each("RES-25", "references are bare ids", lambda r: [m.update({"$ref": m["value"]}) for m in r.get("members", [])])
each("RES-27", "references lead nowhere", lambda r: [m.update({"$ref": m["$ref"] + "x"}) for m in r.get("members", []) if "$ref" in m])
each("RES-28", "every value is the primary one", lambda r: [e.update(primary=True) for e in r.get("emails", [])])
each("RES-29", "every value is shown twice", lambda r: "emails" in r and r.update(emails=r["emails"] * 2))
asked("RES-30", "types beyond the canonical ones are refused", "POST /Users", lambda x: b'"car"' in x.raw and x.error(400, "invalidValue"))
each("RES-31", "externalId is put in lower case", lambda r: "externalId" in r and r.update(externalId=r["externalId"].lower()))
each("RES-33", "the password is shown", lambda r: USER in r["schemas"] and r.update(password="$2b$10$abcdef"))


# ---------------------------------------------------------------- 5 attributes

def characteristic(requirement, says, name, **change):
    """One characteristic of one attribute is published otherwise."""
    def spoil(a):
        a.update(change)
    edit = first_attribute((lambda a: a["name"] == name, spoil))
    told(requirement, says, r"GET /Schemas(/.*)?", edit)


characteristic("ATT-05", "userName is published as case-exact", "userName", caseExact=True)
characteristic("ATT-05", "userName is published as not required", "userName", required=False)
characteristic("ATT-15", "the password is published as readable", "password", returned="default")
characteristic("ATT-16", "emails are published as one value", "emails", multiValued=False)
characteristic("ATT-21", "groups are published as writable", "groups", mutability="readWrite")
characteristic("ATT-14", "active is published as a string", "active", type="string")
each("ATT-06", "the family name is lost", lambda r: r.get("name", {}).pop("familyName", 0))
each("ATT-08", "nickName is lost", lambda r: r.pop("nickName", 0))
each("ATT-17", "types of telephone numbers are lost", lambda r: [p.pop("type", 0) for p in r.get("phoneNumbers", [])])
each("ATT-20", "countries of addresses are lost", lambda r: [a.pop("country", 0) for a in r.get("addresses", [])])
each("ATT-27", "the manager is shown as a text", lambda r: "manager" in r.get(ENT, {}) and r[ENT].update(manager=r[ENT]["manager"]["value"]))
each("ATT-26", "departments are lost", lambda r: r.get(ENT, {}).pop("department", 0))
each("ATT-21", "users do not show their groups", lambda r: r.pop("groups", 0))
each("ATT-25", "members have no type", lambda r: [m.pop("value", 0) for m in r.get("members", [])])

# ---------------------------------------------------------------- 6 create

answered("CRE-01", "a create answers 200", "POST " + TYPE, lambda x: setattr(x, "status", 200))
headers("CRE-01", "a create has no Location", "POST " + TYPE, lambda h: h.pop("location", 0))
headers("CRE-01", "Location is the endpoint", "POST " + TYPE, lambda h: h.update(location=h["location"].rpartition("/")[0]))
becomes("CRE-02", "a create answers the id alone", "POST " + TYPE, lambda v: {k: v[k] for k in ("schemas", "id", "meta") if k in v})
asked("CRE-03", "an id in a create is refused", "POST /Users", lambda x: "id" in (x.body or {}) and x.error(400, "mutability"))
told("CRE-05", "a clash has no scimType", "POST /Users", lambda v: v.pop("scimType", 0), 409)
answered("CRE-05", "a clash is a bad request", "POST /Users", lambda x: x.error(400, "uniqueness"), 409)
answered("CRE-06", "a missing userName is our fault", "POST /Users", lambda x: x.error(500), 400)
headers("CRE-09", "a create has no ETag", "POST /Users", lambda h: h.pop("etag", 0))

# ---------------------------------------------------------------- 7 read, projection

answered("GET-01", "an unknown id is an empty object", "GET " + ONE, lambda x: x.answer(200, {}), 404)
answered("GET-01", "404 has no body", "GET " + ONE, lambda x: x.answer(404), 404)
each("GET-02", "the password is there unasked", lambda r: USER in r["schemas"] and r.update(password="x"))
asked("GET-03", "If-None-Match is not looked at", "GET .*", lambda x: x.headers.pop("If-None-Match", 0))
asked("PRJ-01", "excludedAttributes is not looked at", ANY, lambda x: x.query.pop("excludedAttributes", 0))
asked("PRJ-02", "attributes is not looked at", ANY, lambda x: x.query.pop("attributes", 0))
asked("PRJ-03", "a sub-attribute brings the whole attribute", ANY, lambda x: "attributes" in x.query and x.query.update(
    attributes=",".join(a.split(".")[0] for a in x.query["attributes"].split(",") if ":" not in a)))


@defect("PRJ-04", "the id can be left out")
def id_left_out(x):
    x.pass_on()
    if "id" in x.query.get("excludedAttributes", "").split(",") and isinstance(x.json, dict):
        x.json = {k: v for k, v in x.json.items() if k != "id"}


@defect("PRJ-05", "who names the password gets it")
def password_named(x):
    x.pass_on()
    if "password" in x.query.get("attributes", "") and x.status == 200:
        x.json = {**x.json, "password": "x"}


asked("PRJ-06", "names of attributes have to be written as in the schema", ANY,
      lambda x: x.query.get("attributes", "a").swapcase() == x.query.get("attributes", "a").upper() and x.query.update(attributes="none"))
asked("PRJ-06", "names with a URN are not understood", ANY, lambda x: "urn:" in x.query.get("attributes", "") and x.query.update(attributes="none"))
asked("PRJ-07", "only reading looks at attributes", "(POST|PUT|PATCH) .*", lambda x: x.query.pop("attributes", 0))
asked("PRJ-07", "lists do not look at attributes", "GET " + TYPE, lambda x: x.query.pop("attributes", 0))


@defect("PRJ-10", "a search does not look at attributes")
def search_attributes(x):
    if x.path.endswith("/.search") and isinstance(x.body, dict):
        x.body = {k: v for k, v in x.body.items() if k != "attributes"}


@defect("PRJ-11", "schemas can be left out")
def schemas_left_out(x):
    x.pass_on()
    if ("attributes" in x.query or "excludedAttributes" in x.query) and isinstance(x.json, dict):
        x.json = {k: v for k, v in x.json.items() if k != "schemas"}


# ---------------------------------------------------------------- 17 tags, 18 /Me, 19 errors

headers("ETG-01", "nothing has an ETag", ANY, lambda h: h.pop("etag", 0))
headers("ETG-02", "tags are not quoted", ANY, lambda h: h.update(etag=h.get("etag", "").replace('"', "")))
answered("ETG-03", "304 has no tag and 200 comes instead", "GET " + ONE, lambda x: x.answer(200, {}), 304)
asked("ETG-04", "If-Match is not looked at", "(PUT|PATCH|DELETE) .*", lambda x: x.headers.pop("If-Match", 0))
asked("ETG-04", "If-Match is not looked at by DELETE", "DELETE .*", lambda x: x.headers.pop("If-Match", 0))
answered("ETG-04", "a stale tag is a conflict", ANY, lambda x: x.error(409), 412)
asked("ETG-05", "* is no tag", ANY, lambda x: x.headers.get("If-Match") == "*" and x.error(412))
asked("ETG-05", "a list of tags is no tag", ANY, lambda x: "," in x.headers.get("If-None-Match", "") and x.headers.pop("If-None-Match"))
asked("ETG-06", "a weak tag never matches", ANY, lambda x: "W/" in x.headers.get("If-Match", "") and x.error(412))


@defect("ETG-07", "the tag never changes")
def frozen_tag(x):
    x.pass_on()
    x.answer_headers = {k.lower(): v for k, v in x.answer_headers.items()}
    if x.path.startswith("/Users") and "etag" in x.answer_headers and isinstance(x.json, dict) and "meta" in x.json:
        x.answer_headers["etag"] = 'W/"1"'
        x.json = {**x.json, "meta": {**x.json["meta"], "version": 'W/"1"'}}


asked("ETG-08", "two writers with one tag both win", "PUT .*", lambda x: x.headers.pop("If-Match", 0))
asked("ME-01", "/Me is not known, and that is a bad request", r".* /Me", lambda x: x.error(400))
headers("ME-03", "/Me does not say where the person is", r"GET /Me", lambda h: (h.pop("location", 0), h.pop("content-location", 0)))
told("ERR-01", "the status in an error is a number", ANY, lambda v: v.update(status=int(v.get("status", 0))), range(400, 600))
told("ERR-01", "an error has no schema", ANY, lambda v: v.pop("schemas", 0), range(400, 600))
answered("ERR-01", "an error is a page for people", ANY, lambda x: setattr(x, "data", b"<h1>no</h1>"), 404)
told("ERR-02", "detail is a list", ANY, lambda v: v.update(detail=["no"]), range(400, 600))


def other_type(requirement, right, wrong):
    told(requirement, f"{right} is called {wrong}", ANY, lambda v: v.get("scimType") == right and v.update(scimType=wrong), range(400, 500))


other_type("ERR-03", "invalidFilter", "invalidValue")
other_type("ERR-05", "uniqueness", "invalidValue")
other_type("ERR-06", "mutability", "invalidValue")
other_type("ERR-07", "invalidSyntax", "invalidFilter")
other_type("ERR-08", "invalidPath", "invalidFilter")
other_type("ERR-09", "noTarget", "invalidFilter")
other_type("ERR-10", "invalidValue", "tooMany")
other_type("ERR-11", "invalidVers", "invalidValue")
answered("ERR-14", "what is wrong with the request is 422", ANY, lambda x: x.error(422), 400)
told("ERR-16", "an error shows the token", ANY, lambda v: v.update(detail="token tok-secret Bearer abc at /usr/lib/x.py line 7"), range(400, 500))
asked("ERR-15", "what cannot be parsed is our fault", "POST /Users", lambda x: x.body is None and x.error(500))
