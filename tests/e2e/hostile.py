"""People who mean no good, all at once, beside somebody who only wants to read.

    hostile.py HOST:PORT REQUESTS SECRET SEED

Noise, half requests, mutated requests, forged and replayed deliveries, paths that lead out, bodies
that are too large, and 500 connections that send a byte now and then. Prints one line for each
check; exits with 1 when one failed.
"""
import hashlib
import hmac
import random
import socket
import sys
import threading
import time

ADDRESS = (sys.argv[1].rsplit(":", 1)[0], int(sys.argv[1].rsplit(":", 1)[1]))
REQUESTS, SECRET, SEED = int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
SLOW, THREADS = 500, 8
failures = 0


def check(what, good, seen=""):
    global failures
    print(("ok - " if good else "not ok - ") + what, flush=True)
    if not good:
        failures += 1
        print("  seen: %s" % str(seen)[:1000], flush=True)


def connect(timeout=10):
    return socket.create_connection(ADDRESS, timeout)


def read_answer(sock):
    """The status, or None when the other side hung up."""
    data = b""
    while b"\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            return None
        data += more
    return int(data.split(b" ", 2)[1])


def ask(request, timeout=20):
    with connect(timeout) as sock:
        sock.sendall(request)
        return read_answer(sock)


def get(path, *headers):
    lines = ["GET %s HTTP/1.1" % path, "Host: x", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def delivery(body, secret, number, **change):
    headers = {"Host": "x", "Connection": "close", "Content-Type": "application/json",
               "X-GitHub-Event": "push", "X-GitHub-Delivery": number,
               "X-Hub-Signature-256":
                   "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
               "Content-Length": str(len(body))}
    headers.update({name.replace("_", "-"): value for name, value in change.items()})
    head = "POST /hooks/fleet HTTP/1.1\r\n" + "".join("%s: %s\r\n" % one for one in headers.items())
    return head.encode("latin-1") + b"\r\n" + body


# --- one after the other -------------------------------------------------------------------------

def test_deliveries():
    body = b'{"ref": "refs/heads/other"}'
    forged = [delivery(body, b"wrong", "f1"),
              delivery(body, b"", "f2"),
              delivery(body, SECRET, "f3", X_Hub_Signature_256="sha256="),
              delivery(body, SECRET, "f4", X_Hub_Signature_256="sha256=" + "0" * 64),
              delivery(body, SECRET, "f5", X_Hub_Signature_256="sha1=" + "0" * 40),
              delivery(body, SECRET, "f6").replace(b"other", b"ot_er"),
              get("/hooks/fleet")]
    answers = [ask(one) for one in forged]
    check("forged deliveries are refused", set(answers) <= {401, 403, 405}, answers)
    good = delivery(body, SECRET, "g1")
    answers = [ask(good) for _ in range(3)]
    check("a good one is taken", answers[0] in (200, 202), answers)
    check("and replayed, it is an answer at most", set(answers) <= {200, 202, 409}, answers)


def test_paths():
    paths = ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/style.css/../../x",
             "/deployments/../../store.db", "/deployments/fleet/..%2f..%2fstore.db",
             "/deployments/fleet/%00", "/accounts/..", "/accounts/%2e%2e%2f%2e%2e",
             "/api/v1/deployments/%2e%2e/serve", "/api/v1/offers/..%2f..", "/" + "a/" * 5000,
             "/runs/1;ls", "/runs/-1", "/runs/1%20or%201=1", "//", "/\\..\\..", "/%ff%fe"]
    viewer = "Authorization: Bearer viewer-token"
    answers = {path: ask(get(path, viewer)) for path in paths}
    bad = {path: code for path, code in answers.items()
           if code not in (400, 404, 405, 413, 414, 431) and path != "//"}
    check("no path leads anywhere", not bad, bad)


def test_sizes():
    with connect() as sock:
        sock.sendall(b"POST /hooks/fleet HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        try:
            for _ in range(200):
                sock.sendall(b"x" * 10000)
            answer = read_answer(sock)
        except OSError:
            answer = None
    check("a body that is too large is refused", answer in (413, None), answer)
    answer = ask(get("/", "X: " + "y" * 100000))
    check("a head that is too large, too", answer in (400, 413, 431, None), answer)
    answer = ask(get("/", *["X-%d: y" % i for i in range(5000)]))
    check("and too many headers", answer in (400, 413, 431, None), answer)
    answer = ask(b"POST /hooks/fleet HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")
    check("a length below nothing", answer in (400, 413, None), answer)
    answer = ask(b"POST /hooks/fleet HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n")
    check("a length beyond all numbers", answer in (400, 413, None), answer)


# --- all at once ---------------------------------------------------------------------------------

class Slow(threading.Thread):
    """Connections that send a byte of a head that never ends every second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.held = [connect() for _ in range(SLOW)]
        for sock in self.held:
            sock.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        self.began = time.monotonic()
        self.cut_after = None
        self.ending = False

    def run(self):
        alive = self.held
        while alive and not self.ending:
            time.sleep(1)
            still = []
            for sock in alive:
                try:
                    sock.send(b"x")
                    still.append(sock)
                except OSError:
                    sock.close()
            alive = still
        self.cut_after = time.monotonic() - self.began if not alive else None
        for sock in alive:
            sock.close()


class Reader(threading.Thread):
    """Somebody who only wants to read, the whole time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.answers, self.longest, self.ending = {}, 0, False

    def run(self):
        while not self.ending:
            began = time.monotonic()
            try:
                code = ask(get("/", "Authorization: Bearer viewer-token"), 30)
            except OSError as error:
                code = str(error)
            self.answers[code] = self.answers.get(code, 0) + 1
            self.longest = max(self.longest, time.monotonic() - began)
            time.sleep(0.05)


SEEDS = [
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer guess\r\n\r\n",
    b"GET /?state=held&q=%41 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n",
    b"GET /deployments/fleet/shop HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/runs?n=10 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n\r\n",
    b"GET /api/v1/runs/1 HTTP/1.0\r\nAuthorization: Bearer viewer-token\r\n\r\n",
    b"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 3\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n\r\n",
    b"POST /runs/1/approve HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\ntoken=guess%",
    b"POST /api/v1/runs/1/approve HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer viewer-token\r\n"
    b"Content-Length: 0\r\n\r\n",
    b"POST /deployments/fleet/shop/check HTTP/1.1\r\nHost: x\r\nContent-Length: 21\r\n\r\n"
    b"token=viewer-token&a=b",
    b"POST /hooks/fleet HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: 9\r\n"
    b"X-Hub-Signature-256: sha256=00\r\nContent-Length: 26\r\n\r\n{\"ref\": \"refs/heads/main\"}",
    b"POST /hooks/fleet HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HEAD /style.css HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
]
WORDS = [b"%00", b"..", b"%2e%2e/", b"\r\n", b"\0", b"\xff", b"'", b"<script>", b"-1", b"9" * 40,
         b"%", b"&token=", b": ", b"HTTP/9.9", b"\r\nContent-Length: 5\r\n", b"chunked", b"{" * 50]


def mutate(chance):
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randrange(1, 6)):
        at, what = chance.randrange(len(data) + 1), chance.randrange(5)
        if what == 0:
            data[at:at] = chance.choice(WORDS)
        elif what == 1:
            del data[at:at + chance.randrange(1, 20)]
        elif what == 2 and data:
            data[at % len(data)] = chance.randrange(256)
        elif what == 3:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 60)))
        else:
            data[at:at] = data[:chance.randrange(1, 40)]
    return bytes(data)


class Fuzzer(threading.Thread):
    def __init__(self, number, count):
        super().__init__(daemon=True)
        self.chance, self.count = random.Random(SEED * 1000 + number), count
        self.answers, self.acted = {}, []

    def run(self):
        for _ in range(self.count):
            data, code = mutate(self.chance), None
            try:
                with connect(5) as sock:
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                    code = read_answer(sock)
            except (OSError, ValueError, IndexError) as error:
                code = type(error).__name__
            if code in (202, 303):
                self.acted.append(data)
            self.answers[code] = self.answers.get(code, 0) + 1


def main():
    slow = Slow()
    slow.start()
    reader = Reader()
    reader.start()
    test_deliveries()
    test_paths()
    test_sizes()
    began = time.monotonic()
    fuzzers = [Fuzzer(i, REQUESTS // THREADS) for i in range(THREADS)]
    for fuzzer in fuzzers:
        fuzzer.start()
    for fuzzer in fuzzers:
        fuzzer.join()
    took = time.monotonic() - began
    answers = {}
    for fuzzer in fuzzers:
        for code, count in fuzzer.answers.items():
            answers[code] = answers.get(code, 0) + count
    print("  answers: %s" % answers)
    acted = [data for fuzzer in fuzzers for data in fuzzer.acted]
    check("%d mutated requests in %.0f s change nothing" % (sum(answers.values()), took),
          not acted, acted)
    slow.join(40)
    slow.ending = True
    check("slow connections are cut (after %s s)" % (slow.cut_after and int(slow.cut_after)),
          slow.cut_after is not None)
    reader.ending = True
    reader.join(40)
    check("who only reads was served: %s, in %.2f s at most" % (reader.answers, reader.longest),
          set(reader.answers) == {200} and reader.answers[200] > 10, reader.answers)
    return 1 if failures else 0


sys.exit(main())
