/*
 * Exec: one command on an open session. It is fed and read by turns, within what the other side is
 * ready to take, so that no side waits for the other; its end is the exit status, and what it still
 * had to say.
 */
#include <libssh/callbacks.h>
#include <string.h>

#include "base/str.h"
#include "providers/shell/ssh_session.h"

#define LINGER     500 /* ms: how long output may follow the exit status */
#define LONG_TURN  1000
#define MOST_INPUT (32u * 1024) /* at once */

struct exec {
    ssh_session session;
    ssh_channel channel;
    ssh_event event;
    const char *input;
    size_t left; /* of the input */
    bool input_ended;
    struct tt_buf output;
    struct tt_buf errors;
    bool ended; /* with a status */
    int exit_code;
    tt_time ended_at;
    bool no_more; /* output */
};

static int take_data(ssh_session session, ssh_channel channel, void *data, uint32_t length,
                     int is_errors, void *self)
{
    struct exec *exec = self;
    struct tt_buf *text = is_errors ? &exec->errors : &exec->output;
    size_t room = TT_SSH_MAX_OUTPUT - text->length;

    (void)session;
    (void)channel;
    tt_buf_addn(text, data, length < room ? length : room);
    return (int)length;
}

static void end(struct exec *exec, int exit_code)
{
    exec->ended = true;
    exec->exit_code = exit_code;
    exec->ended_at = tt_monotonic();
}

static void take_status(ssh_session session, ssh_channel channel, int status, void *self)
{
    (void)session;
    (void)channel;
    end(self, status & 0xff);
}

/* RFC 4254, section 6.10. */
static int signal_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"ABRT", 6},  {"ALRM", 14}, {"FPE", 8},   {"HUP", 1},  {"ILL", 4},
                   {"INT", 2},   {"KILL", 9},  {"PIPE", 13}, {"QUIT", 3}, {"SEGV", 11},
                   {"TERM", 15}, {"USR1", 10}, {"USR2", 12}};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (strcmp(signals[i].name, name) == 0)
            return signals[i].number;
    return 127;
}

static void take_signal(ssh_session session, ssh_channel channel, const char *name, int core,
                        const char *message, const char *language, void *self)
{
    (void)session;
    (void)channel;
    (void)core;
    (void)message;
    (void)language;
    end(self, 128 + signal_number(name));
}

static void take_end(ssh_session session, ssh_channel channel, void *self)
{
    struct exec *exec = self;

    (void)session;
    (void)channel;
    exec->no_more = true;
}

/* As much of the input as the other side has room for. */
static int feed(struct exec *exec)
{
    while (exec->left) {
        uint32_t window = ssh_channel_window_size(exec->channel);
        size_t part = exec->left < window ? exec->left : window;
        int put;

        if (!part)
            return 0;
        put = ssh_channel_write(exec->channel, exec->input,
                                (uint32_t)(part < MOST_INPUT ? part : MOST_INPUT));
        if (put < 0)
            return -1;
        exec->input += put;
        exec->left -= (size_t)put;
    }
    if (exec->input_ended)
        return 0;
    exec->input_ended = true;
    return ssh_channel_send_eof(exec->channel) == SSH_ERROR ? -1 : 0;
}

/* A command that ended without reading its input, or whose children keep its output open, has ended
 * all the same. */
static int watch(struct exec *exec, tt_time deadline, struct tt_error *err)
{
    while (!exec->no_more || !exec->ended) {
        tt_time now = tt_monotonic();
        tt_time left = exec->ended ? exec->ended_at + LINGER - now : deadline - now;

        if (left <= 0 && exec->ended)
            return 0;
        if (left <= 0)
            return tt_fail(err, TT_ERR_TIMEOUT,
                           "it did not end in time; whether it did its work is not known");
        if (exec->no_more && ssh_channel_is_closed(exec->channel))
            break;
        if ((!exec->ended && feed(exec) < 0) ||
            ssh_event_dopoll(exec->event, left < LONG_TURN ? (int)left : LONG_TURN) == SSH_ERROR)
            break;
    }
    if (exec->ended)
        return 0;
    return tt_fail(err, TT_ERR_TIMEOUT,
                   "the connection was lost while it ran; whether it did its work is not known");
}

static enum tt_ssh_outcome begin(struct exec *exec, const char *line, struct tt_error *err)
{
    struct tt_error lost = {0};

    if (ssh_channel_open_session(exec->channel) != SSH_OK) {
        tt_fail(err, TT_ERR_UNAVAILABLE, "it opens no channel: %s", ssh_get_error(exec->session));
        return TT_SSH_UNUSED;
    }
    if (ssh_channel_request_exec(exec->channel, line) == SSH_OK)
        return TT_SSH_DONE;
    if (ssh_is_connected(exec->session) && ssh_get_error_code(exec->session) == SSH_REQUEST_DENIED)
        tt_fail(&lost, TT_ERR_DENIED, "it refuses to run commands");
    else
        tt_fail(&lost, TT_ERR_TIMEOUT, "whether it was run is not known: %s",
                ssh_get_error(exec->session));
    if (err)
        *err = lost;
    return TT_SSH_FAILED;
}

static enum tt_ssh_outcome run(struct exec *exec, const char *line, tt_time deadline,
                               struct tt_error *err)
{
    struct ssh_channel_callbacks_struct callbacks = {
        .userdata = exec,
        .channel_data_function = take_data,
        .channel_eof_function = take_end,
        .channel_close_function = take_end,
        .channel_exit_status_function = take_status,
        .channel_exit_signal_function = take_signal,
    };
    enum tt_ssh_outcome outcome;

    ssh_callbacks_init(&callbacks);
    ssh_set_channel_callbacks(exec->channel, &callbacks);
    outcome = begin(exec, line, err);
    if (outcome == TT_SSH_DONE) {
        ssh_event_add_session(exec->event, exec->session);
        if (watch(exec, deadline, err) < 0) {
            outcome = TT_SSH_FAILED;
            /* not every sshd listens to this: root's does not */
            if (ssh_is_connected(exec->session))
                ssh_channel_request_send_signal(exec->channel, "KILL");
        }
        ssh_event_remove_session(exec->event, exec->session);
    }
    ssh_remove_channel_callbacks(exec->channel, &callbacks);
    return outcome;
}

enum tt_ssh_outcome tt_ssh_exec(ssh_session session, const char *line, const char *input,
                                tt_time deadline, struct tt_arena *arena,
                                struct tt_run_result *ret_result, bool *ret_reusable,
                                struct tt_error *err)
{
    struct exec exec = {.session = session,
                        .channel = ssh_channel_new(session),
                        .event = ssh_event_new(),
                        .input = input ? input : "",
                        .left = input ? strlen(input) : 0};
    enum tt_ssh_outcome outcome = TT_SSH_UNUSED;

    *ret_reusable = false;
    if (exec.channel && exec.event)
        outcome = run(&exec, line, deadline, err);
    else
        tt_fail(err, TT_ERR_UNAVAILABLE, "it opens no channel: %s", ssh_get_error(session));
    if (outcome == TT_SSH_DONE) {
        *ret_reusable = exec.no_more;
        *ret_result = (struct tt_run_result){.exit_code = exec.exit_code,
                                             .output = tt_strdup(arena, tt_buf_text(&exec.output)),
                                             .errors = tt_strdup(arena, tt_buf_text(&exec.errors))};
    }
    if (exec.channel)
        ssh_channel_free(exec.channel);
    if (exec.event)
        ssh_event_free(exec.event);
    tt_buf_release(&exec.output);
    tt_buf_release(&exec.errors);
    return outcome;
}
