#!/usr/bin/env python3
"""A double of a Zeus traffic manager's REST API, as strict as its public documentation.

usage: zeus_double.py FOLDER

Prints the port that it took on 127.0.0.1. User admin, password "s3cret", version 8.3. Pools are
kept in memory; FOLDER/puts gets a line for each PUT, FOLDER/connections is how many connections
every node has. What the documentation does not allow is answered with the documented error.
"""
import base64
import http.server
import json
import os
import re
import sys

FOLDER = sys.argv[1]
BASE = "/api/tm/8.3/"
POOLS = BASE + "config/active/pools"
NODES = BASE + "status/local_tm/statistics/nodes/per_pool_node"
AUTH = "Basic " + base64.b64encode(b"admin:s3cret").decode()
ROW = {"node": str, "state": str, "weight": int, "priority": int}
pools = {"other": {"basic": {"nodes_table": [], "note": "of somebody else"}}}


def flaw_of(table):
    seen = set()
    for row in table:
        if set(row) - set(ROW) or "node" not in row:
            return "nodes_table: unknown or missing key"
        if any(not isinstance(value, ROW[key]) for key, value in row.items()):
            return "nodes_table: wrong type"
        if not re.fullmatch(r"[A-Za-z0-9.-]+:[0-9]+", row["node"]) or row["node"] in seen:
            return "nodes_table: bad or double node"
        if row.get("state", "active") not in ("active", "draining", "disabled"):
            return "nodes_table: bad state"
        seen.add(row["node"])
    return None


class Double(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        data = json.dumps(body, indent=1).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, name, text):
        self.answer(status, {"error_id": name, "error_text": text})

    def admitted(self):
        if self.headers.get("Authorization") == AUTH:
            return True
        self.fail(401, "auth.invalid", "Invalid username or password")
        return False

    def children(self, base, names):
        self.answer(200, {"children": [{"name": n, "href": base + "/" + n} for n in names]})

    def statistics(self):
        nodes = [(p + "-" + r["node"], r.get("state", "active")) for p, v in pools.items()
                 for r in v["basic"]["nodes_table"]]
        name = self.path[len(NODES) + 1:]
        if not name:
            self.children(NODES, [node for node, _ in nodes])
        elif name in dict(nodes):
            with open(os.path.join(FOLDER, "connections")) as file:
                self.answer(200, {"statistics": {"current_conn": int(file.read()),
                                                 "state": "alive"}})
        else:
            self.fail(404, "resource.not_found", "Invalid resource path")

    def do_GET(self):
        if not self.admitted():
            return
        name = self.path[len(POOLS) + 1:]
        if self.path.startswith(NODES):
            self.statistics()
        elif self.path == POOLS:
            self.children(POOLS, list(pools))
        elif self.path.startswith(POOLS + "/") and name in pools:
            self.answer(200, {"properties": pools[name]})
        else:
            self.fail(404, "resource.not_found", "Invalid resource path")

    def do_PUT(self):
        if not self.admitted():
            return
        name = self.path[len(POOLS) + 1:]
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self.path.startswith(POOLS + "/") or "/" in name:
            return self.fail(404, "resource.not_found", "Invalid resource path")
        if self.headers.get("Content-Type") != "application/json":
            return self.fail(415, "request.unsupported_media_type", "JSON is expected")
        try:
            properties = json.loads(text)["properties"]
            table = properties["basic"]["nodes_table"]
            algorithm = properties["load_balancing"]["algorithm"]
        except (ValueError, KeyError, TypeError):
            return self.fail(400, "request.invalid_body", "The body is not what it should be")
        flaw = flaw_of(table)
        if flaw or algorithm not in ("round_robin", "least_connections"):
            return self.fail(400, "resource.validation_error", flaw or "algorithm: bad value")
        with open(os.path.join(FOLDER, "puts"), "a") as file:
            file.write("%s %s\n" % (name, json.dumps(table)))
        status = 200 if name in pools else 201
        pool = pools.setdefault(name, {"basic": {"nodes_table": [], "note": ""}})
        pool["basic"].update(properties["basic"])
        pool["load_balancing"] = properties["load_balancing"]
        return self.answer(status, {"properties": pool})

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Double)
os.write(1, b"%d\n" % server.server_port)
server.serve_forever()
