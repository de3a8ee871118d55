/*
 * What both kinds of source agree on: which files are specs, and how many of them are read.
 */
#ifndef TT_SPECS_SOURCE_LIMITS_H
#define TT_SPECS_SOURCE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "specs/yaml.h"

#define TT_SOURCE_MAX_FILES 100000
#define TT_SOURCE_MAX_TOTAL ((size_t)512 << 20)

/* *.yaml and *.yml. */
static inline bool tt_is_spec_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* Counts one more file of SIZE bytes. */
static inline int tt_check_limits(size_t files, size_t *total, size_t size, struct tt_error *err)
{
    *total += size;
    if (files > TT_SOURCE_MAX_FILES || *total > TT_SOURCE_MAX_TOTAL)
        return tt_fail(err, TT_ERR_SPEC,
                       "more than %d YAML files or %zu MiB of them; name the specs' folder with "
                       "--path",
                       TT_SOURCE_MAX_FILES, TT_SOURCE_MAX_TOTAL >> 20);
    return 0;
}

#endif
