"""Receives security event tokens, pushed and polled, and proves them with a JOSE library that knows nothing of Muster."""
import http.server
import json
import queue
import sys
import threading
import urllib.error
import urllib.request

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

BASE, TOKEN, ADMIN = sys.argv[1:4]
ORIGIN = BASE.removesuffix("/scim/v2")
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PROV = "urn:ietf:params:scim:event:prov:"
# A second attempt comes after six seconds at most; a loaded machine gets more.
PATIENCE = 60
passed, failed = 0, 0
came, refused = queue.Queue(), set()


def check(name, good):
    global passed, failed
    print(f"{'PASS' if good else 'FAIL'} {name}")
    passed, failed = passed + good, failed + (not good)


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        first = not refused
        refused.add(body)
        self.send_response(500 if first else 202)
        self.send_header("content-length", "0")
        self.end_headers()
        came.put(({name.lower(): value for name, value in self.headers.items()}, body))

    def log_message(self, *_):
        pass


def ask(method, url, token, body=None):
    data = None if body is None else json.dumps(body).encode()
    kind = "application/scim+json" if url.startswith(BASE) else "application/json"
    headers = {"authorization": f"Bearer {token}", "content-type": kind}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=60) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def keys():
    with urllib.request.urlopen(f"{ORIGIN}/.well-known/jwks.json", timeout=30) as answer:
        return KeySet.import_key_set(json.load(answer))


def read(token):
    """Header and claims of a token that one of the published keys signed; None for any other."""
    try:
        proved = jwt.decode(token, keys(), algorithms=["ES256"])
        return proved.header, proved.claims
    except (JoseError, ValueError):
        return None


def well_formed(token, audience):
    header, claims = read(token) or ({}, {})
    return (
        header.get("typ") == "secevent+jwt"
        and claims.get("iss") == ORIGIN
        and audience in claims.get("aud", [])
        and all(type(claims.get(name)) is int for name in ("iat", "toe"))
        and all(isinstance(claims.get(name), str) and claims[name] for name in ("jti", "txn"))
        and "sub" not in claims
        and "exp" not in claims
        and all(isinstance(payload, dict) for payload in claims.get("events", {"": None}).values())
    )


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/sets"
push = ask("POST", f"{ORIGIN}/api/v1/streams", ADMIN, {
    "name": "push peer", "delivery": "push", "url": url, "authorization": "Bearer mine",
    "events": [f"{PROV}create:full", f"{PROV}patch:full", f"{PROV}delete"],
})
poll = ask("POST", f"{ORIGIN}/api/v1/streams", ADMIN, {"name": "poll peer", "delivery": "poll"})

ada = ask("POST", f"{BASE}/Users", TOKEN, {"schemas": [USER], "userName": "set-ada", "password": "Tr0ub4dor&3"})
(headers, first), (_, second) = came.get(timeout=PATIENCE), came.get(timeout=PATIENCE)
check("the media type is that of the standard", headers["content-type"] == "application/secevent+jwt" and headers["accept"] == "application/json")
check("the receiver's own authorization is sent", headers["authorization"] == "Bearer mine")
check("the library proves the first attempt", well_formed(first, url))
check("the library proves the second attempt", well_formed(second, url))
check("both attempts say the same", read(first)[1] == read(second)[1])
claims = read(first)[1]
data = claims["events"][f"{PROV}create:full"]["data"]
check("the subject is the resource", claims["sub_id"] == {"format": "scim", "uri": f"/Users/{ada['id']}"})
check("all of it is there and the password is not", data["userName"] == "set-ada" and data["id"] == ada["id"] and "password" not in data)
check("its version is that of the resource", data["meta"]["version"] == ada["meta"]["version"])
head, body, signature = first.split(".")
swapped = "A" if body[20] != "A" else "B"
check("the library refuses a changed body", read(f"{head}.{body[:20]}{swapped}{body[21:]}.{signature}") is None)
check("the library refuses another key's signature", read(f"{head}.{body}.{'A' * 86}") is None)
check("the header names a published key", jws.extract_compact(first.encode()).headers()["kid"] in [key.kid for key in keys().keys])


def fetch(body):
    return ask("POST", poll["url"], poll["token"], body)


ask("DELETE", f"{BASE}/Users/{ada['id']}", TOKEN)
waited = fetch({})
while len(waited["sets"]) < 2:
    waited = fetch({"returnImmediately": True})
audience = poll["audience"]
check("the library proves what is polled", all(well_formed(token, audience) for token in waited["sets"].values()))
check("tokens are named by their ids", all(read(token)[1]["jti"] == jti for jti, token in waited["sets"].items()))
told = [list(read(token)[1]["events"]) for token in waited["sets"].values()]
check("they come in order", told == [[f"{PROV}create:notice"], [f"{PROV}delete"]])
check("no name is in a notice", "set-ada" not in str([read(token)[1] for token in waited["sets"].values()]))
one, two = waited["sets"]
rest = fetch({"ack": [one], "returnImmediately": True})
check("what is acknowledged is not given again, and what is not is", list(rest["sets"]) == [two])
last = fetch({"setErrs": {two: {"err": "invalid_audience", "description": "not mine"}}, "returnImmediately": True})
check("what could not be accepted is not given again", last["sets"] == {})
try:
    ask("POST", poll["url"], ADMIN, {})
    check("a poll with another token is refused", False)
except urllib.error.HTTPError as fault:
    check("a poll with another token is refused", fault.code == 403 and "www-authenticate" in fault.headers)

print(f"SUITE passed={passed} failed={failed} skipped=0")
sys.exit(failed != 0)
