"""A strict double of Zeus's command line: pools in the file FILE, changes in FILE.log.

    python3 zcli_double.py FILE --json <COMMANDS

A file FILE.fate with the word "deaf" makes it do nothing and say nothing.
"""

import json
import os
import re
import sys

PLACE = sys.argv[1]
if sys.argv[2:] != ["--json"]:
    sys.exit("usage: zcli --json")


def fail(why):
    print("error: " + why, file=sys.stderr)
    sys.exit(1)


def load():
    return json.load(open(PLACE)) if os.path.exists(PLACE) else {}


def nodes_of(pools, name):
    return pools[name] if name in pools else fail("no pool " + name)


def change(action, pools, name, nodes):
    if action == "addPool":
        if name in pools:
            fail("pool exists")
        pools[name] = {node: "active" for node in nodes}
        return
    have = nodes_of(pools, name)
    before, after = {"addNodes": (None, "active"), "addDrainingNodes": ("active", "draining"),
                     "removeDrainingNodes": ("draining", "active"),
                     "enableNodes": ("disabled", "active"), "removeNodes": ("active", None)}[action]
    for node in nodes:
        if have.get(node) != before:
            fail("%s of %s, which is %s" % (action, node, have.get(node)))
        if after:
            have[node] = after
        else:
            del have[node]


def main():
    if os.path.exists(PLACE + ".fate"):
        deaf = True
    else:
        deaf = False
    open(PLACE + ".log", "a").close()
    for line in sys.stdin:
        found = re.fullmatch(r"Pool\.([A-Za-z]+)(?: (.*))?\n", line) or fail("no command: " + line)
        action = found[1]
        arguments = json.loads("[%s]" % found[2]) if found[2] else []
        pools = load()
        if action == "getPoolNames":
            print(json.dumps(sorted(pools)))
        elif action in ("getNodes", "getDrainingNodes", "getDisabledNodes"):
            state = {"getNodes": None, "getDrainingNodes": "draining",
                     "getDisabledNodes": "disabled"}[action]
            (names,) = arguments
            print(json.dumps([[node for node, its in sorted(nodes_of(pools, name).items())
                               if state in (None, its)] for name in names]))
        else:
            (names, (nodes,)) = arguments
            (name,) = names
            if deaf:
                continue
            change(action, pools, name, nodes)
            json.dump(pools, open(PLACE, "w"))
            open(PLACE + ".log", "a").write(line)


main()
