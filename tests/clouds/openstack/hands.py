"""The hands of somebody else on the OpenStack of cloud.py, by its own API.

    /usr/bin/python3 hands.py FACTS WHAT [ARGUMENT...]

FACTS is the file with what cloud.py printed; WHAT is one of the functions below that take words.
"""

import json
import os
import signal
import sys
import time
import urllib.request

FACTS = json.load(open(sys.argv[1]))


def url(service, path):
    return "http://127.0.0.1:%d%s" % (FACTS["ports"][service], path)


def ask(method, service, path, body=None, token=None, kind="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else None
    request = urllib.request.Request(url(service, path), data, method=method)
    request.add_header("Content-Type", kind)
    request.add_header("OpenStack-API-Version", "compute 2.90")
    if token:
        request.add_header("X-Auth-Token", token)
    with urllib.request.urlopen(request, timeout=60) as reply:
        text = reply.read()
        return (json.loads(text) if text else None), reply.headers.get("X-Subject-Token")


def log_in():
    body, token = ask("POST", "keystone", "/v3/auth/tokens", {"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": "admin", "domain": {"id": "default"}, "password": "adminpw"}}},
        "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}}})
    return body["token"]["user"]["id"], token


USER, TOKEN = log_in()


def nova(method, path, body=None):
    return ask(method, "nova", "/v2.1" + path, body, TOKEN)[0]


def octavia(method, path, body=None):
    return ask(method, "octavia", "/v2/lbaas" + path, body, TOKEN)[0]


def glance(method, path, body, **kind):
    return ask(method, "glance", "/v2/images" + path, body, TOKEN, **kind)[0]


def ours():
    """Servers of the deployment, by slot."""
    servers = nova("GET", "/servers/detail")["servers"]
    return sorted((s for s in servers if s["metadata"].get("trimtab:deployment") == "shop"),
                  key=lambda s: int(s["metadata"]["trimtab:slot"]))


def in_slot(slot):
    return next(s for s in ours() if s["metadata"]["trimtab:slot"] == slot)


def address(server):
    return next(iter(server["addresses"].values()))[0]["addr"]


def pool_of(name):
    found = octavia("GET", "/loadbalancers?name=" + name)["loadbalancers"][0]
    return octavia("GET", "/loadbalancers/%s/status" % found["id"])["statuses"][
        "loadbalancer"]["listeners"][0]["pools"][0]["id"]


def settle(name):
    """Until the balancer may be changed again."""
    while octavia("GET", "/loadbalancers?name=" + name)["loadbalancers"][0][
            "provisioning_status"] != "ACTIVE":
        time.sleep(0.2)


def servers():
    print(",".join("%s %s %s" % (s["metadata"]["trimtab:slot"],
                                 s["OS-EXT-AZ:availability_zone"], s["status"]) for s in ours()))


def members(name):
    slots = {address(s): s["metadata"]["trimtab:slot"] for s in ours()}
    found = octavia("GET", "/pools/%s/members" % pool_of(name))["members"]
    print(" ".join(sorted("%s:%d" % (slots.get(m["address"], m["address"]), m["protocol_port"])
                          for m in found)))


def targets(name):
    """What is behind each listener, and how it is checked."""
    owner = octavia("GET", "/loadbalancers?name=" + name)["loadbalancers"][0]["id"]
    found = octavia("GET", "/listeners?loadbalancer_id=" + owner)["listeners"]
    for listener in sorted(found, key=lambda one: one["protocol_port"]):
        pool = octavia("GET", "/pools/" + listener["default_pool_id"])["pool"]
        ports = [member["protocol_port"]
                 for member in octavia("GET", "/pools/%s/members" % pool["id"])["members"]]
        monitor = pool["healthmonitor_id"] and octavia(
            "GET", "/healthmonitors/" + pool["healthmonitor_id"])["healthmonitor"]
        print("%d to %s, %s" % (listener["protocol_port"], " ".join(map(str, sorted(ports))),
                                "%(type)s every %(delay)d s" % monitor if monitor else "unchecked"))


def credential():
    """An application credential: its id and its secret."""
    made = ask("POST", "keystone", "/v3/users/%s/application_credentials" % USER, {
        "application_credential": {"name": "test-%d" % time.time_ns()}}, TOKEN)[0][
            "application_credential"]
    print(made["id"], made["secret"])


def token():
    print(TOKEN)


def machine(slot):
    print(in_slot(slot)["id"])


def state(ident):
    print(nova("GET", "/servers/" + ident)["server"]["status"])


def host(slot):
    print(in_slot(slot)["OS-EXT-SRV-ATTR:host"])


def break_down(slot):
    nova("POST", "/servers/%s/action" % in_slot(slot)["id"], {"os-resetState": {"state": "error"}})


def delete(slot):
    ident = in_slot(slot)["id"]
    nova("DELETE", "/servers/" + ident)
    while any(s["id"] == ident for s in ours()):
        time.sleep(0.2)


def expel(name, slot):
    pool = pool_of(name)
    there = address(in_slot(slot))
    for member in octavia("GET", "/pools/%s/members" % pool)["members"]:
        if member["address"] == there:
            octavia("DELETE", "/pools/%s/members/%s" % (pool, member["id"]))
    settle(name)


def replace_image(name):
    """Another one takes the name."""
    glance("PATCH", "/" + FACTS["image"], [{"op": "replace", "path": "/name", "value": name + "-old"}],
           kind="application/openstack-images-v2.1-json-patch")
    made = glance("POST", "", {"name": name, "disk_format": "raw", "container_format": "bare"})["id"]
    glance("PUT", "/%s/file" % made, b"another image", kind="application/octet-stream")


def kill_host(name):
    """Until Nova has seen that nothing comes from it any more."""
    os.kill(FACTS["hosts"][name], signal.SIGKILL)
    while any(s["host"] == name and s["state"] == "up"
              for s in nova("GET", "/os-services?binary=nova-compute")["services"]):
        time.sleep(0.5)


def stamps(name):
    """When anything was last changed."""
    print(sorted(s["updated"] for s in ours()),
          octavia("GET", "/loadbalancers?name=" + name)["loadbalancers"][0]["updated_at"],
          sorted(str(m["updated_at"])
                 for m in octavia("GET", "/pools/%s/members" % pool_of(name))["members"]))


globals()[sys.argv[2].replace("-", "_")](*sys.argv[3:])
