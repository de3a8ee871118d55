"""Several nova-compute processes: what they need is read once, then each is a fork of its own.

    python3 computes.py CONF LOG_FOLDER HOST=HOST_CONF...

Prints "HOST PID" for each. They end with their parent.
"""

import ctypes
import os
import signal
import sys

import nova.cmd.compute
import nova.compute.manager  # noqa: F401
import nova.compute.resource_tracker  # noqa: F401
import nova.network.neutron  # noqa: F401
import nova.virt.fake  # noqa: F401


def main(conf, logs, *hosts):
    children = []
    for host in hosts:
        name, own = host.split("=")
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)
            os.setsid()
            sys.argv = ["nova-compute", "--config-file", conf, "--config-file", own,
                        "--log-file", "%s/compute-%s.log" % (logs, name)]
            nova.cmd.compute.main()
            os._exit(0)
        print(name, child, flush=True)
        children.append(child)
    signal.signal(signal.SIGTERM, lambda *_: [os.kill(pid, signal.SIGKILL) for pid in children])
    for child in children:
        os.waitpid(child, 0)


main(*sys.argv[1:])
