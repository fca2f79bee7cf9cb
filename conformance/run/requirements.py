#!/usr/bin/env python3
"""Ask a live SCIM 2.0 server what the requirements ask: one finding a line, with the section of the RFC and the exchange.

What the server does not announce is skipped. What is created is deleted after each check. The exit code is 1 if a MUST failed.
README.md beside the requirements describes their language.
"""
import argparse
import collections
import http.client
import itertools
import json
import sys
import tomllib
from pathlib import Path

from rq_check import Blocked, Skip, World, Wrong, run_steps
from rq_data import load
from rq_procedures import LATE, PROCEDURES
from rq_server import Server

FOLDER = Path(__file__).resolve().parent.parent / "requirements"


def as_list(value):
    return value if isinstance(value, list) else [value] if value else []


class Run:
    def __init__(self, url, token, strict=False, level=None, **tokens):
        fixtures = tomllib.loads((FOLDER / "fixtures.toml").read_text())["fixture"]
        self.world, self.strict, self.level = World(Server(url, token), fixtures, tokens), strict, level

    def discover(self):
        self.world.discover()

    def judge(self, requirements, told=lambda record: None):
        """A record for each requirement. What looks at all answers of the run comes last."""
        records = [self.record(q) for q in requirements]
        for late in (False, True):
            for record in records:
                for check in record["checks"]:
                    if (check["data"].get("procedure") in LATE) == late:
                        self.one(record, check)
                if late or not any(c["data"].get("procedure") in LATE for c in record["checks"]):
                    self.close(record, told)
        return records

    def record(self, q):
        checks = [{"data": c, "name": c.get("name") or q["says"], "level": c.get("level", q["level"])} for c in q.get("check", [])]
        checks = [c for c in checks if self.level in (None, c["level"])]
        return {"id": q["id"], "level": q["level"], "rfc": q["rfc"], "says": q["says"], "why": q.get("why", q["says"]),
                "feature": as_list(q.get("feature")), "untestable": q.get("untestable"), "checks": checks, "failed": [], "result": None}

    def one(self, record, check):
        """The result of one check, with each of its `each` values in turn."""
        data, results = check["data"], []
        values = self.world.values()
        names = list(data.get("each", {}))
        rows = [values.fill(row) if isinstance(row, str) else row for row in data.get("each", {}).values()]
        for combination in itertools.product(*rows):
            results.append(self.once(record, data, dict(zip(names, combination))))
        nothing = ("skipped", "the server announces nothing of the kind")
        worst = next((r for kind in ("failed", "passed", "blocked", "skipped") for r in results if r[0] == kind), nothing)
        check["result"], check["found"] = worst
        if check["result"] == "failed":
            record["failed"].append(check)

    def once(self, record, data, more):
        server = self.world.server
        keep = len(server.made)
        try:
            self.world.needs(record["feature"] + as_list(data.get("feature")))
            values = self.world.values()
            values.each = more
            if "procedure" in data:
                if data["procedure"] in LATE:
                    run_steps(self.world, values, data.get("steps", []))
                PROCEDURES[data["procedure"]](self.world, values, data)
            else:
                run_steps(self.world, values, data["steps"])
        except Skip as why:
            return "skipped", str(why)
        except Blocked as why:
            return "blocked", str(why)
        except Wrong as why:
            return "failed", str(why)
        except (OSError, http.client.HTTPException) as why:
            return "failed", f"the server does not answer: {why!r}"
        except (AttributeError, LookupError, TypeError, ValueError) as why:  # an answer too odd to handle is a finding, too
            return "failed", f"an answer cannot be handled: {why!r}: {server.seen[-1] if server.seen else ''}"
        finally:
            server.clean(keep)
        return "passed", ""

    def close(self, record, told):
        results = [c["result"] for c in record["checks"] if "result" in c]
        if record["result"] or len(results) < len(record["checks"]):
            return
        if record["untestable"] and not results:
            record["result"] = "untestable"
        else:
            record["result"] = next((r for r in ("failed", "passed", "blocked") if r in results), "skipped")
        if record["result"] == "failed" and not any(self.counts(c) for c in record["failed"]):
            record["result"] = "noted"
        told(record)

    def hard(self, check):
        """Whether a failed check fails the run: a MUST, and what only a strict server refuses if this one is to be strict."""
        return check["level"] == "must" or (self.strict and check["level"] == "tol")

    def counts(self, check):
        """Whether a failed check is a failure, not a note."""
        return check["level"] == "should" or self.hard(check)


# ---------------------------------------------------------------- report

def printer(run, verbose):
    def told(record):
        for check in record["checks"]:
            result = check["result"]
            if result == "failed":
                word = "FAILED" if run.counts(check) else "note"
                why = check["data"].get("why", record["why"])
                print(f"{word:8}{record['id']:8}{check['level']:7}{why} ({record['rfc']}) | {check['found']}", flush=True)
            elif verbose:
                print(f"{result:8}{record['id']:8}{check['level']:7}{check['name']}" + (f" | {check['found']}" if check["found"] else ""))
    return told


def summary(run, records):
    checks = collections.Counter(c["result"] for r in records for c in r["checks"])
    levels = collections.Counter(c["level"] for r in records for c in r["failed"])
    hard = sum(run.hard(c) for r in records for c in r["failed"])
    failed = sum(run.counts(c) for r in records for c in r["failed"])
    notes = checks["failed"] - failed
    for why, n in collections.Counter(c["found"] for r in records for c in r["checks"] if c["result"] == "skipped").most_common():
        print(f"skipped {n}: {why}")
    print(f"requirements: {len(records)}, of them {sum(r['result'] == 'untestable' for r in records)} that no client can see")
    print(f"checks that failed: must {levels['must']}, should {levels['should']}, notes {notes}; not set up {checks['blocked']}")
    print(f"total: {checks['passed']} passed, {failed} failed, {checks['skipped'] + checks['blocked'] + notes} skipped")
    return 1 if hard else 0


def chosen(requirements, only, level):
    starts = tuple(only.split(",")) if only else ("",)
    return [q for q in requirements if q["id"].startswith(starts) and
            (level is None or level in (q["level"], *(c.get("level") for c in q.get("check", []))))]


def as_json(records):
    def plain(c):
        return {k: c.get(k) for k in ("name", "level", "result", "found")}
    rows = [{**{k: r[k] for k in ("id", "level", "rfc", "says", "why", "result", "untestable")},
             "checks": [plain(c) for c in r["checks"]]} for r in records]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("base_url", help="e.g. https://host/scim/v2")
    p.add_argument("token", help="bearer token")
    p.add_argument("--second", metavar="TOKEN", help="of another client of the same tenant")
    p.add_argument("--foreign", metavar="TOKEN", help="of a client of another tenant, under the same address")
    p.add_argument("--only", metavar="IDS", help="comma-separated ids or beginnings of ids (DIS, PAT-0)")
    p.add_argument("--level", choices=["must", "should", "may", "tol", "dec"], help="only requirements of this level")
    p.add_argument("--strict", action="store_true", help="the server is to refuse what lenient servers take (level tol)")
    p.add_argument("--json", metavar="FILE", type=Path, help="write every result as JSON")
    p.add_argument("-v", "--verbose", action="store_true", help="print every check, not only findings")
    args = p.parse_args()
    run = Run(args.base_url, args.token, args.strict, args.level, second=args.second, foreign=args.foreign)
    try:
        run.discover()
    except (OSError, http.client.HTTPException) as why:
        sys.exit(f"{args.base_url}: {why}")
    try:
        records = run.judge(chosen(load(FOLDER), args.only, args.level), printer(run, args.verbose))
    finally:
        run.world.server.clean()
    if args.json:
        args.json.write_text(as_json(records))
    return summary(run, records)


if __name__ == "__main__":
    sys.exit(main())
