/*
 * Ask: a prompt that a signal can end.
 */
#include "reconciler/commands/ask.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 200

/* Waits for an answer and looks for a signal now and then: signals do not interrupt this thread. */
static bool read_yes(const struct tt_signals *signals)
{
    char answer[64];
    ssize_t got;

    for (;;) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

        if (signals && tt_signals_stopped(signals))
            return false;
        if (poll(&input, 1, LOOK_MS) > 0)
            break;
    }
    got = read(STDIN_FILENO, answer, sizeof(answer) - 1);
    if (got <= 0)
        return false;
    answer[got] = '\0';
    return strcmp(answer, "yes\n") == 0;
}

bool tt_ask(const struct tt_session *session, const struct tt_signals *signals,
            const char *question)
{
    struct tt_error err = {0};

    if (session->options.auto_approve)
        return true;
    if (!isatty(STDIN_FILENO)) {
        tt_fail(&err, TT_ERR_DENIED,
                "nobody is here to answer: give --auto-approve, or run it in a terminal");
        tt_session_complain(session, &err);
        return false;
    }
    fprintf(stderr, "\n%s Only 'yes' is accepted: ", question);
    if (read_yes(signals))
        return true;
    fputs("\nNothing was changed.\n", stderr);
    return false;
}
