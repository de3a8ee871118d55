#!/usr/bin/env python3
"""Clients that keep their connections and think between requests, until they are told to end.

usage: slow_clients.py HOST PORT COUNT SECONDS

Each asks, waits so many seconds, asks again on the same connection, and makes a new one only when
the server said that it closes this one. Prints "REQUESTS FAILED" at the end, and the first reasons.
"""
import http.client
import signal
import sys
import threading

HOST, PORT, COUNT, THINK = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
end = threading.Event()
lock = threading.Lock()
answers, failures = [], []


def client(number):
    connection = http.client.HTTPConnection(HOST, PORT, timeout=20)
    connection.auto_open = 1
    end.wait(THINK * number / COUNT)
    while not end.is_set():
        try:
            connection.request("GET", f"/slow/{number}")
            answer = connection.getresponse()
            answer.read()
            with lock:
                (answers if answer.status == 200 else failures).append(answer.status)
        except (OSError, http.client.HTTPException) as error:
            with lock:
                failures.append(repr(error))
            connection.close()
        end.wait(THINK)


for name in (signal.SIGTERM, signal.SIGINT):
    signal.signal(name, lambda *_: end.set())
clients = [threading.Thread(target=client, args=(number,)) for number in range(COUNT)]
for one in clients:
    one.start()
for one in clients:
    one.join()
print(len(answers) + len(failures), len(failures))
for reason in failures[:5]:
    print(" ", reason)
