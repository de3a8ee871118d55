#!/usr/bin/env bash
# From the command line to a management server (the double) and back: a service behind the rules of
# a public address; what somebody changes by hand is named and repaired; zones, templates and
# balancers that are not there are said.
set -uo pipefail
# shellcheck source=tests/clouds/cloudstack/lib.sh
. "$(dirname "$0")/lib.sh" "$1"

start_double
fate '{"action": "machine", "name": "legacy"}'
fleet 3

tt plan --detailed-exitcode
check "a plan" exits 2
check "of three servers, each enrolled, and the rules' protocol" says \
    'Plan: 3 to add, 4 to change, 0 to destroy\.'
check "which changes nothing" no_writes
tt apply --auto-approve
settled "a deployment starts"
check "three machines run beside the one that stood by" sees 'machines()' \
    "0:Running 1:Running 2:Running ?:Running"
check "as the specs say" sees \
    '"%(templatename)s %(serviceofferingname)s %(keypairs)s" % m(0) + " " + m(0)["nic"][0]["networkname"]' \
    "web-kvm small ops prod"
check "with our marks" sees '" ".join(f"{k}={v}" for k, v in sorted(tags(m(2)).items()) if k in ("owner", "deployment", "service"))' \
    "deployment=shop owner=acme service=web"
check "each in every rule" sees 'rules()' "80>8080 0 1 2, 443>8080 0 1 2"
fate '{"action": "forget-calls"}'
tt plan -v
check "an observation is a few lists, and one a rule" sees \
    '" ".join(f"{k}:{v}" for k, v in sorted(d["calls"].items()))' \
    "listLoadBalancerRuleInstances:2 listLoadBalancerRules:1 listTemplates:1 listVirtualMachines:2 listZones:1"
check "requests are counted" says 'dc1: 2 requests cloudstack listVirtualMachines'
tt apply --auto-approve
check "an apply of nothing" exits 0
check "changes nothing" no_writes

# By hand: a machine is taken out of one of the two rules.
fate "{\"action\": \"remove-member\", \"port\": 80, \"id\": \"$(tell 'm(1)["id"]')\"}"
check "by hand, one is out of one rule" sees 'rules()' "80>8080 0 2, 443>8080 0 1 2"
tt drift --json
check "drift: exit 2" exits 2
check "names that it is to be enrolled" says_json \
    '" ".join(s["action"] + ":" + s["subject"] for s in d["drift"])' "enroll:Service/shop/web/1"
fate '{"action": "forget-calls"}'
tt apply --auto-approve
check "a partial join is mended" exits 0
check "in both again" sees 'rules()' "80>8080 0 1 2, 443>8080 0 1 2"
check "by one call" sees 'd["calls"]["assignToLoadBalancerRule"]' 1

# By hand: a whole rule is deleted. Git wants another algorithm, and another port behind the other
# rule, which the server is too busy to make anew at first.
fate '{"action": "delete-rule", "port": 443}'
tt drift
check "a rule that is gone is drift" exits 2
fate '{"action": "fault", "command": "createLoadBalancerRule", "code": 429, "times": 2}'
edit 's/^  scope: data-center/  algorithm: source\n&/;s/{port: 80, targetPort: 8080}/{port: 80, targetPort: 8081}/'
tt apply --auto-approve
settled "it is made again"
check "with the algorithm of the specs" sees '{r["algorithm"] for r in d["rules"]}' "{'source'}"
check "with all members" sees 'rules()' "80>8081 0 1 2, 443>8080 0 1 2"
check "open to whom they were" sees '{r["cidrlist"] for r in d["rules"]}' "{'192.0.2.0/24,198.51.100.0/24'}"
check "and with the stickiness of the one before" sees \
    '[" ".join([p["name"], p["methodname"], p["description"]] + sorted(f"{k}={v}" for k, v in p["params"].items()))
      for r in d["rules"] for p in d["policies"].get(r["id"], [])]' \
    "['sticky LbCookie by cookie cookie-name=shop domain=a.example:b.example indirect=null']"
check "by the old name where the port is" sees 'sorted(r["name"] for r in d["rules"])' \
    "['shop-http', 'shop-http-443']"
check "and without opening the firewall" sees '[r for r in d["rules"] if "firewall" in r]' "[]"

# A disabled zone takes nobody in; what runs there stays.
gone=$(tell 'm(0)["id"]')
fate '{"action": "zone", "zone": "paris", "state": "Disabled"}'
fate "{\"action\": \"destroy\", \"id\": \"$gone\", \"expunge\": false}"
tt apply --auto-approve
check "a disabled zone takes no machine: exit 1" exits 1
check "and that is said" says 'no-zone-available'
check "what runs there stays" sees 'rules()' "80>8081 1 2, 443>8080 1 2"
check "what is destroyed is nobody's member, even while its rules hold it" \
    sees "['$gone' in r['members'] for r in d['rules']]" "[True, True]"
tt plan --json
check "and not told as somebody's" says_json '[p["code"] for p in d["problems"] if p["code"] == "foreign-member"]' "[]"

# Enabled again; one is stopped by hand; and Git wants another template and size.
fate '{"action": "zone", "zone": "paris", "state": "Enabled"}'
fate "{\"action\": \"state\", \"id\": \"$(tell 'm(2)["id"]')\", \"state\": \"Stopped\"}"
edit 's/template: web-kvm, size: small/template: web-kvm-2, size: medium/'
edit 's/8081/8080/;s/^  balancers: .edge./&\n  update: {maxSurge: 3}/'
tt apply --auto-approve
settled "a machine gone, one stopped, all outdated, a port"
check "three run" sees 'machines()' "0:Running 1:Running 2:Running ?:Running"
check "all of them new" sees \
    '{(m["templatename"], m["serviceofferingname"]) for m in d["machines"] if m["name"] != "legacy"}' \
    "{('web-kvm-2', 'medium')}"
check "and members" sees 'rules()' "80>8080 0 1 2, 443>8080 0 1 2"

# What is not there is said.
edit 's/zones: \[paris\]/zones: [lyon]/'
tt plan
check "a zone of another region: exit 1" exits 1
check "says which there is" says 'no-such-zone'
edit 's/zones: \[lyon\]/zones: [paris]/;s/template: web-kvm-2/template: web-none/'
tt plan
check "an unknown template: exit 1" exits 1
check "is named" says 'no-such-template.*web-none|web-none.*no-such-template'
edit 's/template: web-none/template: web-kvm-2/;s/name: 203.0.113.20/name: 203.0.113.99/'
tt plan
check "an address without rules: exit 1" exits 1
check "the problem lists those with rules" says 'no-such-cloud-balancer|shop-http'
tt offers
check "offers lists the address by its rules" says 'shop-http'
check "and the machine that stands by" says 'legacy'

# The rules' names say the same balancer.
edit 's/name: 203.0.113.99/name: shop-http-443/'
tt plan --detailed-exitcode
check "a rule's name means its address, too" exits 0

edit 's/state: running/state: stopped/'
tt apply --auto-approve
settled "state: stopped"
check "only who stood by is left" sees 'machines()' "?:Running"
check "the rules stay, empty" sees 'rules()' "80>8080 , 443>8080 "
cp "$here/examples/cloudstack/fleet.yaml" "$repo/"
commit example
tt validate
check "the example is valid" exits 0
finish
