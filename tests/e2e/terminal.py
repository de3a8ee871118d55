#!/usr/bin/env python3
"""Runs a command on a terminal of its own and answers it.

terminal.py [EXPECTED ANSWER]... -- COMMAND...: waits until EXPECTED was written, types ANSWER (with
\\n and \\x03 for Ctrl-C), and so on; prints what came out and ends with the command's exit code.
"""
import codecs
import os
import pty
import select
import sys
import time

PATIENCE = 60  # seconds without an end


def main():
    split = sys.argv.index("--")
    script = [codecs.decode(word, "unicode_escape").encode() for word in sys.argv[1:split]]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
    seen = b""
    searched = 0
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                data = b""
            if not data:
                break
            seen += data
        if script and script[0] in seen[searched:]:
            searched = len(seen)
            os.write(terminal, script[1])
            script = script[2:]
    else:
        os.kill(pid, 9)
        print("terminal.py: out of patience")
    _, status = os.waitpid(pid, 0)
    sys.stdout.buffer.write(seen)
    sys.exit(os.waitstatus_to_exitcode(status) if not os.WIFSIGNALED(status) else 99)


main()
