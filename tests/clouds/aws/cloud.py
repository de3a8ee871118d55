"""An AWS to test against: moto's server on a free port, with what moto lacks and the faults that it
cannot make.

    python3 cloud.py            prints one line of JSON, {"port": N}, then serves until standard
                                input ends
    POST /double/seed           what the conformance tests stand on; answers with its ids
    POST /double/policy         JSON: a policy; answers with the key of a user who has it and
                                nothing else, and checks signatures and permissions from now on
    POST /double/account        a command of account.py and its arguments, each in a line: what boto3
                                sees or does with a key of its own; answers with text
    POST /double/faults         JSON: [{"action": "RunInstances", "fault": "throttle", "times": 2,
                                "skip": 1,
                                "zone": "us-east-1a"}, ...]
    POST /double/impaired       JSON: ids of instances whose own status checks fail
    POST /double/broken         JSON: ids of instances on hosts whose status checks fail
    POST /double/loopback       JSON: {"prefix": "127.0.0.", "port": N}: from now on machines are listed
                                at addresses of this host and answer at that port
    POST /double/console        JSON: {"text": TEXT, "late": N}: what consoles say, after N that say
                                nothing yet; as those of types that tell no latest output
    GET  /double/places         {id: address} of those listed so far
    GET  /double/record         the calls so far: [[action, {parameter: value}], ...]
    POST /double/forget         empties the record

Added to moto: ClientToken (the same token in the same zone is the same answer), and a proper error
where a classic balancer does not exist.
"""

import base64
import io
import json
import os
import re
import socketserver
import sys
import threading
import urllib.parse

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # six hundred images that nobody asks for

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.elb.models import elb_backends
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
import moto.moto_server.threaded_moto_server as server_module

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import answering
from account import Account

REGION = "us-east-1"
OTHER_ACCOUNT = "111111111111"

# fault -> (status, code): answers that keep a request from having an effect
REFUSALS = {
    "throttle": (503, "RequestLimitExceeded"),
    "elb-throttle": (400, "Throttling"),
    "capacity": (500, "InsufficientInstanceCapacity"),
    "not-yet": (400, "InvalidInstance"),
    "denied": (403, "UnauthorizedOperation"),
    "expired": (400, "RequestExpired"),
    "error": (500, "InternalError"),
}
BODIES = {
    "malformed": b"<DescribeInstancesResponse><reservationSet>",
    "html": b"<html><body>Sign in to the network</body></html>",
    "other-root": b"<DescribeVpcsResponse></DescribeVpcsResponse>",
    "bomb": b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'
    b"<DescribeInstancesResponse><requestId>&c;</requestId></DescribeInstancesResponse>",
    "deep": b"<DescribeInstancesResponse>" + b"<a>" * 100000,
    "empty": b"",
}


class Double:
    """In front of moto."""

    def __init__(self, app):
        self.app = app
        self.port = self.account = None
        self.clients = {}
        self.lock = threading.RLock()
        self.clear()

    def clear(self):
        self.tokens = {}
        self.faults = []
        self.impaired = []
        self.broken = []
        self.calls = []
        self.prefix, self.listen, self.places = None, 0, {}
        self.console, self.late = None, 0

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=f"http://127.0.0.1:{self.port}",
                aws_access_key_id="root",
                aws_secret_access_key="root",
            )
        return self.clients[service]

    # --- control ---

    def control(self, path, body):
        if path == "/double/seed":
            return self.seed()
        if path == "/double/account":
            return self.account.run(*body.decode().splitlines())
        if path == "/double/policy":
            return self.check(json.loads(body))
        with self.lock:
            if path == "/double/faults":
                self.faults = json.loads(body)
            elif path == "/double/impaired":
                self.impaired = json.loads(body)
            elif path == "/double/broken":
                self.broken = json.loads(body)
            elif path == "/double/loopback":
                wish = json.loads(body)
                self.prefix, self.listen = wish["prefix"], wish["port"]
            elif path == "/double/console":
                wish = json.loads(body)
                self.console, self.late = wish["text"], wish["late"]
            elif path == "/double/places":
                return self.places
            elif path == "/double/record":
                return self.calls
            elif path == "/double/forget":
                self.calls = []
        return {}

    def check(self, policy):
        """Whoever comes from now on needs a signature and a permission."""
        iam = self.client("iam")
        iam.create_user(UserName="trimtab")
        iam.put_user_policy(
            UserName="trimtab", PolicyName="trimtab", PolicyDocument=json.dumps(policy)
        )
        key = iam.create_access_key(UserName="trimtab")["AccessKey"]
        # the test's own eyes and hands
        iam.create_user(UserName="admin")
        iam.put_user_policy(
            UserName="admin",
            PolicyName="admin",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                }
            ),
        )
        admin = iam.create_access_key(UserName="admin")["AccessKey"]
        self.account = Account(self.port, admin["AccessKeyId"], admin["SecretAccessKey"])
        self.post("/moto-api/reset-auth", b"0")
        return {"id": key["AccessKeyId"], "secret": key["SecretAccessKey"]}

    def post(self, path, body):
        import urllib.request

        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body,
            headers={"Content-Type": "text/plain"},
            method="POST",
        )
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).read()

    def seed(self):
        self.post("/moto-api/reset-auth", b"1000000000")
        self.post("/moto-api/reset", b"")
        with self.lock:
            self.clear()
        ec2, elb = self.client("ec2"), self.client("elb")
        elbv2 = self.client("elbv2")
        vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
        subnets = ec2.describe_subnets(
            Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        )["Subnets"]
        ec2.create_tags(
            Resources=[subnet["SubnetId"] for subnet in subnets],
            Tags=[{"Key": "Name", "Value": "prod"}],
        )
        image = ec2.register_image(Name="web-1", RootDeviceName="/dev/sda1")["ImageId"]
        ec2.register_image(Name="lb-1", RootDeviceName="/dev/sda1")
        group = ec2.create_security_group(
            GroupName="web", Description="web", VpcId=vpc["VpcId"]
        )["GroupId"]
        ec2.create_security_group(GroupName="lb", Description="lb", VpcId=vpc["VpcId"])
        ec2.create_key_pair(KeyName="ops", KeyType="ed25519")
        foreign = ec2.run_instances(
            ImageId=image,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "legacy"}]}
            ],
        )["Instances"][0]["InstanceId"]
        address = ec2.allocate_address(Domain="vpc")
        elb.create_load_balancer(
            LoadBalancerName="elb",
            Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}],
            AvailabilityZones=[REGION + "a", REGION + "b"],
        )
        two = [
            subnet["SubnetId"]
            for subnet in subnets
            if subnet["AvailabilityZone"] in (REGION + "a", REGION + "b")
        ]
        front = elbv2.create_load_balancer(Name="front", Subnets=two)["LoadBalancers"][0]
        target = elbv2.create_target_group(
            Name="web", Protocol="HTTP", Port=8080, VpcId=vpc["VpcId"]
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.create_listener(
            LoadBalancerArn=front["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
        )
        key = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/other", RoleSessionName="other"
        )["Credentials"]
        return {
            "image": image,
            "group": group,
            "vpc": vpc["VpcId"],
            "foreign": foreign,
            "address": address["PublicIp"],
            "allocation": address["AllocationId"],
            "target": target,
            "otherId": key["AccessKeyId"],
            "otherSecret": key["SecretAccessKey"],
            "otherToken": key["SessionToken"],
        }

    # --- requests ---

    def take_fault(self, action, form):
        with self.lock:
            for fault in self.faults:
                if fault["action"] not in (action, "*"):
                    continue
                if fault.get("zone") not in (None, form.get("Placement.AvailabilityZone")):
                    continue
                if fault.get("skip", 0) > 0:
                    fault["skip"] -= 1
                elif fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    return fault["fault"]
        return None

    def ask(self, environ, body):
        """moto's own answer: status, headers, body."""
        answer = {}

        def start(status, headers, exc_info=None):
            answer["status"], answer["headers"] = status, headers

        environ["wsgi.input"] = io.BytesIO(body)
        parts = self.app(environ, start)
        text = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        return answer["status"], answer["headers"], text

    def run(self, environ, body, form):
        """RunInstances with the token that moto ignores."""
        token = form.get("ClientToken")
        if not token:
            return self.ask(environ, body)
        with self.lock:
            if token not in self.tokens:
                answer = self.ask(environ, body)
                if not answer[0].startswith("200"):
                    return answer
                self.tokens[token] = answer
            return self.tokens[token]

    def place(self, name):
        """The loopback address of a machine, which answers there from the first time that it is told."""
        with self.lock:
            if name not in self.places:
                self.places[name] = f"{self.prefix}{12 + len(self.places)}"
                server = socketserver.ThreadingTCPServer((self.places[name], self.listen), answering.Front)
                threading.Thread(target=server.serve_forever, daemon=True).start()
            return self.places[name]

    def move(self, headers, text):
        """The list of machines with loopback addresses."""
        owner = None

        def change(match):
            nonlocal owner
            if match[1]:
                owner = match[1].decode()
                return match[0]
            return b"<" + match[2] + b">" + self.place(owner).encode() + b"<"

        text = re.sub(
            rb"<instanceId>(i-[0-9a-f]+)<|<(privateIpAddress|ipAddress)>[^<]*<", change, text
        )
        headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
        return headers + [("Content-Length", str(len(text)))], text

    def tell_checks(self, text):
        """moto's answer, in which all checks have passed, with those that a test wants to fail."""

        def tell(match):
            item = match[0]
            for kind, names in (("instanceStatus", self.impaired), ("systemStatus", self.broken)):
                if match[1].decode() in names:
                    end = f"</status></{kind}>"
                    item = item.replace(f"ok{end}".encode(), f"impaired{end}".encode())
            return item

        with self.lock:
            return re.sub(rb"<instanceId>(i-[0-9a-f]+)<.*?</systemStatus>", tell, text, flags=re.S)

    def tell_console(self, form):
        if form.get("Latest") == "true":
            return (
                "400 UnsupportedOperation",
                [("Content-Type", "text/xml")],
                b"<Response><Errors><Error><Code>UnsupportedOperation</Code>"
                b"<Message>This instance type does not support retrieving the latest console logs."
                b"</Message></Error></Errors><RequestID>1</RequestID></Response>",
            )
        with self.lock:
            told = "" if self.late > 0 else self.console
            self.late -= 1
        text = base64.encodebytes(told.encode()).decode()
        return (
            "200 OK",
            [("Content-Type", "text/xml")],
            f"<GetConsoleOutputResponse><requestId>1</requestId>"
            f"<instanceId>{form['InstanceId']}</instanceId>"
            f"<timestamp>2026-11-23T04:00:00.000Z</timestamp><output>{text}</output>"
            f"</GetConsoleOutputResponse>".encode(),
        )

    def lacks_classic(self, form):
        name = form.get("LoadBalancerName")
        known = elb_backends[DEFAULT_ACCOUNT_ID][REGION].load_balancers
        old = form.get("Version") == "2012-06-01" and form["Action"] != "CreateLoadBalancer"
        return old and name and name not in known

    def answer(self, environ, body, form):
        action = form.get("Action")
        if self.lacks_classic(form):
            return (
                "400 LoadBalancerNotFound",
                [("Content-Type", "text/xml")],
                b"<ErrorResponse><Error><Type>Sender</Type><Code>LoadBalancerNotFound</Code>"
                b"<Message>There is no ACTIVE Load Balancer of that name</Message></Error>"
                b"<RequestId>1</RequestId></ErrorResponse>",
            )
        if action == "RunInstances":
            return self.run(environ, body, form)
        status, headers, text = self.ask(environ, body)
        if action == "GetConsoleOutput" and self.console and status.startswith("200"):
            return self.tell_console(form)
        if action == "DescribeInstanceStatus":
            text = self.tell_checks(text)
            headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
            headers.append(("Content-Length", str(len(text))))
        return status, headers, text

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ["PATH_INFO"]
        if path.startswith("/double/"):
            told = self.control(path, body)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [(told if isinstance(told, str) else json.dumps(told)).encode()]
        form = dict(urllib.parse.parse_qsl(body.decode("latin-1")))
        action = form.get("Action")
        # boto3's own calls come without our agent
        ours = environ.get("HTTP_USER_AGENT", "").startswith("trimtab")
        fault = self.take_fault(action, form) if ours and action else None
        if ours and action:
            with self.lock:
                self.calls.append([action, form])
        if fault in REFUSALS:
            status, code = REFUSALS[fault]
            text = (
                f"<Response><Errors><Error><Code>{code}</Code><Message>made by the test</Message>"
                "</Error></Errors><RequestID>1</RequestID></Response>"
            ).encode()
            start_response(f"{status} {code}", [("Content-Type", "text/xml")])
            return [text]
        if fault in BODIES:
            start_response("200 OK", [("Content-Type", "text/xml")])
            return [BODIES[fault]]
        status, headers, text = self.answer(environ, body, form)
        if ours and self.prefix and action == "DescribeInstances":
            headers, text = self.move(headers, text)
        if fault == "cut":  # after it took effect
            headers = [(k, v) for k, v in headers if k.lower() != "content-length"]
            headers.append(("Content-Length", str(len(text))))
            text = text[: len(text) // 2]
        start_response(status, headers)
        return [text]


def main():
    made = []
    plain = server_module.DomainDispatcherApplication

    def wrap(create):
        made.append(Double(plain(create)))
        return made[0]

    server_module.DomainDispatcherApplication = wrap
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    made[0].port = server.get_host_and_port()[1]
    print(json.dumps({"port": made[0].port}), flush=True)
    sys.stdin.read()
    os._exit(0)


main()
