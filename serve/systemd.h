/*
 * Systemd: what a service of Type=notify tells its manager.
 */
#ifndef TT_SERVE_SYSTEMD_H
#define TT_SERVE_SYSTEMD_H

#include "base/clock.h"

/* Sends STATE ("READY=1") to $NOTIFY_SOCKET; without one, nothing happens. */
void tt_systemd_notify(const char *state);

/* How often the watchdog wants to hear from this process; 0: there is none. */
tt_time tt_systemd_watchdog(void);

#endif
