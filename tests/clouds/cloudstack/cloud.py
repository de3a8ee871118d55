"""The cloud behind the double: what an account has, the commands, and what each takes."""
import os
import socketserver
import sys
import threading
import time
import uuid
from datetime import datetime, timezone

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import answering

ACCOUNT = {"account": "acme", "domain": "ROOT", "domainid": "e4874e10-5fdf-11ea-9a56-1e006800018c"}
USER = "27f2484f-5fe0-11ea-9a56-1e006800018c"
PAGE = 500
CIDRS = "192.0.2.0/24,198.51.100.0/24"
VPC = "203.0.113.30"  # an address of one: of no network while it leads nowhere


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


def new_id():
    return str(uuid.uuid4())


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+0000")


class Cloud:
    def __init__(self):
        self.lock = threading.RLock()
        self.jobs, self.calls, self.faults, self.job_fault = {}, {}, [], None
        self.machines, self.rules, self.tags, self.policies = {}, {}, {}, {}
        self.capacity, self.may_expunge = 10_000, True
        self.boot, self.job_time = 0.05, 0.03
        self.next_address, self.foreign = 10, None
        self.prefix, self.port, self.serving = "10.1.0.", 0, {}
        self.zones = {n: {"id": new_id(), "name": n, "allocationstate": "Enabled",
                          "networktype": "Advanced", "securitygroupsenabled": g, "tags": []}
                      for n, g in (("paris", False), ("lyon", True))}
        self.templates = [dict(id=new_id(), name=n, zoneid=z["id"], isready=True)
                          for z in self.zones.values() for n in ("web-kvm", "web-kvm-2", "lb-kvm")]
        self.offerings = [dict(id=new_id(), name=n) for n in ("small", "medium")]
        self.networks = [dict(id=new_id(), name=n, zoneid=self.zones[z]["id"], type=t, state="Implemented")
                         for n, z, t in (("prod", "paris", "Isolated"), ("prod", "lyon", "Shared"))]
        self.groups = [dict(id=new_id(), name=n, **ACCOUNT) for n in ("default", "web")]
        self.addresses = {}
        for a, nat in (("203.0.113.1", True), ("203.0.113.20", False), ("203.0.113.30", False)):
            self.addresses[a] = {"id": new_id(), "ipaddress": a, "zoneid": self.zones["paris"]["id"],
                                 "zonename": "paris", "issourcenat": nat, "isstaticnat": False,
                                 "associatednetworkid": self.networks[0]["id"], "state": "Allocated",
                                 "forvirtualnetwork": True, "tags": [], **ACCOUNT}
        self.addresses[VPC].pop("associatednetworkid")
        for name, port in (("shop-http", 80), ("shop-https", 443)):
            rule = self.add_rule(name, "203.0.113.20", port, 8080, "roundrobin", CIDRS)
            self.add_policy(rule["id"], "sticky", "LbCookie", "by cookie",
                            [("cookie-name", "shop"), ("domain", "a.example"), ("domain", "b.example")])

    # -- what the API and the tests both do ---------------------------------------------------

    def add_rule(self, name, address, public, private, algorithm, cidrs=""):
        rule = {"id": new_id(), "name": name, "publicip": address,
                "publicipid": self.addresses[address]["id"], "publicport": str(public),
                "privateport": str(private), "algorithm": algorithm, "protocol": "tcp",
                "state": "Active", "networkid": self.networks[0]["id"], "cidrlist": cidrs,
                "zoneid": self.zones["paris"]["id"], "zonename": "paris", "members": [], **ACCOUNT}
        self.rules[rule["id"]] = rule
        return rule

    def add_policy(self, rule, name, method, description, params):
        told = {"indirect": "null"}
        for key, value in params:
            told[key] = value + (":" + told[key] if key in told else "")
        self.policies.setdefault(rule, []).append(
            {"id": new_id(), "name": name, "methodname": method, "description": description, "params": told})

    def job(self, work, **result):
        """Starts a job whose WORK runs when its time has come."""
        fault = self.job_fault
        if fault:
            def work():
                raise Refused(fault["job"], fault.get("text", "a fault"))
        job = {"id": new_id(), "due": time.monotonic() + self.job_time, "work": work,
               "status": 0, "code": 0, "result": None}
        self.jobs[job["id"]] = job
        return {**result, "jobid": job["id"]}

    def settle(self):
        """Lets time pass: jobs end, machines come up."""
        for job in self.jobs.values():
            if job["status"] == 0 and time.monotonic() >= job["due"]:
                try:
                    job["result"] = job["work"]() or {"success": True}
                    job["status"] = 1
                except Refused as refused:
                    job.update(status=2, code=530,
                               result={"errorcode": refused.code, "errortext": refused.text})
        for machine in self.machines.values():
            if machine["state"] == "Starting" and time.monotonic() >= machine["due"]:
                machine["state"] = "Running"

        if self.port:
            self.serve()

    def place_on_loopback(self, prefix, port):
        """From now on machines have addresses of this host, and answer at that port while they run."""
        self.prefix, self.port = prefix, port
        address = self.addresses.pop(VPC)
        address["ipaddress"] = prefix + "30"
        self.addresses[address["ipaddress"]] = address

    def serve(self):
        running = {m["nic"][0]["ipaddress"] for m in self.machines.values() if m["state"] == "Running"}
        for address in running - self.serving.keys():
            self.serving[address] = socketserver.ThreadingTCPServer((address, self.port), answering.Front)
            threading.Thread(target=self.serving[address].serve_forever, args=(0.05,), daemon=True).start()
        for address in self.serving.keys() - running:
            server = self.serving.pop(address)
            server.shutdown()
            server.server_close()

    def tell_machine(self, m):
        return {k: v for k, v in m.items() if k != "due"} | {"tags": self.tell_tags(m["id"], "UserVm")}

    def tell_tags(self, resource, kind):
        return [{"key": k, "value": v, "resourcetype": kind, "resourceid": resource, **ACCOUNT}
                for (r, k), v in sorted(self.tags.items()) if r == resource]

    def seen(self):
        """An ordinary account does not see what is destroyed."""
        return [m for m in self.machines.values() if m["state"] not in ("Destroyed", "Expunging")]

    def machine(self, ident):
        m = self.machines.get(ident)
        if not m or m["state"] in ("Destroyed", "Expunging"):
            raise Refused(431, f"Unable to execute API command due to invalid value. Invalid parameter "
                               f"id value={ident} due to incorrect long value format, or entity does not exist")
        return m

    def rule(self, ident):
        if ident not in self.rules:
            raise Refused(431, f"Invalid parameter id value={ident}: the entity does not exist")
        return self.rules[ident]

    # -- commands -----------------------------------------------------------------------------

    def listZones(self, p):
        return self.page("zone", list(self.zones.values()), p)

    def listTemplates(self, p):
        if p.get("templatefilter") not in ("executable", "featured", "self", "selfexecutable", "sharedexecutable", "community", "all"):
            raise Refused(431, "templatefilter is required")
        return self.page("template", [t for t in self.templates if p.get("zoneid") in (None, t["zoneid"])], p)

    def listServiceOfferings(self, p):
        return self.page("serviceoffering", self.offerings, p)

    def listNetworks(self, p):
        return self.page("network", [n for n in self.networks if p.get("zoneid") in (None, n["zoneid"])], p)

    def listSecurityGroups(self, p):
        return self.page("securitygroup", self.groups, p)

    def listPublicIpAddresses(self, p):
        return self.page("publicipaddress", [a for a in self.addresses.values()
                                             if p.get("zoneid") in (None, a["zoneid"])
                                             and p.get("ipaddress") in (None, a["ipaddress"])], p)

    def listVirtualMachines(self, p):
        found = [m for m in self.seen() if p.get("zoneid") in (None, m["zoneid"])]
        if "id" in p:
            self.machine(p["id"])
            found = [m for m in found if m["id"] == p["id"]]
        if "name" in p:
            found = [m for m in found if m["name"] == p["name"]]
        if "keyword" in p:
            found = [m for m in found if p["keyword"] in m["name"] or p["keyword"] in m["displayname"]]
        if "tags[0].key" in p:
            found = [m for m in found if self.tags.get((m["id"], p["tags[0].key"])) == p.get("tags[0].value")]
        return self.page("virtualmachine", [self.tell_machine(m) for m in found], p)

    def deployVirtualMachine(self, p):
        zone = next((z for z in self.zones.values() if z["id"] == p["zoneid"]), None)
        template = next((t for t in self.templates if t["id"] == p["templateid"]), None)
        offering = next((o for o in self.offerings if o["id"] == p["serviceofferingid"]), None)
        network = next((n for n in self.networks if n["id"] == p.get("networkids")), None)
        if not zone or not template or not offering:
            raise Refused(431, "Unable to find the zone, template or service offering")
        if not network and not zone["securitygroupsenabled"]:
            raise Refused(431, "networkids is required in this zone")
        if p.get("securitygroupids") and not zone["securitygroupsenabled"]:
            raise Refused(431, "Can't create a vm with security groups in this zone")
        if p.get("keypair", "ops") != "ops":
            raise Refused(431, f"A key pair with name '{p['keypair']}' was not found.")
        name = p.get("name", "")
        if len(name) > 63 or not name[:1].isalpha() or name.endswith("-"):
            raise Refused(431, f"Invalid name {name}")
        if any(m["name"] == name for m in self.machines.values() if m["state"] != "Expunging"):
            raise Refused(431, f"The vm with hostName {name} already exists in the network domain")
        if len(p.get("userdata", "")) > 1024 * 1024:
            raise Refused(431, "User data is too long")
        network = network or self.networks[1]
        self.next_address += 1
        ident = new_id()
        groups = [{"id": g["id"], "name": g["name"]} for g in self.groups
                  if g["id"] in p.get("securitygroupids", "").split(",")]
        self.machines[ident] = {
            "id": ident, "name": name, "displayname": p.get("displayname", name), "state": "Starting",
            "zoneid": zone["id"], "zonename": zone["name"], "templateid": template["id"],
            "templatename": template["name"], "serviceofferingid": offering["id"],
            "serviceofferingname": offering["name"], "created": now(), "haenable": False,
            "securitygroup": groups, "hypervisor": "Simulator", "due": float("inf"),
            "nic": [{"id": new_id(), "networkid": network["id"], "networkname": network["name"],
                     "ipaddress": self.prefix + str(self.next_address % 250 + 1),
                     "isdefault": True, "traffictype": "Guest", "type": network["type"]}],
            **({"keypairs": p["keypair"]} if "keypair" in p else {}), **ACCOUNT}

        def work():
            m = self.machines[ident]
            if len(self.seen()) > self.capacity or zone["allocationstate"] == "Disabled":
                m["state"] = "Error"
                raise Refused(533, "Insufficient capacity: unable to create a deployment for VM")
            m["due"] = time.monotonic() + self.boot
            return {"virtualmachine": self.tell_machine(m)}
        return self.job(work, id=ident)

    def destroyVirtualMachine(self, p):
        m = self.machine(p["id"])

        def work():
            if p.get("expunge") == "true" and not self.may_expunge:
                raise Refused(530, "Parameter expunge can be passed by Admin only. Or when the allow.user.expunge.recover.vm key is set.")
            self.destroy(m, p.get("expunge") == "true")
        return self.job(work)

    def destroy(self, m, expunge):
        """One that is only destroyed stays in its rules."""
        m["state"] = "Expunging" if expunge else "Destroyed"
        if expunge:
            self.let_go(m["id"])

    def let_go(self, ident):
        for rule in self.rules.values():
            if ident in rule["members"]:
                rule["members"].remove(ident)
        for address in self.addresses.values():
            if address.get("virtualmachineid") == ident:
                address["isstaticnat"] = False
                address.pop("virtualmachineid")

    def startVirtualMachine(self, p):
        m = self.machine(p["id"])
        if m["state"] == "Running":
            raise Refused(431, "VM is already running")

        def work():
            m.update(state="Starting", due=time.monotonic() + self.boot)
        return self.job(work)

    def stopVirtualMachine(self, p):
        m = self.machine(p["id"])

        def work():
            m["state"] = "Stopped"
        return self.job(work)

    def createTags(self, p):
        return self.change_tags(p, True)

    def deleteTags(self, p):
        return self.change_tags(p, False)

    def change_tags(self, p, on):
        kinds = {"UserVm": self.machines, "LoadBalancer": self.rules}
        if p["resourcetype"] not in kinds or p["resourceids"] not in kinds[p["resourcetype"]]:
            raise Refused(431, f"Unable to find the resource {p['resourceids']}: it does not exist")
        pairs = [(p[f"tags[{i}].key"], p.get(f"tags[{i}].value")) for i in range(20) if f"tags[{i}].key" in p]
        if not pairs:
            raise Refused(431, "tags is required")

        def work():
            for key, value in pairs:
                if on and (p["resourceids"], key) in self.tags:
                    raise Refused(530, f"Tag {key} already on {p['resourcetype']}")
            for key, value in pairs:
                if on:
                    self.tags[(p["resourceids"], key)] = value
                else:
                    self.tags.pop((p["resourceids"], key), None)
        return self.job(work)

    def listLoadBalancerRules(self, p):
        rules = [{k: v for k, v in r.items() if k != "members"} | {"tags": self.tell_tags(r["id"], "LoadBalancer")}
                 for r in self.rules.values() if p.get("zoneid") in (None, r["zoneid"])]
        return self.page("loadbalancerrule", rules, p)

    def listLoadBalancerRuleInstances(self, p):
        rule = self.rule(p["id"])
        # a list that knows no pages
        return self.page("loadbalancerruleinstance",
                         [self.tell_machine(self.machines[i]) for i in rule["members"]], {})

    def assignToLoadBalancerRule(self, p):
        rule, ids = self.rule(p["id"]), p["virtualmachineids"].split(",")
        for ident in ids:
            m = self.machine(ident)
            if m["state"] not in ("Running", "Starting", "Stopped"):
                raise Refused(431, f"VM {ident} is in state {m['state']}")

        def work():
            for ident in ids:
                if ident in rule["members"]:
                    raise Refused(431, f"VM {ident} is already mapped to load balancer.")
            rule["members"].extend(ids)
        return self.job(work)

    def removeFromLoadBalancerRule(self, p):
        rule, ids = self.rule(p["id"]), p["virtualmachineids"].split(",")

        def work():
            for ident in ids:
                if ident not in rule["members"]:
                    raise Refused(431, f"VM {ident} is not mapped to the load balancer")
            rule["members"] = [m for m in rule["members"] if m not in ids]
        return self.job(work)

    def createLoadBalancerRule(self, p):
        address = next((a for a in self.addresses.values() if a["id"] == p["publicipid"]), None)
        if not address:
            raise Refused(431, "Unable to find the public address")
        if any(r["publicipid"] == p["publicipid"] and r["publicport"] == p["publicport"] for r in self.rules.values()):
            raise Refused(537, "The range specified conflicts with rule")
        rule = self.add_rule(p["name"], address["ipaddress"], p["publicport"], p["privateport"], p["algorithm"],
                             p.get("cidrlist", ""))
        if p.get("openfirewall", "true") == "true":
            rule["firewall"] = "opened"
        return self.job(lambda: {"loadbalancer": {k: v for k, v in rule.items() if k != "members"}}, id=rule["id"])

    def updateLoadBalancerRule(self, p):
        rule = self.rule(p["id"])
        if p.get("algorithm") not in (None, "roundrobin", "leastconn", "source"):
            raise Refused(431, f"Invalid algorithm: {p['algorithm']}")

        def work():
            rule.update({k: v for k, v in p.items() if k in ("algorithm", "name")})
            return {"loadbalancer": {k: v for k, v in rule.items() if k != "members"}}
        return self.job(work)

    def listLBStickinessPolicies(self, p):
        rule = self.rule(p["lbruleid"])
        policies = self.policies.get(rule["id"])
        return self.page("stickinesspolicies", [{"lbruleid": rule["id"], "stickinesspolicy": policies}] if policies else [], p)

    def createLBStickinessPolicy(self, p):
        rule = self.rule(p["lbruleid"])
        if p["methodname"] not in ("LbCookie", "AppCookie", "SourceBased") or self.policies.get(rule["id"]):
            raise Refused(431, "Failed to create stickiness policy")
        params = [(p[f"param[{i}].name"], p[f"param[{i}].value"]) for i in range(9) if f"param[{i}].name" in p]

        def work():
            self.add_policy(rule["id"], p["name"], p["methodname"], p.get("description", ""), params)
        return self.job(work, id=new_id())

    def deleteLoadBalancerRule(self, p):
        rule = self.rule(p["id"])

        def work():
            self.rules.pop(rule["id"], None)
            self.policies.pop(rule["id"], None)
        return self.job(work)

    def address(self, ident):
        for address in self.addresses.values():
            if address["id"] == ident:
                return address
        raise Refused(431, f"Unable to find IP address {ident}: it does not exist")

    def enableStaticNat(self, p):
        address, m = self.address(p["ipaddressid"]), self.machine(p["virtualmachineid"])
        if address["issourcenat"]:
            raise Refused(431, "Can't enable static nat for a source nat address")
        if address["isstaticnat"] or any(r["publicipid"] == address["id"] for r in self.rules.values()):
            raise Refused(431, "The IP address is in use by another rule")
        network = address.get("associatednetworkid", p.get("networkid"))
        if network not in [card["networkid"] for card in m["nic"]]:
            raise Refused(431, "The address is not associated with any network and no networkId is passed in")
        address.update(isstaticnat=True, virtualmachineid=m["id"], associatednetworkid=network)
        m["publicip"] = address["ipaddress"]
        return {"success": "true"}

    def disableStaticNat(self, p):
        address = self.address(p["ipaddressid"])
        if not address["isstaticnat"]:
            raise Refused(431, "Specified IP address id is not associated with any vm Id")

        def work():
            self.machines[address.pop("virtualmachineid")].pop("publicip", None)
            address["isstaticnat"] = False
            address.pop("associatednetworkid")
        return self.job(work)

    def queryAsyncJobResult(self, p):
        job = self.jobs.get(p["jobid"])
        if not job:
            raise Refused(431, "Unable to find a job by id: it does not exist")
        answer = {"jobid": job["id"], "jobstatus": job["status"], "jobprocstatus": 0,
                  "jobresultcode": job["code"], "created": now(), "accountid": USER, "userid": USER}
        if job["result"] is not None:
            answer.update(jobresult=job["result"], jobresulttype="object", completed=now())
        return answer

    def page(self, key, items, p):
        size = int(p.get("pagesize", PAGE))
        if size > PAGE:
            raise Refused(431, f"Page size can not exceed max allowed page size value: {PAGE}")
        if ("page" in p) != ("pagesize" in p):
            raise Refused(431, "\"page\" and \"pagesize\" come together")
        first = (int(p.get("page", 1)) - 1) * size
        if not items:
            return {}
        return {"count": len(items), key: items[first:first + size]}


LIST = {"page", "pagesize", "listall"}
# The parameters of each command, the required ones with a star.
TAKES = {
    "listZones": LIST | {"name", "available"},
    "listTemplates": LIST | {"templatefilter*", "zoneid", "name"},
    "listServiceOfferings": LIST | {"name"},
    "listNetworks": LIST | {"zoneid"},
    "listSecurityGroups": LIST | {"securitygroupname"},
    "listPublicIpAddresses": LIST | {"zoneid", "ipaddress", "allocatedonly"},
    "listVirtualMachines": LIST | {"zoneid", "id", "name", "keyword", "details", "tags[0].key", "tags[0].value"},
    "listLoadBalancerRules": LIST | {"zoneid", "id", "publicipid"},
    "listLoadBalancerRuleInstances": {"page", "pagesize", "id*", "applied", "lbvmips"},
    "deployVirtualMachine": {"zoneid*", "templateid*", "serviceofferingid*", "name", "displayname", "networkids",
                             "securitygroupids", "keypair", "userdata"},
    "destroyVirtualMachine": {"id*", "expunge"},
    "startVirtualMachine": {"id*"},
    "stopVirtualMachine": {"id*", "forced"},
    "createTags": {"resourceids*", "resourcetype*"} | {f"tags[{i}].{k}" for i in range(20) for k in ("key", "value")},
    "deleteTags": {"resourceids*", "resourcetype*"} | {f"tags[{i}].{k}" for i in range(20) for k in ("key", "value")},
    "assignToLoadBalancerRule": {"id*", "virtualmachineids*"},
    "removeFromLoadBalancerRule": {"id*", "virtualmachineids*"},
    "createLoadBalancerRule": {"name*", "algorithm*", "publicport*", "privateport*", "publicipid", "networkid",
                               "protocol", "openfirewall", "cidrlist"},
    "updateLoadBalancerRule": {"id*", "algorithm", "name", "description", "protocol", "fordisplay"},
    "listLBStickinessPolicies": {"page", "pagesize", "id", "lbruleid"},
    "createLBStickinessPolicy": {"lbruleid*", "methodname*", "name*", "description"}
                                | {f"param[{i}].{k}" for i in range(9) for k in ("name", "value")},
    "deleteLoadBalancerRule": {"id*"},
    "enableStaticNat": {"ipaddressid*", "virtualmachineid*", "networkid"},
    "disableStaticNat": {"ipaddressid*"},
    "queryAsyncJobResult": {"jobid*"},
}
