/*
 * Machines: from what the API tells of a virtual machine to a server of the world.
 */
#ifndef TT_CLOUDSTACK_MACHINES_H
#define TT_CLOUDSTACK_MACHINES_H

#include "providers/cloudstack/cloud.h"

/* Fills RET_SERVER, in the words of the specs; false: it is destroyed, or no machine at all. */
bool tt_cloudstack_read_machine(const struct tt_cloudstack *cloud, struct tt_arena *arena,
                                const json_t *machine, const struct tt_observe_request *words,
                                struct tt_server *ret_server);

/* The machine with ID, owned by the caller. NOT_FOUND: there is none. */
int tt_cloudstack_machine(struct tt_cloudstack *cloud, const char *id, json_t **ret_machine,
                          struct tt_error *err);

/* DENIED unless MACHINE carries the owner's mark, in its tags or its name. */
int tt_cloudstack_check_owner(const struct tt_cloudstack *cloud, const json_t *machine,
                              const char *id, struct tt_error *err);

/* The network card that carries the default route, or the first; NULL: there is none. */
const json_t *tt_cloudstack_card_of(const json_t *machine);

/* The value of one tag; NULL: MACHINE does not have it. */
const char *tt_cloudstack_tag_of(const json_t *machine, const char *name);

/* Brings the marks of MACHINE (as listed; NULL: a new one) to those in TAGS that are not NULL. */
int tt_cloudstack_put_marks(struct tt_cloudstack *cloud, struct tt_arena *arena, const char *id,
                            const json_t *machine, const struct tt_tags *tags,
                            struct tt_error *err);

#endif
