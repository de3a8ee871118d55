"""A target of notifications: says its port, and tells each one that came.

    sink.py DOWN    while the file DOWN is there it answers with 503: always when that is empty, else
                    as many times on each path as it says

Prints "port N", then a line for each POST: its path, its signature and its body as JSON; SECRET in
the environment is what it is to be signed with. The signature is "good", "bad" or "none".
"""
import collections
import hashlib
import hmac
import http.server
import os
import sys
import threading

refused = collections.Counter()
telling = threading.Lock()


def tell(*words):
    """One line at once: several notifications come at the same time."""
    with telling:
        print(*words, flush=True)


def is_down(path):
    if not os.path.exists(sys.argv[1]):
        return False
    with open(sys.argv[1]) as file:
        times = file.read().strip()
    refused[path] += 1
    return not times or refused[path] <= int(times)


class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = "sha256=" + hmac.new(os.environ["SECRET"].encode(), body, hashlib.sha256).hexdigest()
        given = self.headers.get("X-Signature")
        word = "none" if not given else "good" if hmac.compare_digest(given, wanted) else "bad"
        down = is_down(self.path)
        if not down:
            tell(self.path, word, self.headers["Content-Type"], body.decode())
        self.send_response(503 if down else 204)
        self.end_headers()
        if down:
            tell(self.path, "refused")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
tell("port", server.server_port)
server.serve_forever()
