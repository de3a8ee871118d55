"""A real OpenStack to test against: keystone, placement, glance, nova, neutron and octavia of Debian,
on free ports of this host, with hosts that only pretend to run servers and balancers that carry no
traffic.

    /usr/bin/python3 cloud.py FOLDER    everything is kept in FOLDER; prints one line of JSON with
                                        ports, ids and the pids of the compute hosts, and lives
                                        until its standard input ends

Two zones, az1 of two hosts and az2 of one, and az-broken, where every build fails.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import settings

HERE = os.path.dirname(os.path.abspath(__file__))
HOSTS = {"a1": ("az1", "fake.FakeDriver"), "a2": ("az1", "fake.FakeDriver"),
         "b1": ("az2", "fake.FakeDriver"), "x1": ("az-broken", "fake.FakeBuildAbortDriver")}
DATABASES = ("keystone", "placement", "glance", "nova_api", "nova_cell0", "nova_cell1", "neutron",
             "octavia")
PORTS = ("keystone", "nova", "placement", "glance", "neutron", "octavia", "rabbit", "distribution",
         "epmd", "heartbeat")


def free_ports():
    sockets = {name: socket.socket() for name in PORTS}
    for held in sockets.values():
        held.bind(("127.0.0.1", 0))
    ports = {name: held.getsockname()[1] for name, held in sockets.items()}
    for held in sockets.values():
        held.close()
    return ports


def dies_with_us(number=signal.SIGKILL):
    """The signal that comes when the parent dies."""
    ctypes.CDLL(None).prctl(1, number)


class Cloud:
    def __init__(self, place):
        self.place = place
        self.ports = free_ports()
        self.running = []
        self.token = None
        for folder in ("etc", "log", "lock", "ca", "octavia", "glance/images", "nova/instances",
                       "neutron", "rabbit/log", "rabbit/mnesia"):
            os.makedirs("%s/%s" % (place, folder), exist_ok=True)

    # --- processes ---

    def start(self, name, *argv, output=None, **environment):
        log = open("%s/log/%s.out" % (self.place, name), "ab")
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output or log, stderr=log,
            env=dict(os.environ, HOME=self.place + "/rabbit", **environment),
            start_new_session=True, preexec_fn=dies_with_us)
        log.close()
        self.running.append((name, process))
        return process

    def run(self, *argv, **environment):
        with open(self.place + "/log/init.out", "ab") as log:
            code = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=dict(os.environ, **environment), preexec_fn=dies_with_us)
        if code:
            raise SystemExit("%s ended with %d: see %s/log/init.out"
                             % (" ".join(argv[:3]), code, self.place))

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for _, process in self.running:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for _, process in self.running:
            process.wait()

    def until(self, what, done, patience=120):
        deadline = time.time() + patience
        while not done():
            dead = [name for name, process in self.running if process.poll() is not None]
            if dead or time.time() > deadline:
                raise SystemExit("no %s%s" % (what, "; ended: " + ", ".join(dead) if dead else ""))
            time.sleep(0.2)

    def web(self, name, module, **environment):
        self.start(name, "uwsgi", "--plugin", "python3", "--http-socket",
                   "127.0.0.1:%d" % self.ports[name], "--module", module, "--processes", "1",
                   "--enable-threads", "--need-app", "--die-on-term", "--buffer-size", "65535",
                   "--add-header", "Connection: close", "--disable-logging",
                   "--pythonpath", HERE + "/plugins", **environment)

    # --- requests ---

    def url(self, service, path):
        return "http://127.0.0.1:%d%s" % (self.ports[service], path)

    def ask(self, method, url, body=None, raw=None):
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(url, data, method=method)
        request.add_header("Content-Type",
                           "application/octet-stream" if raw is not None else "application/json")
        request.add_header("OpenStack-API-Version", "compute 2.90")
        if self.token:
            request.add_header("X-Auth-Token", self.token)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                text = reply.read()
                if "X-Subject-Token" in reply.headers:
                    self.token = reply.headers["X-Subject-Token"]
                return json.loads(text) if text else None
        except urllib.error.HTTPError as failure:
            failure.msg += ": " + failure.read(500).decode(errors="replace")
            raise

    def answers(self, service, path="/"):
        try:
            self.ask("GET", self.url(service, path))
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def log_in(self, name="admin"):
        self.token = None
        self.ask("POST", self.url("keystone", "/v3/auth/tokens"), {"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": name, "domain": {"id": "default"}, "password": settings.PASSWORD}}},
            "scope": {"project": {"name": name, "domain": {"id": "default"}}}}})

    # --- from nothing ---

    def configure(self):
        etc = self.place + "/etc/"
        make = settings
        for name in ("keystone", "placement", "glance", "neutron"):
            make.write("%s%s/%s.conf" % (etc, name, name),
                       getattr(make, name)(self.place, self.ports))
        os.rename(etc + "glance/glance.conf", etc + "glance/glance-api.conf")
        make.write(etc + "nova/nova.conf", make.nova(self.place, self.ports))
        for host, (_, driver) in HOSTS.items():
            make.write("%snova/%s.conf" % (etc, host), make.compute(self.place, host, driver))
            os.makedirs("%s/nova/%s" % (self.place, host), exist_ok=True)
        make.write(etc + "octavia/octavia.conf",
                   make.octavia(self.place, self.ports, "network_noop_driver"))
        # the API asks the real Neutron for its addresses
        make.write(etc + "octavia/api.conf",
                   make.octavia(self.place, self.ports, "allowed_address_pairs_driver"))
        for share in ("nova-common/api-paste.ini", "glance-common/glance-api-paste.ini",
                      "glance-common/glance-image-import.conf"):
            target = etc + share.split("-")[0] + "/" + share.split("/")[1]
            if not os.path.exists(target):
                os.symlink("/usr/share/" + share, target)
        self.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout",
                 self.place + "/ca/ca.key", "-passout", "pass:foobar", "-out",
                 self.place + "/ca/ca.pem", "-days", "30", "-subj", "/CN=test")

    def sql(self, text):
        return subprocess.call(["mariadb", "--no-defaults", "-S", self.place + "/sql.sock",
                                "-uroot", "-e", text], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) == 0

    def start_store(self):
        user = "--user=" + subprocess.check_output(["id", "-un"], text=True).strip()
        self.run("mariadb-install-db", "--no-defaults", "--datadir=" + self.place + "/sql",
                 "--auth-root-authentication-method=normal", "--skip-test-db", user)
        self.start("mariadb", "mariadbd", "--no-defaults", user, "--datadir=" + self.place + "/sql",
                   "--socket=" + self.place + "/sql.sock", "--skip-networking",
                   "--pid-file=" + self.place + "/sql.pid", "--skip-log-bin",
                   "--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF",
                   "--innodb-log-file-size=32M", "--max-connections=500",
                   "--character-set-server=utf8mb3")
        self.until("database", lambda: self.sql("select 1"))
        for name in DATABASES:
            self.sql("create database %s" % name)

    def start_queue(self):
        with open(self.place + "/rabbit/plugins", "w") as file:
            file.write("[].\n")
        with open(self.place + "/rabbit/rabbit.conf", "w") as file:
            file.write("listeners.tcp.default = 127.0.0.1:%d\ndisk_free_limit.absolute = 50MB\n"
                       % self.ports["rabbit"])
        names = {"ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self.ports["epmd"])}
        self.start("epmd", "epmd", "-port", names["ERL_EPMD_PORT"], "-address", "127.0.0.1",
                   **names)
        self.start("rabbit", "/usr/lib/rabbitmq/bin/rabbitmq-server",
                   RABBITMQ_NODENAME="test%d@localhost" % self.ports["rabbit"],
                   RABBITMQ_MNESIA_BASE=self.place + "/rabbit/mnesia",
                   RABBITMQ_LOG_BASE=self.place + "/rabbit/log",
                   RABBITMQ_CONFIG_FILE=self.place + "/rabbit/rabbit.conf",
                   RABBITMQ_ENABLED_PLUGINS_FILE=self.place + "/rabbit/plugins",
                   RABBITMQ_CONF_ENV_FILE="/dev/null",
                   RABBITMQ_DIST_PORT=str(self.ports["distribution"]),
                   RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=
                   "-kernel inet_dist_use_interface {127,0,0,1}", **names)

    def make_tables(self):
        """Two at a time, since it is the processor that is waited for."""
        etc = self.place + "/etc/"
        nova = ("nova-manage", "--config-file", etc + "nova/nova.conf")
        keystone = ("keystone-manage", "--config-file", etc + "keystone/keystone.conf")
        who = subprocess.check_output(["id", "-un"], text=True).strip()
        group = subprocess.check_output(["id", "-gn"], text=True).strip()

        def first():
            self.run(*keystone, "db_sync")
            for kind in ("fernet", "credential"):
                self.run(*keystone, kind + "_setup", "--keystone-user", who, "--keystone-group",
                         group)
            self.run(*keystone, "bootstrap", "--bootstrap-username", "admin",
                     "--bootstrap-password", settings.PASSWORD, "--bootstrap-project-name", "admin",
                     "--bootstrap-role-name", "admin", "--bootstrap-service-name", "keystone",
                     "--bootstrap-region-id", "RegionOne",
                     *[word for kind in ("public", "internal", "admin")
                       for word in ("--bootstrap-%s-url" % kind, self.url("keystone", "/v3"))])
            self.run("placement-manage", "--config-file", etc + "placement/placement.conf", "db",
                     "sync")
            self.run(*nova, "api_db", "sync")
            self.run(*nova, "cell_v2", "map_cell0", "--database_connection",
                     settings.database(self.place, "nova_cell0"))
            self.run(*nova, "db", "sync", "--local_cell")
            self.run(*nova, "cell_v2", "create_cell", "--name", "cell1")
            self.run(*nova, "db", "sync")

        def second():
            self.run("glance-manage", "--config-file", etc + "glance/glance-api.conf", "db_sync")
            self.run("octavia-db-manage", "--config-file", etc + "octavia/octavia.conf", "upgrade",
                     "head")
            self.run("neutron-db-manage", "--config-file", etc + "neutron/neutron.conf", "upgrade",
                     "heads", PYTHONPATH=HERE + "/plugins")

        failures = []

        def beside():
            try:
                second()
            except SystemExit as failure:
                failures.append(failure)

        other = threading.Thread(target=beside)
        other.start()
        first()
        other.join()
        if failures:
            raise failures[0]

    def register(self):
        """The catalog, before anybody reads it."""
        for name, kind, path in (("nova", "compute", "/v2.1"), ("placement", "placement", ""),
                                 ("glance", "image", ""), ("neutron", "network", ""),
                                 ("octavia", "load-balancer", "")):
            service = self.ask("POST", self.url("keystone", "/v3/services"),
                               {"service": {"name": name, "type": kind}})["service"]["id"]
            for interface in ("public", "internal", "admin"):
                self.ask("POST", self.url("keystone", "/v3/endpoints"), {"endpoint": {
                    "service_id": service, "interface": interface, "region_id": "RegionOne",
                    "url": self.url(name, path)}})
        project = self.ask("GET", self.url("keystone", "/v3/projects?name=admin"))["projects"][0]
        user = self.ask("GET", self.url("keystone", "/v3/users?name=admin"))["users"][0]
        for name in ("service", "load-balancer_admin"):
            self.give_role(name, project, user)
        other = self.ask("POST", self.url("keystone", "/v3/projects"), {"project": {
            "name": "other", "domain_id": "default"}})["project"]
        user = self.ask("POST", self.url("keystone", "/v3/users"), {"user": {
            "name": "other", "domain_id": "default", "password": settings.PASSWORD}})["user"]
        for name in ("member", "reader", "load-balancer_member"):
            self.give_role(name, other, user)

    def give_role(self, name, project, user):
        roles = self.url("keystone", "/v3/roles")
        found = self.ask("GET", roles + "?name=" + name)["roles"]
        role = found[0] if found else self.ask("POST", roles, {"role": {"name": name}})["role"]
        self.ask("PUT", self.url("keystone", "/v3/projects/%s/users/%s/roles/%s" % (
            project["id"], user["id"], role["id"])))

    def start_services(self):
        etc = self.place + "/etc/"
        python = "/usr/bin/python3"
        self.web("keystone", "keystone.server.wsgi:initialize_public_application()",
                 OS_KEYSTONE_CONFIG_FILES=etc + "keystone/keystone.conf")
        self.web("placement", "placement.wsgi:init_application()",
                 OS_PLACEMENT_CONFIG_DIR=etc + "placement")
        self.web("glance", "glance.common.wsgi_app:init_app()",
                 OS_GLANCE_CONFIG_DIR=etc + "glance")
        self.until("keystone", lambda: self.answers("keystone", "/v3"))
        self.log_in()
        self.register()
        self.until("queue", self.queue_answers)
        self.start("neutron", python, "/usr/bin/neutron-server", "--config-file",
                   etc + "neutron/neutron.conf", "--log-file", self.place + "/log/neutron.log",
                   PYTHONPATH=HERE + "/plugins")
        self.web("octavia", "octavia_wsgi:app", OCTAVIA_CONF=etc + "octavia/api.conf")
        for part in ("worker", "health-manager"):
            self.start("octavia-" + part, python, "/usr/bin/octavia-" + part, "--config-file",
                       etc + "octavia/octavia.conf")
        self.web("nova", "nova.api.openstack.compute.wsgi:init_application()",
                 OS_NOVA_CONFIG_DIR=etc + "nova")
        for part in ("conductor", "scheduler"):
            self.start("nova-" + part, python, "-c",
                       "from nova.cmd.%s import main; main()" % part, "--config-file",
                       etc + "nova/nova.conf", "--log-file",
                       "%s/log/nova-%s.log" % (self.place, part))
        for name in ("placement", "glance", "nova", "neutron", "octavia"):
            self.until(name, lambda name=name: self.answers(name))

    def queue_answers(self):
        with socket.socket() as there:
            return there.connect_ex(("127.0.0.1", self.ports["rabbit"])) == 0

    def start_hosts(self):
        etc = self.place + "/etc/nova/"
        process = self.start("computes", "/usr/bin/python3", HERE + "/plugins/computes.py",
                             etc + "nova.conf", self.place + "/log",
                             *["%s=%s%s.conf" % (host, etc, host) for host in HOSTS],
                             output=subprocess.PIPE)
        pids = dict(process.stdout.readline().decode().split() for _ in HOSTS)
        self.until("hosts", self.hosts_are_up)
        self.run("nova-manage", "--config-file", etc + "nova.conf", "cell_v2", "discover_hosts")
        return {host: int(pid) for host, pid in pids.items()}

    def hosts_are_up(self):
        services = self.ask("GET", self.url("nova", "/v2.1/os-services?binary=nova-compute"))
        return sum(service["state"] == "up" for service in services["services"]) == len(HOSTS)

    def seed(self):
        """What tests stand on; returns the ids."""
        nova = self.url("nova", "/v2.1")
        net = self.url("neutron", "/v2.0")
        for number, name, ram in (("1", "small", 512), ("2", "medium", 2048),
                                  ("99", "too.big", 999999999)):
            self.ask("POST", nova + "/flavors", {"flavor": {
                "id": number, "name": name, "ram": ram, "vcpus": 1, "disk": 1}})
        image = self.ask("POST", self.url("glance", "/v2/images"), {
            "name": "web-1", "disk_format": "raw", "container_format": "bare",
            "visibility": "public"})["id"]
        self.ask("PUT", self.url("glance", "/v2/images/%s/file" % image), raw=b"no image at all")
        prod = self.network(net, {"name": "prod", "shared": True}, "10.0.0.0/16")
        outside = self.network(net, {"name": "outside", "router:external": True,
                                     "provider:network_type": "flat",
                                     "provider:physical_network": "outside"}, "203.0.113.0/24")
        router = self.ask("POST", net + "/routers", {"router": {
            "name": "way", "external_gateway_info": {"network_id": outside[0]}}})["router"]["id"]
        self.ask("PUT", net + "/routers/%s/add_router_interface" % router,
                 {"subnet_id": prod[1]})
        floating = self.ask("POST", net + "/floatingips", {"floatingip": {
            "floating_network_id": outside[0]}})["floatingip"]["floating_ip_address"]
        for name in ("other", "admin"):
            self.log_in(name)
            self.ask("POST", net + "/security-groups", {"security_group": {"name": "web"}})
            self.ask("POST", nova + "/os-keypairs", {"keypair": {
                "name": "ops", "type": "ssh", "public_key":
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVBqZTQuvjbMbBYGqdMlkkvGEr2hVkmlEPvZKPOqCMQ",
            }})
        for zone in sorted({zone for zone, _ in HOSTS.values()}):
            aggregate = self.ask("POST", nova + "/os-aggregates", {"aggregate": {
                "name": zone, "availability_zone": zone}})["aggregate"]["id"]
            for host, (there, _) in HOSTS.items():
                if there == zone:
                    self.ask("POST", nova + "/os-aggregates/%s/action" % aggregate,
                             {"add_host": {"host": host}})
        legacy = self.ask("POST", nova + "/servers", {"server": {
            "name": "legacy", "imageRef": image, "flavorRef": "1", "availability_zone": "az2",
            "networks": [{"uuid": prod[0]}]}})["server"]["id"]
        for name in ("shop-lb", "edge-lb"):
            self.balancer(name, prod[1])
        return {"image": image, "network": prod[0], "subnet": prod[1], "address": floating,
                "foreign": legacy}

    def balancer(self, name, subnet):
        """One with a listener at port 80 and an empty pool behind it, made step by step: made in
        one request, Octavia 11 may leave the parts of an active balancer in PENDING_CREATE."""
        parts = self.url("octavia", "/v2/lbaas")
        made = self.ask("POST", parts + "/loadbalancers", {"loadbalancer": {
            "name": name, "vip_subnet_id": subnet}})["loadbalancer"]["id"]

        def ready():
            self.until("balancer " + name, lambda: self.ask("GET", parts + "/loadbalancers/" + made)[
                "loadbalancer"]["provisioning_status"] == "ACTIVE")

        ready()
        pool = self.ask("POST", parts + "/pools", {"pool": {
            "name": name + "-pool", "loadbalancer_id": made, "protocol": "HTTP",
            "lb_algorithm": "ROUND_ROBIN"}})["pool"]["id"]
        ready()
        self.ask("POST", parts + "/listeners", {"listener": {
            "name": name + "-80", "loadbalancer_id": made, "protocol": "HTTP", "protocol_port": 80,
            "default_pool_id": pool}})
        ready()

    def network(self, net, fields, range_):
        network = self.ask("POST", net + "/networks", {"network": fields})["network"]["id"]
        subnet = self.ask("POST", net + "/subnets", {"subnet": {
            "network_id": network, "ip_version": 4, "cidr": range_, "enable_dhcp": False}})
        return network, subnet["subnet"]["id"]


def leave(*_):
    raise SystemExit("told to end")


def main():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, leave)
    dies_with_us(signal.SIGTERM)
    cloud = Cloud(os.path.abspath(sys.argv[1]))
    try:
        cloud.configure()
        cloud.start_store()
        cloud.start_queue()
        cloud.make_tables()
        cloud.start_services()
        hosts = cloud.start_hosts()
        print(json.dumps(dict(cloud.seed(), ports=cloud.ports, hosts=hosts)), flush=True)
        sys.stdin.read()
    finally:
        cloud.stop()


main()
