"""Used by requirements.py: placeholders, places in an answer, operators. The README of the requirements describes them."""
import base64
import json
import re
from datetime import datetime, timedelta, timezone


class Wrong(Exception):
    """The answer is not what the requirement says."""


class Blocked(Exception):
    """The check could not be set up, so nothing was learnt."""


HOLDER = re.compile(r"\$\{([^}]+)\}")
DATE_TIME = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


# ---------------------------------------------------------------- placeholders

def plain(value):
    """A value inside a text: true and not True."""
    return value if isinstance(value, str) else json.dumps(value)


def at_offset(text, offset):
    """The same instant, written with another offset from UTC."""
    hours, minutes = int(offset[:3]), int(offset[0] + offset[4:])
    fraction = re.search(r"\.\d+", text)
    clock = instant(text).astimezone(timezone(timedelta(hours=hours, minutes=minutes))).strftime("%Y-%m-%dT%H:%M:%S")
    return clock + (fraction[0] if fraction else "") + offset


TRANSFORMS = {"upper": str.upper, "lower": str.lower, "at": at_offset, "plus": lambda text, n: str(int(text) + int(n))}


class Values:
    """What `${...}` stands for. A dotted name looks into a kept JSON value; `$...` and `header:` look into the answer at hand."""

    def __init__(self, known):
        self.known, self.each, self.reply = dict(known), {}, None

    def find(self, name):
        how, _, rest = name.partition(" ")
        if rest and how in TRANSFORMS:
            *more, inner = rest.split(" ")
            return TRANSFORMS[how](plain(self.find(inner)), *more)
        if name in self.each:
            return self.fill(self.each[name])
        if name in self.known:
            return self.known[name]
        if self.reply is not None and (name.startswith(("$", "header:")) or name in ("status", "text")):
            found = place(self.reply, name)
            return found[0] if found else ""
        head, _, rest = name.partition(".")
        if head in self.known and rest:
            found = select(self.known[head], "$." + rest)
            if found:
                return found[0]
        raise Blocked(f"there is no value `{name}`")

    def fill(self, value):
        """Placeholders replaced everywhere in a value; a string that is nothing but one takes the type of what it stands for."""
        if isinstance(value, dict):
            return {self.text(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if not isinstance(value, str):
            return value
        whole = HOLDER.fullmatch(value)
        return self.find(whole[1]) if whole else self.text(value)

    def text(self, text):
        return HOLDER.sub(lambda m: plain(self.find(m[1])), text)

    def json(self, text):
        return self.fill(json.loads(text))


# ---------------------------------------------------------------- places

STEP = re.compile(r"""\.([^.\[\]]+)|\["([^"]+)"\]|\[(\d+|\*)\]""")


def select(value, path):
    """The values at a path: `$.a.b`, `$["urn:x"].a`, `[0]`, `[*]`. What is not there selects nothing."""
    found, at = [value], 1
    while at < len(path):
        step = STEP.match(path, at)
        if not step:
            raise Blocked(f"`{path}` is no path")
        at = step.end()
        name, index = step[1] or step[2], step[3]
        if name:
            found = [v[name] for v in found if isinstance(v, dict) and name in v]
        elif index == "*":
            found = [x for v in found if isinstance(v, list) for x in v]
        else:
            found = [v[int(index)] for v in found if isinstance(v, list) and len(v) > int(index)]
    return found


def parents(value, path):
    """For a path with [*]: how many values ought to be there, that is, how many the part up to the last [*] selects."""
    return len(select(value, path[:path.rindex("[*]") + 3]))


def place(reply, at):
    """The values at a place of an answer."""
    if at == "status":
        return [reply.status]
    if at == "text":
        return [reply.text]
    if at in ("method", "path", "sent"):
        value = getattr(reply, at)
        return [value.decode(errors="replace") if isinstance(value, bytes) else value or ""]
    if at.startswith("header:"):
        return reply.headers.get_all(at[7:]) or []
    return select(reply.json, at)


# ---------------------------------------------------------------- comparing

def canon(value):
    """A form in which equal states are equal: absent = null = [] = {}, primary false = unset, order of values open."""
    if isinstance(value, list):
        return sorted((canon(x) for x in value), key=lambda x: json.dumps(x, sort_keys=True))
    if not isinstance(value, dict):
        return value
    out = {k: canon(v) for k, v in value.items()}
    return {k: v for k, v in out.items() if v not in (None, [], {}) and (k, v) != ("primary", False)}


def like(have, wanted):
    """`have` holds at least what `wanted` holds; lists match one to one in any order; null and [] stand for nothing."""
    if isinstance(wanted, dict):
        return isinstance(have, dict) and all(like(have.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list) and wanted:
        rest = list(have) if isinstance(have, list) else []
        for w in wanted:
            hit = next((h for h in rest if like(h, w)), None)
            if hit is None:
                return False
            rest.remove(hit)
        return not rest
    if wanted is None or wanted == []:
        return have in (None, [], {})
    return equal(have, wanted)


def equal(a, b):
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def instant(text):
    if not isinstance(text, str) or not DATE_TIME.fullmatch(text):
        raise Wrong(f"{text!r} is no dateTime")
    text = re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00"))
    text = re.sub(r"\.(\d{1,5})(?=[+-]|$)", lambda m: "." + m[1].ljust(6, "0"), text)
    return datetime.fromisoformat(text if re.search(r"[+-]\d\d:\d\d$", text) else text + "+00:00")


def is_type(value, name):
    kinds = {"string": str, "boolean": bool, "object": dict, "array": list, "number": (int, float), "integer": int}
    if name in kinds:
        return isinstance(value, kinds[name]) and (name == "boolean" or not isinstance(value, bool))
    if not isinstance(value, str):
        return False
    if name == "dateTime":
        try:
            return bool(instant(value))
        except (Wrong, ValueError):
            return False
    if name == "base64":
        try:
            return bool(base64.b64decode(value + "=" * (-len(value) % 4), validate=True))
        except ValueError:
            return False
    if name == "uri":
        return re.fullmatch(r"[^\s<>\"{}|\\^`]+", value) is not None
    raise Blocked(f"there is no type `{name}`")


# Operators on each value that a place selects.
EACH = {
    "is": equal,
    "not": lambda a, b: not equal(a, b),
    "in": lambda a, b: any(equal(a, x) for x in b),
    "matches": lambda a, b: re.search(b, str(a)) is not None,
    "avoids": lambda a, b: re.search(b, str(a)) is None,
    "type": is_type,
    "like": lambda a, b: like(a, json.loads(b) if isinstance(b, str) else b),
    "same": lambda a, b: canon(without_meta(a)) == canon(without_meta(b)),
    "identical": lambda a, b: canon(a) == canon(b),
    "instant": lambda a, b: instant(a) == instant(b),
    "later": lambda a, b: instant(a) > instant(b),
    "folds to": lambda a, b: isinstance(a, str) and a.casefold() == b.casefold(),
    ">=": lambda a, b: is_type(a, "number") and a >= b,
    "<=": lambda a, b: is_type(a, "number") and a <= b,
}
# Operators on all values at once; a single selected list stands for its elements.
ALL = {
    "has": lambda a, b: any(like(x, b) if isinstance(b, dict) else equal(x, b) for x in a),
    "lacks": lambda a, b: not any(like(x, b) if isinstance(b, dict) else equal(x, b) for x in a),
    "set": lambda a, b: len(a) == len(b) and all(any(equal(x, y) for y in a) for x in b),
    "is list": lambda a, b: a == b,
    "count": lambda a, b: len(a) == b,
    "at least": lambda a, b: len(a) >= b,
    "at most": lambda a, b: len(a) <= b,
    "unique": lambda a, b: len({json.dumps(x, sort_keys=True) for x in a}) == len(a),
}


def without_meta(value):
    return {k: v for k, v in value.items() if k != "meta"} if isinstance(value, dict) else value


def holds(reply, values, fact):
    """None if the fact holds for the answer, else a sentence that says what is there instead."""
    at, op, *operand = fact
    if at == "any":
        return any_of(reply, values, fact[1:])
    values.reply = reply
    at = values.text(at)
    wanted = values.json(operand[0]) if op == "like" and isinstance(operand[0], str) else values.fill(operand[0]) if operand else None
    found = place(reply, at)
    told = f"{at} is {brief(found)}, not {op}" + (f" {brief([wanted])}" if operand else "")
    if op == "exists":
        ought = parents(reply.json, at) if "[*]" in at and at.startswith("$") else 1
        return None if len(found) >= ought and all(v not in (None, "", [], {}) for v in found) else told
    if op == "absent":
        return None if all(v in (None, [], {}) for v in found) else told
    if at == "text" and op in ("has", "lacks"):
        return None if (str(wanted) in found[0]) == (op == "has") else f"the answer {'lacks' if op == 'has' else 'shows'} `{wanted}`"
    if op in ("same", "identical") and found and isinstance(wanted, dict):
        return differs(at, found[0], wanted, op)
    try:
        if op in ALL:
            if len(found) == 1 and isinstance(found[0], list) and not at.endswith("[*]"):
                found = found[0]
            return None if ALL[op](found, wanted) else told
        if op not in EACH:
            raise Blocked(f"there is no operator `{op}`")
        if not found and "[*]" not in at:
            return None if op == "avoids" else f"{at} is missing, not {op} {brief([wanted])}"
        return None if all(EACH[op](v, wanted) for v in found) else told
    except (TypeError, ValueError, Wrong) as why:
        return f"{told} ({why})"


def differs(at, have, wanted, op):
    """None if two states are equal, else what of them is not."""
    a, b = canon(have), canon(wanted)
    a, b = (without_meta(a), without_meta(b)) if op == "same" else (a, b)
    if a == b:
        return None
    keys = sorted(k for k in {*a, *b} if a.get(k) != b.get(k)) if isinstance(a, dict) else []
    return f"{at} is not {op}: " + "; ".join(f"{k} is {brief([a.get(k)])}, not {brief([b.get(k)])}" for k in keys)


def any_of(reply, values, ways):
    """One of several lists of facts holds."""
    reasons = []
    for way in ways:
        wrong = [w for w in (holds(reply, values, fact) for fact in way) if w]
        if not wrong:
            return None
        reasons.append(wrong[0])
    return " and ".join(reasons)


def brief(found, limit=160):
    text = ", ".join(json.dumps(v, ensure_ascii=False) if not isinstance(v, str) else f"`{v}`" for v in found) or "missing"
    return text if len(text) <= limit else text[:limit] + "..."
