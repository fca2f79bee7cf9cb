"""Used by requirements.py: one kept connection, the exchanges of the run, and the list of what to delete."""
import http.client
import json
import threading
import time
from urllib.parse import quote, urlsplit


class Reply:
    """One exchange: what was asked and what was answered."""

    def __init__(self, method, path, sent, status, headers, data):
        self.method, self.path, self.sent, self.status, self.headers, self.data = method, path, sent, status, headers, data
        try:
            self.json = json.loads(data)
        except (ValueError, RecursionError):
            self.json = None

    @property
    def text(self):
        return self.data.decode(errors="replace")

    def __str__(self):
        sent = f" {short(self.sent)}" if self.sent else ""
        return f"{self.method} {self.path}{sent} -> {self.status} {short(self.text)}"


def short(text, limit=300):
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    return text if len(text) <= limit else text[:limit] + "..."


class Server:
    def __init__(self, base, token):
        self.base, self.token, self.url = base.rstrip("/"), token, urlsplit(base.rstrip("/"))
        self.seen, self.made, self.link, self.lock = [], [], None, threading.Lock()

    def connect(self):
        kind = http.client.HTTPSConnection if self.url.scheme == "https" else http.client.HTTPConnection
        return kind(self.url.netloc, timeout=30)

    def target(self, path, query):
        """The request target: a path below the base, or a whole address of this server."""
        if path.startswith(("http://", "https://")):
            parts = urlsplit(path)
            path = parts.path + ("?" + parts.query if parts.query else "")
        elif not (self.url.path and path.startswith(self.url.path + "/")):  # a reference may be relative to the host
            path = self.url.path + path
        for name, value in (query or {}).items():
            path += ("&" if "?" in path else "?") + quote(name) + "=" + quote(str(value), safe="")
        return quote(path, safe="/?&=%:,.-_~!$'()*;@+") or "/"

    def __call__(self, method, path, data=None, headers=None, query=None, auth=None, alone=False):
        """Send; `auth` is a whole Authorization value, "" for none. `alone` uses a connection of its own (races)."""
        head = {"Accept": "application/scim+json"}
        if auth != "":
            head["Authorization"] = auth or "Bearer " + self.token
        if data is not None:
            head["Content-Type"] = "application/scim+json"
        head = {k: v for k, v in {**head, **(headers or {})}.items() if v != ""}
        target = self.target(path, query)
        got, body = self.exchange(method, target, data, head, alone)
        for _ in range(3):  # a server that says wait is waited for, if it is not for long
            told = got.headers.get("Retry-After") or "1"
            if got.status != 429 or alone or not told.isdigit() or int(told) > 20:
                break
            time.sleep(int(told))
            got, body = self.exchange(method, target, data, head, alone)
        reply = Reply(method, target, data, got.status, got.headers, body)
        with self.lock:
            self.seen.append(reply)
            self.note_created(reply, auth)
        return reply

    def exchange(self, method, target, data, head, alone):
        for attempt in (1, 2):
            link = self.connect() if alone else self.link or self.connect()
            self.link = self.link if alone else link
            try:
                try:
                    link.putrequest(method, target, skip_accept_encoding=True)
                    for name, value in head.items():
                        link.putheader(name, value.encode())
                    if data is not None:
                        link.putheader("Content-Length", str(len(data)))
                    link.endheaders(data)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # an early refusal (413) may close the connection while we still send
                got = link.getresponse()
                body = got.read()
                if alone or got.will_close:
                    self.close(link)
                return got, body
            except (http.client.HTTPException, OSError):
                self.close(link)  # a kept connection that the server has closed: once more on a new one
                if attempt == 2 or alone:
                    raise

    def close(self, link):
        link.close()
        if link is self.link:
            self.link = None

    def note_created(self, reply, auth):
        """What a POST or a bulk request made is deleted when the check is over."""
        if reply.method != "POST" or not isinstance(reply.json, dict):
            return
        if reply.status == 201:
            where = reply.headers.get("Location") or (reply.json.get("meta") or {}).get("location")
            self.made.append((where or f"{reply.path.partition('?')[0]}/{reply.json.get('id')}", auth))
        for done in reply.json.get("Operations") or []:
            if isinstance(done, dict) and done.get("method") == "POST" and done.get("location"):
                self.made.append((done["location"], auth))

    def clean(self, keep=0):
        """Delete what was created after the first `keep`, newest first. What is already gone answers 404, which is fine."""
        while len(self.made) > keep:
            where, auth = self.made.pop()
            try:
                seen = len(self.seen)
                self("DELETE", where, auth=auth)
                del self.seen[seen:]
            except (http.client.HTTPException, OSError, ValueError):
                pass
