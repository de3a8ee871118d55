"""Compares the double's answers with recorded real ones: whatever the double tells, a real server
tells in that place and with that type.

usage: recorded.py PORT
"""
import json
import os
import sys
import time
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
from double import SECRETS, sign

HERE = os.path.dirname(os.path.abspath(__file__))

# What the recorded ones do not have since their machines lack it: key pairs, static NAT, groups,
# tags. All documented.
MAY_BE_MORE = {"keypairs", "publicip", "virtualmachineid", "securitygroup[]", "tags[]"}


def ask(port, command, **parameters):
    p = {**parameters, "command": command, "response": "json", "apikey": "test-api-key"}
    p["signature"] = sign(p, SECRETS["test-api-key"])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/client/api",
                                urllib.parse.urlencode(p).encode()) as reply:
        return json.load(reply)


def finish(port, answer):
    """The job of ANSWER, finished."""
    job = next(iter(answer.values()))["jobid"]
    while True:
        done = ask(port, "queryAsyncJobResult", jobid=job)
        if next(iter(done.values()))["jobstatus"]:
            return done
        time.sleep(0.05)


def recorded(command):
    with open(os.path.join(HERE, "recorded", command + ".json"), encoding="utf-8") as text:
        return json.load(text)


def differences(ours, real, path):
    """What OURS has and REAL has not, or with another type; bool is no number."""
    if type(ours) is not type(real):
        yield f"{path}: {type(ours).__name__}, recorded is {type(real).__name__}"
    elif isinstance(ours, dict):
        for key in ours:
            if key in real:
                yield from differences(ours[key], real[key], f"{path}.{key}")
            elif key not in MAY_BE_MORE:
                yield f"{path}.{key}: not recorded"
    elif isinstance(ours, list) and ours and real:
        yield from differences(ours[0], real[0], path + "[]")


def inside(answer):
    return next(iter(answer.values()))


def main():
    port = int(sys.argv[1])
    zone = next(z for z in inside(ask(port, "listZones"))["zone"] if z["name"] == "paris")["id"]
    template = inside(ask(port, "listTemplates", templatefilter="executable", zoneid=zone))["template"][0]["id"]
    offering = inside(ask(port, "listServiceOfferings"))["serviceoffering"][0]["id"]
    networks = ask(port, "listNetworks", zoneid=zone)
    address = inside(ask(port, "listPublicIpAddresses", ipaddress="203.0.113.30"))["publicipaddress"][0]
    deployed = ask(port, "deployVirtualMachine", zoneid=zone, templateid=template, serviceofferingid=offering,
                   networkids=inside(networks)["network"][0]["id"], name="shape")
    machine = inside(deployed)["id"]
    pairs = {"deployVirtualMachine": finish(port, deployed)}
    pairs["createTags"] = finish(port, ask(port, "createTags", resourceids=machine, resourcetype="UserVm",
                                           **{"tags[0].key": "k", "tags[0].value": "v"}))
    pairs["listVirtualMachines"] = {"listVirtualMachines": inside(ask(port, "listVirtualMachines"))}
    pairs["deleteTags"] = finish(port, ask(port, "deleteTags", resourceids=machine, resourcetype="UserVm",
                                           **{"tags[0].key": "k"}))
    pairs["listNetworks"] = networks
    pairs["createLoadBalancerRule"] = finish(port, ask(
        port, "createLoadBalancerRule", name="shape", algorithm="roundrobin", publicport="9090",
        privateport="9090", publicipid=address["id"], openfirewall="false"))
    pairs["associateIpAddress"] = {"": {"jobresult": {"ipaddress": address}}}
    failed = 0
    for command, answer in pairs.items():
        found = list(differences(inside(answer), inside(recorded(command)), command))
        print("not ok" if found else "ok", "-", command, "is told as recorded")
        for difference in found:
            print("  " + difference)
        failed += bool(found)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
