#!/usr/bin/env python3
"""startProxy, stopProxy and listProxy of an image that follows the contract, by the name that this is
called by. All machines of the test are this host: which one it is, the address says at which it was
reached, or the double of CloudStack where one knows. Each has its pool in a file of its own in
$MACHINES.
"""
import json
import os
import sys
import urllib.request


def machine():
    address = os.environ["SSH_CONNECTION"].split()[2]
    if os.environ["DOUBLE"] == "none":
        return address
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['DOUBLE']}/double", b"{}") as reply:
        state = json.load(reply)
    for moved in state["addresses"]:
        if moved["ipaddress"] == address and moved["isstaticnat"]:
            return moved["virtualmachineid"]
    return next(m["id"] for m in state["machines"] if m["nic"][0]["ipaddress"] == address)


def main():
    path = os.path.join(os.environ["MACHINES"], machine())
    lines = []
    if os.path.exists(path):
        with open(path, encoding="ascii") as pool:
            lines = pool.read().splitlines()
    command, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    if command == "listProxy":
        for line in lines:
            print(line)
        return
    if command == "startProxy":
        service, address, port = words[0], words[4], words[5]
        lines = sorted({*lines, f"{service}\t{address}\t{port}\tin-service"})
    else:
        address, service, port = words
        lines = [line for line in lines if not line.startswith(f"{service}\t{address}\t{port}\t")]
    with open(path + ".new", "w", encoding="ascii") as pool:
        pool.write("".join(line + "\n" for line in lines))
    os.rename(path + ".new", path)


if __name__ == "__main__":
    main()
