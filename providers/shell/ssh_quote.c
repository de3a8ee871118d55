/*
 * Quote: the one place where a command line is built. Inside of single quotes a POSIX shell takes
 * every byte for itself but the single quote, which is put between two quoted parts as \'.
 */
#include <string.h>

#include "providers/shell/ssh.h"

static void quote(struct tt_buf *line, const char *argument)
{
    tt_buf_add(line, "'");
    for (;;) {
        size_t length = strcspn(argument, "'");

        tt_buf_addn(line, argument, length);
        if (!argument[length])
            break;
        tt_buf_add(line, "'\\''");
        argument += length + 1;
    }
    tt_buf_add(line, "'");
}

void tt_ssh_quote(struct tt_buf *line, const char *const *argv)
{
    for (size_t i = 0; argv[i]; i++) {
        if (i)
            tt_buf_add(line, " ");
        quote(line, argv[i]);
    }
}
