#!/usr/bin/env python3
"""A strict double of a CloudStack management server, on loopback.

It keeps the rules of the API that matter to a client: signatures and their expiry, unknown
parameters refused, lists in pages of at most 500, asynchronous jobs, names taken until a machine is
expunged, tags in a second call, balancing rules that refuse a machine twice. Its answers have the
shape of recorded ones (recorded/; test_recorded.sh compares them).

It prints {"port": N} and lives until its standard input ends. POST /double takes {"action": ...} for
what a person or fate does to the cloud, and answers with its whole state. There are two accounts,
each a cloud of its own.
"""
import base64
import hashlib
import hmac
import json
import sys
import threading
import time
import urllib.parse
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.dont_write_bytecode = True
from cloud import ACCOUNT, TAKES, Cloud, Refused, new_id, now

SECRETS = {"test-api-key": "test-secret-key", "other-api-key": "other-secret-key"}
COMMON = {"command", "response", "apikey", "signature", "signatureversion", "expires"}


def sign(p, secret):
    text = "&".join(f"{k}={java_encode(p[k])}" for k in sorted(p) if k != "signature").lower()
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def check_signature(p):
    if p.get("apikey") not in SECRETS:
        raise Refused(401, "unable to verify user credentials and/or request signature")
    if p.get("signature") != sign(p, SECRETS[p["apikey"]]):
        raise Refused(401, "unable to verify user credentials and/or request signature")
    if p.get("signatureversion") == "3":
        expires = datetime.strptime(p["expires"], "%Y-%m-%dT%H:%M:%S%z")
        if expires < datetime.now(timezone.utc):
            raise Refused(401, "Request has expired")
        if (expires - datetime.now(timezone.utc)).total_seconds() > 900:
            raise Refused(401, "Request expires too late")


def java_encode(value):
    return urllib.parse.quote(value, safe="-_.*").replace("~", "%7E")


def check_parameters(command, p):
    takes = {name.rstrip("*") for name in TAKES[command]}
    for name in p:
        if name not in takes | COMMON:
            raise Refused(431, f"Received unknown parameters for command {command}. Unknown parameters : {name}")
    for name in TAKES[command]:
        if name.endswith("*") and not p.get(name[:-1]):
            raise Refused(431, f"Unable to execute API command {command.lower()} due to missing parameter {name[:-1]}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer_api(urllib.parse.urlsplit(self.path).query)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/double":
            return self.send(200, act(self.server, json.loads(body)))
        self.answer_api(body)

    def answer_api(self, query):
        p = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=False))
        cloud = self.server.clouds.get(p.get("apikey"), self.server.clouds["test-api-key"])
        command = p.get("command", "")
        key = command.lower() + "response"
        try:
            with cloud.lock:
                cloud.settle()
                check_signature(p)
                if command not in TAKES or p.get("response") != "json":
                    raise Refused(432, f"The given command '{command}' either does not exist, is not available for user")
                cloud.calls[command] = cloud.calls.get(command, 0) + 1
                check_parameters(command, p)
                fault = take_fault(cloud, command, p) or {}
                if fault.get("code"):
                    raise Refused(fault["code"], fault.get("text", "a fault"))
                cloud.job_fault = fault if "job" in fault else None
                answer = getattr(cloud, command)(p) if not fault.get("hang") else {}
            if fault.get("hang"):  # for a client that dies meanwhile; nothing is done
                time.sleep(fault["hang"])
            if fault.get("html"):
                return self.send_text(200, "<html>a proxy's page</html>", "text/html")
            if fault.get("drop") or fault.get("hang"):
                self.close_connection = True
                self.connection.close()
                return
            self.send(200, {key: answer})
        except Refused as refused:
            self.send(refused.code if refused.code < 600 else 530,
                      {key: {"uuidList": [], "errorcode": refused.code, "cserrorcode": 9999, "errortext": refused.text}})

    def send(self, status, body):
        self.send_text(status, json.dumps(body), "application/json; charset=utf-8")

    def send_text(self, status, text, kind):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def take_fault(cloud, command, p):
    """The first fault that waits for COMMAND; each strikes `times` times, after `skip` calls that have
    the parameters `with`.

    code: refused; job: its job fails with that code; drop: done, without an answer; hang: neither
    done nor answered for so many seconds; html: done, and answered with a page.
    """
    for fault in cloud.faults:
        if fault["command"] not in (command, "*"):
            continue
        if any(p.get(name) != value for name, value in fault.get("with", {}).items()):
            continue
        if fault.get("skip", 0) > 0:
            fault["skip"] -= 1
            continue
        fault["times"] = fault.get("times", 1) - 1
        if fault["times"] <= 0:
            cloud.faults.remove(fault)
        return fault
    return None


def act(server, wish):
    action = wish.get("action")
    if action == "reset":
        server.clouds = {key: Cloud() for key in SECRETS}
    cloud = server.clouds["test-api-key"]
    with cloud.lock:
        cloud.settle()
        if action == "fault":
            cloud.faults.append(wish)
        elif action == "no-faults":
            cloud.faults = []
        elif action == "set":
            for name in ("capacity", "may_expunge", "boot", "job_time"):
                if name in wish:
                    setattr(cloud, name, wish[name])
        elif action == "loopback":
            cloud.place_on_loopback(wish["prefix"], wish["port"])
        elif action == "machine":  # one of somebody else
            ident = cloud.foreign = new_id()
            zone = cloud.zones[wish.get("zone", "paris")]
            cloud.machines[ident] = {
                "id": ident, "name": wish["name"], "displayname": wish["name"], "state": "Running",
                "zoneid": zone["id"], "zonename": zone["name"], "created": now(), "due": 0, "securitygroup": [],
                "nic": [{"id": new_id(), "networkid": cloud.networks[0]["id"], "networkname": "prod",
                         "ipaddress": wish.get("address", "10.9.9.9"), "isdefault": True, "traffictype": "Guest", "type": "Isolated"}],
                **ACCOUNT}
        elif action == "state":
            cloud.machine(wish["id"])["state"] = wish["state"]
        elif action == "destroy":
            cloud.destroy(cloud.machine(wish["id"]), wish.get("expunge", True))
        elif action == "untag":
            for key in [k for k in cloud.tags if k[0] == wish["id"]]:
                cloud.tags.pop(key)
        elif action == "remove-member":
            for rule in cloud.rules.values():
                if rule["publicport"] == str(wish["port"]) and wish["id"] in rule["members"]:
                    rule["members"].remove(wish["id"])
        elif action == "delete-rule":
            for rule in [r for r in cloud.rules.values() if r["publicport"] == str(wish["port"])]:
                cloud.rules.pop(rule["id"])
        elif action == "zone":
            cloud.zones[wish["zone"]]["allocationstate"] = wish["state"]
        elif action == "forget-calls":
            cloud.calls = {}
        return {"foreign": cloud.foreign, "calls": cloud.calls, "machines": [cloud.tell_machine(m) for m in cloud.seen()],
                "rules": list(cloud.rules.values()), "policies": cloud.policies, "addresses": list(cloud.addresses.values())}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.clouds = {key: Cloud() for key in SECRETS}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
