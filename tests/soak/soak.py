#!/usr/bin/env python3
"""A day of `trimtab serve` in minutes: pushes, webhooks, checks, drift, failures, held plans, people
who look and ask, reloads; a real daemon and its real runs, on clouds in memory.

    soak.py TRIMTAB MINUTES

Fails when the daemon's memory, descriptors, threads, folder or clone grow from the second quarter to
the last, when more runs or recordings are kept than should be, when a sanitizer reports, when something
has no effect, or when the daemon does not end well.
"""

import fcntl
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

DAY = 24 * 60  # minutes
CHECKS = DAY // 5  # of each deployment
PUSHES = DAY // 15
DELIVERIES = DAY // 3
RELOADS = 24
LOOKS = DAY  # at the page and the API
DEPLOYMENTS = 4
KEPT_RUNS = 60
KEPT_RECORDINGS = 100  # of runs, and of plans

SPECS = """apiVersion: trimtab/v1
kind: Account
metadata: {{name: cloud-{n}}}
spec: {{provider: sim, regions: [r]}}
---
apiVersion: trimtab/v1
kind: Deployment
metadata: {{name: d-{n}}}
spec: {{guard: {{maxDestroy: 30%}}}}
---
apiVersion: trimtab/v1
kind: Service
metadata: {{name: web}}
spec:
  deployment: d-{n}
  server: {{template: t}}
  port: 80
  placements: [{{account: cloud-{n}, region: r, count: {count}}}]
"""


def servers_of(node):
    """The list of servers of a snapshot, wherever it is; empty when there is none."""
    if isinstance(node, dict):
        if isinstance(node.get("servers"), list):
            return node["servers"]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            found = servers_of(each)
            if found:
                return found
    return []


class Sink(http.server.BaseHTTPRequestHandler):
    """Takes notifications; now and then it is slow, or fails."""

    received = 0
    chance = random.Random(3)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        json.loads(body)
        if self.chance.random() < 0.05:
            time.sleep(2)
        code = 503 if self.chance.random() < 0.1 else 204
        Sink.received += code == 204
        self.send_response(code)
        self.end_headers()

    def log_message(self, *_):
        pass


class Soak:
    def __init__(self, program, minutes):
        self.program = program
        self.minutes = minutes
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="trimtab-soak-"))
        self.tree, self.bare, self.state = (self.place / n for n in ("tree", "fleet.git", "state"))
        self.chance = random.Random(1)
        self.counts = {n: 2 for n in range(DEPLOYMENTS)}
        self.said = dict.fromkeys(("pushes", "deliveries", "refused", "looks", "reloads",
                                   "approved", "lost machines", "broken clouds"), 0)
        self.samples = []
        self.faults = []
        self.daemon = None
        self.port = self.sink = 0

    def git(self, *words):
        environment = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1",
                           GIT_AUTHOR_NAME="t", GIT_AUTHOR_EMAIL="t@localhost",
                           GIT_COMMITTER_NAME="t", GIT_COMMITTER_EMAIL="t@localhost")
        subprocess.run(["git", "-C", self.tree, *words], check=True, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def trimtab(self, *words):
        return subprocess.run([self.program, *words, f"--state={self.state}"], text=True,
                              capture_output=True, check=False)

    def write(self, n):
        (self.tree / f"d-{n}.yaml").write_text(SPECS.format(n=n, count=self.counts[n]))

    def push(self):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "another")
        self.git("push", "-q", str(self.bare), "HEAD:main")
        self.said["pushes"] += 1

    def configure(self, check):
        token = hashlib.sha256(b"a token").hexdigest()
        (self.place / "serve.yaml").write_text(f"""
repositories:
  - name: fleet
    url: {self.bare}
    poll: {max(500, self.minutes * 60000 // DAY)}ms
    webhook: {{form: github, secret: {{env: SOAK_SECRET}}}}
runs: {{limit: 3, check: {check}, backoff: 500ms, longestBackoff: 5s}}
notifications: [{{type: http, url: 'http://127.0.0.1:{self.sink}/', perMinute: 1000}}]
web: {{port: 0, tokens: [{{name: ann, sha256: {token}, role: operator}}]}}
""")

    def start(self):
        self.tree.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("init", "-q", "--bare", "-b", "main", str(self.bare))
        for n in self.counts:
            self.write(n)
        self.push()
        sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        self.sink = sink.server_port
        self.configure(f"{max(500, self.minutes * 60000 // CHECKS)}ms")
        self.log = open(self.place / "log", "w")
        self.daemon = subprocess.Popen(
            [self.program, "serve", "--config", self.place / "serve.yaml", "--state", self.state],
            stderr=self.log, stdin=subprocess.DEVNULL,
            env=dict(os.environ, SOAK_SECRET="a secret",
                     ASAN_OPTIONS=f"log_path={self.place}/asan:quarantine_size_mb=4",
                     UBSAN_OPTIONS=f"log_path={self.place}/ubsan:print_stacktrace=1"))
        for _ in range(300):
            found = re.search(r"http://127.0.0.1:(\d+)/", self.read_log())
            if found:
                self.port = int(found[1])
                break
            time.sleep(0.1)
        self.trimtab("history", f"--keep={KEPT_RUNS}")

    def read_log(self):
        return (self.place / "log").read_text(errors="replace")

    def ask(self, path, data=None, headers=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data,
                                         headers={"Authorization": "Bearer a token",
                                                  **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    # --- what happens --------------------------------------------------------------------------

    def change(self):
        n = self.chance.randrange(DEPLOYMENTS)
        others = [count for count in (1, 2, 4, 6) if count != self.counts[n]]
        self.counts[n] = self.chance.choice(others)  # fewer by more than 30 % are held
        self.write(n)
        self.push()
        self.deliver(n)

    def deliver(self, number):
        body = b'{"ref": "refs/heads/main"}'
        key = b"wrong" if self.chance.random() < 0.2 else b"a secret"
        code, _ = self.ask("/hooks/fleet", body, {
            "Content-Type": "application/json", "X-GitHub-Event": "push",
            "X-GitHub-Delivery": str(self.chance.randrange(1000)),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, "sha256").hexdigest()})
        self.said["deliveries"] += 1
        self.said["refused"] += code in (401, 403, 429)
        if key == b"wrong" and code < 400:
            self.faults.append("a delivery with a wrong signature was taken")

    def lose(self):
        """A machine goes, or a cloud cannot be read for a while."""
        path = self.state / "sim" / f"cloud-{self.chance.randrange(DEPLOYMENTS)}.json"
        if not path.exists():
            return
        with open(path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            text = path.read_text()
            if self.chance.random() < 0.3:
                path.write_text("no cloud")
                self.said["broken clouds"] += 1
            else:
                cloud = json.loads(text)
                servers = servers_of(cloud)
                running = [each for each in servers if each.get("state") == "running"]
                if running:
                    servers.remove(self.chance.choice(running))
                    path.write_text(json.dumps(cloud))
                    self.said["lost machines"] += 1
                return
        time.sleep(1)
        with open(path.with_suffix(".lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path.write_text(text)

    def look(self):
        path = self.chance.choice(("/", "/runs", "/metrics", "/api/v1/deployments", "/api/v1/runs",
                                   "/deployments/fleet/d-0", "/runs/1", "/nothing", "/readyz"))
        code, body = self.ask(path)
        self.said["looks"] += 1
        if code >= 500 and path != "/readyz":
            self.faults.append(f"{path}: {code} {body[:200]!r}")
        if self.chance.random() < 0.05:  # one who leaves in the middle
            try:
                urllib.request.urlopen(urllib.request.Request(
                    f"http://127.0.0.1:{self.port}/api/v1/events",
                    headers={"Authorization": "Bearer a token"}), timeout=1).read(10)
            except OSError:
                pass

    def approve(self):
        _, body = self.ask("/api/v1/deployments")
        for item in json.loads(body)["deployments"]:
            run = item.get("heldRun")
            if not run:
                continue
            if self.chance.random() < 0.5:
                code, _ = self.ask(f"/api/v1/runs/{run}/approve", b"")
                self.said["approved"] += code < 300
            else:
                done = self.trimtab("approve", str(run), "--auto-approve", "--by=soak")
                self.said["approved"] += done.returncode == 0

    def reload(self):
        self.daemon.send_signal(signal.SIGHUP)
        self.said["reloads"] += 1

    # --- what it costs -------------------------------------------------------------------------

    def sample(self, began):
        process = pathlib.Path(f"/proc/{self.daemon.pid}")
        status = (process / "status").read_text()
        self.samples.append({
            "minute": (time.monotonic() - began) / 60,
            "rss": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024,
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),
            "fds": len(list((process / "fd").iterdir())),
            "state": self.weigh() // 1024,
            "clone": sum(len(files) for _, _, files in os.walk(self.state / "serve/repositories")),
        })

    def weigh(self):
        """Bytes of the state folder, but for the clouds, which forget nothing, for the clone, whose
        history grows, and for the recordings, which are counted."""
        size = 0
        for folder, folders, files in os.walk(self.state):
            folders[:] = [name for name in folders if name not in ("repositories", "sim", "recordings")]
            for name in files:
                try:
                    size += os.stat(os.path.join(folder, name)).st_size
                except FileNotFoundError:
                    pass
        return size

    def live(self):
        began = time.monotonic()
        end = began + self.minutes * 60
        plan = [(self.change, PUSHES), (lambda: self.deliver(0), DELIVERIES), (self.look, LOOKS),
                (self.lose, PUSHES // 2), (self.reload, RELOADS), (self.approve, PUSHES)]
        due = [(began + (i + 1) * self.minutes * 60 / count, i, act, count)
               for act, count in plan for i in range(count)]
        due.sort(key=lambda each: each[0])
        next_sample = began
        for at, _, act, _ in due:
            while time.monotonic() < at:
                if time.monotonic() >= next_sample:
                    self.sample(began)
                    next_sample += self.minutes * 60 / 80
                time.sleep(0.02)
            if self.daemon.poll() is not None:
                self.faults.append(f"the daemon ended with {self.daemon.returncode}")
                return
            if time.monotonic() > end + 60:
                break
            try:
                act()
            except (OSError, ValueError, subprocess.CalledProcessError) as error:
                self.faults.append(f"{getattr(act, '__name__', act)}: {error}")

    def settle(self):
        """At last all is as Git says; checks that follow each other would hide it."""
        self.configure("1h")
        self.reload()
        for _ in range(90):
            self.approve()
            _, body = self.ask("/api/v1/deployments")
            if all(d["phase"] == "idle" and d["drift"] == 0
                   for d in json.loads(body)["deployments"]):
                return
            time.sleep(1)
        self.faults.append(f"it does not settle: {body.decode()[:2000]}")

    # --- the verdict ---------------------------------------------------------------------------

    def compare(self, what, slack):
        quarter = len(self.samples) // 4
        early = max(s[what] for s in self.samples[quarter:2 * quarter])
        late = max(s[what] for s in self.samples[-quarter:])
        print(f"{what:>8}: {early} in the second quarter, {late} in the last")
        if late > early * 1.15 + slack:
            self.faults.append(f"{what} grew from {early} to {late}")

    def finish(self):
        if self.daemon.poll() is None:
            _, body = self.ask("/metrics")
            metrics = dict(re.findall(r"^(trimtab_\S+) (\d+)", body.decode(), re.M))
            for name in sorted(metrics):
                if "total" in name:
                    print(f"{name} {metrics[name]}")
            self.daemon.send_signal(signal.SIGTERM)
            try:
                if self.daemon.wait(120) != 0:
                    self.faults.append(f"the daemon ended with {self.daemon.returncode}")
            except subprocess.TimeoutExpired:
                children = subprocess.run(["ps", "--ppid", str(self.daemon.pid), "-o", "pid,args"],
                                          capture_output=True, text=True, check=False).stdout
                self.faults.append(f"the daemon does not end: {children}")
        print(", ".join(f"{count} {what}" for what, count in self.said.items()),
              f"and {Sink.received} notifications")
        runs = json.loads(self.trimtab("history", "--json", "-n", "100000").stdout)["runs"]
        if len(runs) > KEPT_RUNS:
            self.faults.append(f"{len(runs)} runs are kept, not {KEPT_RUNS}")
        for kind, pattern in (("runs", "[0-9]*"), ("plans", "p[0-9]*")):
            kept = len(list((self.state / "recordings").glob(pattern)))
            print(f"{kept} recordings of {kind}")
            if kept > KEPT_RECORDINGS:
                self.faults.append(f"{kept} recordings of {kind} are kept")
        for report in sorted(self.place.glob("*san.*")):
            self.faults.append(f"{report.name}: {report.read_text(errors='replace')[:3000]}")
        for what, slack in (("rss", 8), ("threads", 4), ("fds", 6), ("state", 1024),
                            ("clone", 16)):
            self.compare(what, slack)
        for what in ("pushes", "approved", "lost machines", "broken clouds", "reloads"):
            if not self.said[what]:
                self.faults.append(f"there were no {what}")
        if not Sink.received:
            self.faults.append("nobody was notified")


def main():
    soak = Soak(os.path.abspath(sys.argv[1]), int(sys.argv[2]))
    try:
        soak.start()
        soak.live()
        if soak.daemon.poll() is None:
            soak.settle()
        soak.finish()
    finally:
        if soak.daemon and soak.daemon.poll() is None:
            soak.daemon.kill()
        if soak.faults:
            print("".join(soak.read_log().splitlines(keepends=True)[-40:]))
        shutil.rmtree(soak.place, ignore_errors=True)
    for fault in soak.faults[:20]:
        print(f"FAULT: {fault}")
    sys.exit(1 if soak.faults else 0)


main()
