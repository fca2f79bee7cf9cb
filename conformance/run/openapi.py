"""Validates an OpenAPI document by the schema of its version; then breaks it, to see that the validator notices."""
import copy
import json
import sys
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator

document = json.load(urllib.request.urlopen(sys.argv[1], timeout=30))
passed, failed = 0, 0


def check(name, good):
    global passed, failed
    print(f"{'PASS' if good else 'FAIL'} {name}")
    passed, failed = passed + good, failed + (not good)


def faults(of):
    try:
        return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}" for fault in OpenAPIV31SpecValidator(of).iter_errors()]
    except Exception as fault:  # a reference that leads nowhere is raised, not listed
        return [repr(fault)]


def broken(change):
    other = copy.deepcopy(document)
    change(other)
    return bool(faults(other))


check("the document says OpenAPI 3.1", str(document.get("openapi", "")).startswith("3.1."))
found = faults(document)
print("\n".join(found))
check("the document is valid", not found)
path, item = next(iter(document["paths"].items()))
method = next(iter(item))
check("an operation without responses that are an object is noticed", broken(lambda d: d["paths"][path][method].update(responses=[])))
check("a document without a title is noticed", broken(lambda d: d["info"].pop("title")))
check("a parameter in the path that nothing declares is noticed", broken(lambda d: d["paths"].update({"/x/{y}": {"get": {"responses": {"200": {"description": "x"}}}}})))
print(f"SUITE passed={passed} failed={failed} skipped=0")
sys.exit(failed > 0)
