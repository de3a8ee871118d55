#!/usr/bin/env python3
"""A little AJP13 server, what mod_jk talks to: it tells its name to whoever asks.

usage: ajp_server.py ADDRESS PORT NAME [FOLDER]

PORT 0 is a free one; the port that was taken is printed. A request for /slow makes the file
FOLDER/NAME.held and is answered once FOLDER/NAME.release is there. Messages and their numbers:
the AJPv13 protocol reference of Apache Tomcat Connectors.
"""
import os
import socket
import sys
import threading
import time

FORWARD_REQUEST, CPING = 2, 10
SEND_BODY_CHUNK, SEND_HEADERS, END_RESPONSE, CPONG = b"\x03", b"\x04", b"\x05", b"\x09"
CONTENT_LENGTH = b"\xa0\x03"


def text(data):
    return len(data).to_bytes(2, "big") + data + b"\0"


def message(data):
    return b"AB" + len(data).to_bytes(2, "big") + data


def read(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def path_of(request):
    """The request's second string; the first, its protocol, begins at 2."""
    at = 2 + 2 + int.from_bytes(request[2:4], "big") + 1
    return request[at + 2:at + 2 + int.from_bytes(request[at:at + 2], "big")].decode()


def wait(name, folder):
    open(os.path.join(folder, name + ".held"), "w").close()
    while not os.path.exists(os.path.join(folder, name + ".release")):
        time.sleep(0.01)


def answer(connection, name):
    body = name.encode()
    connection.sendall(
        message(SEND_HEADERS + (200).to_bytes(2, "big") + text(b"OK") + (1).to_bytes(2, "big")
                + CONTENT_LENGTH + text(str(len(body)).encode()))
        + message(SEND_BODY_CHUNK + text(body)) + message(END_RESPONSE + b"\x01"))


def serve(connection, name, folder):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            length = int.from_bytes(read(connection, 4)[2:], "big")
            request = read(connection, length)
            if request[0] == CPING:
                connection.sendall(message(CPONG))
            elif request[0] == FORWARD_REQUEST:
                if path_of(request) == "/slow":
                    wait(name, folder)
                answer(connection, name)
    except (EOFError, OSError):
        connection.close()


def main():
    address, port, name = sys.argv[1:4]
    folder = sys.argv[4] if len(sys.argv) > 4 else "/tmp"
    listener = socket.create_server((address, int(port)), backlog=512)
    os.write(1, b"%d\n" % listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, name, folder), daemon=True).start()


main()
