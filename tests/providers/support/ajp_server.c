/*
 * AJP server: starting and ending the Python program beside this file.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/providers/support/ajp_server.h"

void ajp_server_start(struct ajp_server *server, struct agent_machine *machine, int number)
{
    const char *program = TT_SOURCE_DIR "/tests/providers/support/ajp_server.py";
    char text[16] = "";
    int ends[2];

    server->name = tt_printf(&machine->arena, "w%d", number);
    server->address = agent_address(machine, 10 + number);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 1);
        execlp("python3", "python3", program, server->address, "0", server->name, machine->root,
               (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 1); /* one write, a whole line */
    close(ends[0]);
    server->port = (int)strtol(text, NULL, 10);
}

void ajp_server_stop(const struct ajp_server *server)
{
    kill(server->pid, SIGKILL);
    agent_wait(server->pid);
}
