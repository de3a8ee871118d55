"""The API is what it says: its description is a valid one, and each answer is as described.

    openapi.py URL VIEWER OPERATOR HELD DONE    HELD and DONE: numbers of runs

The description itself is checked where the python has openapi-spec-validator. Prints one line for each check; exits with 1 when one failed.
"""
import json
import sys
import urllib.error
import urllib.request

import jsonschema

try:
    from openapi_spec_validator import validate
except ImportError:
    validate = None

URL, VIEWER, OPERATOR, HELD, DONE = sys.argv[1:]
ours = urllib.request.build_opener(urllib.request.ProxyHandler({}))
failures = 0


def check(what, good, seen=""):
    global failures
    print(("ok - " if good else "not ok - ") + what, flush=True)
    if not good:
        failures += 1
        print("  seen: %s" % str(seen)[:1500], flush=True)


def ask(method, path, token=None, body=None):
    request = urllib.request.Request(URL + path, method=method, data=body)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        answer = ours.open(request, timeout=30)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        kind = answer.headers.get_content_type()
        text = answer.read(200) if kind == "text/event-stream" else answer.read()
        return answer.status, kind, text.decode()


def check_answer(document, path, method, filled, token, body=None):
    """The answer of FILLED is one that PATH describes, of its type and form."""
    operation = document["paths"][path][method]
    status, kind, text = ask(method.upper(), filled, token, body)
    what = "%s %s with %s: %d" % (method, filled, token or "no token", status)
    described = operation["responses"].get(str(status))
    if not described or kind not in described["content"]:
        check(what + " is described", False, (kind, text))
        return status
    schema = dict(described["content"][kind]["schema"], components=document["components"])
    try:
        value = json.loads(text) if kind == "application/json" else text
        jsonschema.Draft202012Validator(schema).validate(value)
        check(what, True)
    except (ValueError, jsonschema.ValidationError) as error:
        check(what, False, error)
    return status


def main():
    status, _, text = ask("GET", "/api/v1/openapi.json")
    document = json.loads(text)
    try:
        if validate:
            validate(document)
            check("the description is valid OpenAPI %s" % document["openapi"], status == 200)
    except Exception as error:
        check("the description is valid", False, error)
    for path, operations in document["paths"].items():
        for method in operations:
            for names in (("fleet", "shop", HELD), ("none", "none", "999999")):
                filled = path.replace("{repository}", names[0]).replace("{deployment}", names[1])
                filled = filled.replace("{run}", names[2])
                if "events" in path:
                    filled += "?after=0"
                tokens = (None, VIEWER) if method == "get" else (None, VIEWER, OPERATOR)
                for token in tokens:
                    check_answer(document, path, method, filled, token,
                                 b"{}" if method == "post" else None)
                if filled == path:
                    break
    run = "/api/v1/runs/{run}"
    check_answer(document, run, "get", "/api/v1/runs/" + DONE, VIEWER)
    status = check_answer(document, run + "/approve", "post", "/api/v1/runs/%s/approve" % DONE,
                          OPERATOR, b"")
    check("what is done is not approved", status == 409, status)
    return 1 if failures else 0


sys.exit(main())
