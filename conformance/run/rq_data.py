"""Used by requirements.py: reads the requirements, and says what is wrong with the data before anything is sent."""
import tomllib

from rq_language import ALL, EACH

LEVELS = ("must", "should", "may", "tol", "dec")
REQUIREMENT = {"id", "level", "rfc", "feature", "says", "why", "untestable", "check", "file"}
CHECK = {"name", "level", "feature", "why", "each", "steps", "procedure", "where", "expect", "except", "schema", "names",
         "by", "path", "query", "count", "make", "create", "with", "churn", "times", "one", "rest", "before", "step", "after"}
STEP = {"create", "as", "with", "headers", "send", "query", "body", "raw", "ops", "bulk", "auth", "save", "keep",
        "setup", "status", "error", "expect", "pause"}
OPERATORS = {*EACH, *ALL, "exists", "absent"}


def load(folder):
    """All requirements in the order of their files."""
    out = []
    for path in sorted(folder.glob("[0-9]*.toml")):
        out += [{**q, "file": path.name} for q in tomllib.loads(path.read_text())["requirement"]]
    wrong = list(faults(out))
    if wrong:
        raise SystemExit("\n".join(wrong))
    return out


def faults(requirements):
    seen = set()
    for q in requirements:
        name, checks = q.get("id", "?"), q.get("check", [])
        if name in seen:
            yield f"{name}: there are two of them"
        seen.add(name)
        yield from (f"{name}: what is `{k}`?" for k in set(q) - REQUIREMENT)
        yield from (f"{name}: `{k}` is missing" for k in ("id", "level", "rfc", "says") if k not in q)
        if bool(checks) == ("untestable" in q) or (checks and "why" not in q):
            yield f"{name}: it has checks and a `why`, or says why it is untestable"
        if len({c.get("name") for c in checks}) < len(checks):
            yield f"{name}: two of its checks have one name"
        for c in checks:
            yield from (f"{name}: {wrong}" for wrong in check_faults(c, {**q, **c}["level"]))


def check_faults(c, level):
    yield from (f"what is `{k}`?" for k in set(c) - CHECK)
    if level not in LEVELS:
        yield f"there is no level `{level}`"
    if "steps" not in c and "procedure" not in c:
        yield "a check has neither steps nor a procedure"
    steps = c.get("steps", []) + c.get("before", []) + c.get("after", []) + ([c["step"]] if "step" in c else [])
    for step in steps:
        yield from (f"what is `{k}` in a step?" for k in set(step) - STEP)
    for fact in [f for step in steps for f in step.get("expect", [])] + c.get("expect", []) + c.get("where", []):
        yield from fact_faults(fact)


def fact_faults(fact):
    if fact[0] == "any":
        for way in fact[1:]:
            for inner in way:
                yield from fact_faults(inner)
    elif len(fact) not in (2, 3) or fact[1] not in OPERATORS:
        yield f"what is {fact}?"
