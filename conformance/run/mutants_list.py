"""The list of seeded defects and the words they are written with."""
import re
from dataclasses import dataclass
from typing import Callable

USER, GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
ENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MSG = "urn:ietf:params:scim:api:messages:2.0:"
TYPE = r"/(Users|Groups)"
ONE = TYPE + r"/[^/.]+"
COLLECTION = r"/(Users|Groups)"


@dataclass
class Defect:
    against: str
    says: str
    breaks: Callable

    @property
    def requirement(self):
        return self.against.split()[0]

    @property
    def level(self):
        """`RES-02 tol` is a defect against what is asked of a strict server alone."""
        return next((w for w in self.against.split()[1:] if w in ("must", "should", "may", "tol", "dec")), None)

    @property
    def endpoint(self):
        """`RES-22 /TestResources` needs a server that has that resource type."""
        return next((w for w in self.against.split()[1:] if w.startswith("/")), None)


    @property
    def client(self):
        """`TEN-03 foreign` needs the token of such a client."""
        return next((w for w in self.against.split()[1:] if w in ("second", "foreign")), None)


DEFECTS = []


def defect(requirement, says):
    """Marks a function of the exchange as a defect; if it does not pass the request on, that is done afterwards."""
    def mark(breaks):
        DEFECTS.append(Defect(requirement, says, breaks))
        return breaks
    return mark


def fits(x, when):
    return re.fullmatch(when, f"{x.method} {x.path}")


def asked(requirement, says, when, edit):
    """A defect in what is understood: `edit` changes the request before it goes on, or answers it."""
    def breaks(x):
        if fits(x, when):
            edit(x)
    DEFECTS.append(Defect(requirement, says, breaks))


def answered(requirement, says, when, edit, status=range(200, 300)):
    """A defect in what is told: `edit` changes the answer (of the given status)."""
    def breaks(x):
        x.pass_on()
        if fits(x, when) and x.status in (status if isinstance(status, (range, tuple)) else (status,)):
            edit(x)
    DEFECTS.append(Defect(requirement, says, breaks))


def told(requirement, says, when, edit, status=range(200, 300)):
    """The same for the JSON object of the answer: `edit` changes it in place."""
    def change(x):
        value = x.json
        if isinstance(value, dict):
            edit(value)
            x.json = value
    answered(requirement, says, when, change, status)


def becomes(requirement, says, when, edit, status=range(200, 300)):
    """The same, where `edit` gives the JSON value that takes the place of the whole."""
    answered(requirement, says, when, lambda x: setattr(x, "json", edit(x.json)), status)


def each(requirement, says, edit):
    """The same for every User and Group shown, alone or in a list."""
    def change(value):
        for resource in value.get("Resources", [value] if "id" in value else []):
            edit(resource)
    told(requirement, says, r"(GET|POST|PUT|PATCH) (/\.search|" + TYPE + r"(/.*)?)", change)


def headers(requirement, says, when, edit, status=range(200, 300)):
    """The same for the headers of the answer, their names in lower case."""
    def change(x):
        x.answer_headers = {k.lower(): v for k, v in x.answer_headers.items()}
        edit(x.answer_headers)
    answered(requirement, says, when, change, status)
