/*
 * Names: between its creation and its tags a machine is known by its name alone, so the name says
 * whose it is.
 *
 *   display name  storefront-web-3                      as everywhere
 *   host name     storefront-web-3-s10-1c2b3a4d-0123456789abcdef-9f86d081884c
 *                 the head (cut when it is long), what it is of (s: service, b: balancer) and the
 *                 length of the deployment's name, the owner's mark, the hash of the spec ("x":
 *                 none), the incarnation
 */
#ifndef TT_CLOUDSTACK_NAMES_H
#define TT_CLOUDSTACK_NAMES_H

#include "base/arena.h"
#include "model/world.h"

/* Eight hexadecimal digits that stand for OWNER. */
void tt_cloudstack_owner_mark(const char *owner, char ret_mark[9]);

/* At most 63 characters of a DNS label. */
const char *tt_cloudstack_host_name(struct tt_arena *arena, const char *display,
                                    const struct tt_tags *tags, const char *mark);

/* Reads the marks back from both names. False: it is no machine of the owner with MARK. */
bool tt_cloudstack_read_name(struct tt_arena *arena, const char *display, const char *host,
                             const char *mark, const char *owner, struct tt_tags *ret_tags);

#endif
