/*
 * Serve: the daemon's life, as its command sees it.
 */
#ifndef TT_SERVE_SERVE_H
#define TT_SERVE_SERVE_H

#include "serve/config.h"
#include "serve/daemon.h"

struct tt_serve_options {
    const char *program;      /* this program's path: what runs are started from */
    const char *state_folder; /* absolute; outlives the daemon */
    const struct tt_clock *clock;
};

/* Begins to follow what CONFIG names, which is the daemon's from then on (on failure, too). Signals
 * that the caller waits for must be blocked by now: the daemon has threads of its own. */
int tt_serve_start(const struct tt_serve_options *options, struct tt_config *config,
                   struct tt_daemon **ret_daemon, struct tt_error *err);

/* CONFIG from now on; it is the daemon's. Runs go on. */
void tt_serve_reload(struct tt_daemon *daemon, struct tt_config *config);

/* Starts nothing more, and asks what runs to finish its steps. */
void tt_serve_stop(struct tt_daemon *daemon);

/* Waits for all to have ended after tt_serve_stop, and frees it. */
void tt_serve_free(struct tt_daemon *daemon);

#endif
