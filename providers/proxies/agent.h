/*
 * Agent: the scripts of providers/proxies/agent/, carried inside the program.
 */
#ifndef TT_PROVIDERS_PROXIES_AGENT_H
#define TT_PROVIDERS_PROXIES_AGENT_H

#include <stddef.h>

#include "base/error.h"

struct tt_agent_file {
    const char *name;
    const unsigned char *data;
    size_t size;
};

/* Every file; the last has a NULL name. Made by part.cmake from the folder. */
extern const struct tt_agent_file tt_agent_files[];

/* Writes all of them into FOLDER, which exists (mode 0755). INTERNAL: it cannot be written. */
int tt_agent_install(const char *folder, struct tt_error *err);

#endif
