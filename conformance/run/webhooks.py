"""Listens to a webhook and checks what comes with the standard's own library; the first attempt of each is refused."""
import http.server
import json
import queue
import sys
import threading
import urllib.request

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BASE, TOKEN, ADMIN = sys.argv[1:4]
ORIGIN = BASE.removesuffix("/scim/v2")
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
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
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        again = headers["webhook-id"] in refused
        refused.add(headers["webhook-id"])
        self.send_response(204 if again else 500)
        self.send_header("content-length", "0")
        self.end_headers()
        came.put((headers, body))

    def log_message(self, *_):
        pass


def ask(method, url, token, body=None):
    data = None if body is None else json.dumps(body).encode()
    kind = "application/scim+json" if url.startswith(BASE) else "application/json"
    headers = {"authorization": f"Bearer {token}", "content-type": kind}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
        return json.load(answer)


def accepted(secret, headers, body):
    try:
        Webhook(secret).verify(body, headers)
        return True
    except WebhookVerificationError:
        return False


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
hook = {"name": "peer", "url": f"http://127.0.0.1:{server.server_port}/hook", "kinds": ["user.*"]}
made = ask("POST", f"{ORIGIN}/api/v1/webhooks", ADMIN, hook)

ada = ask("POST", f"{BASE}/Users", TOKEN, {"schemas": [USER], "userName": "webhook-ada"})
first, second = came.get(timeout=PATIENCE), came.get(timeout=PATIENCE)
event = json.loads(first[1])
check("the library accepts the first attempt", accepted(made["secret"], *first))
check("the library accepts the second attempt", accepted(made["secret"], *second))
check("both attempts have one id and one body", first[0]["webhook-id"] == second[0]["webhook-id"] and first[1] == second[1])
check("the event says what happened", event["type"] == "user.created" and event["data"]["subject"]["id"] == ada["id"])
check("no name is in it", b"webhook-ada" not in first[1])
check("the library refuses a changed body", not accepted(made["secret"], first[0], first[1].replace(b"created", b"deleted")))
check("the library refuses another secret", not accepted("whsec_" + "A" * 43 + "=", *first))

rotated = ask("POST", f"{ORIGIN}/api/v1/webhooks/{made['id']}/secrets", ADMIN, {})
ask("POST", f"{BASE}/Users", TOKEN, {"schemas": [USER], "userName": "webhook-bob"})
third = came.get(timeout=PATIENCE)
check("while secrets change, the library accepts the old one", accepted(made["secret"], *third))
check("while secrets change, the library accepts the new one", accepted(rotated["secret"], *third))

print(f"SUITE passed={passed} failed={failed} skipped=0")
sys.exit(failed != 0)
