/*
 * Machines: Nova's servers as struct tt_server, and the marks on them.
 *
 * Marks are metadata ("trimtab:owner" ...), which no list can be filtered by; two server tags make
 * them findable: the owner's, and the incarnation's.
 */
#ifndef TT_OPENSTACK_MACHINES_H
#define TT_OPENSTACK_MACHINES_H

#include "providers/openstack/cloud.h"
#include "providers/openstack/names.h"

/* The server tag of OWNER; a long name by its hash. */
const char *tt_openstack_owner_mark(struct tt_arena *arena, const char *owner);
const char *tt_openstack_incarnation_mark(struct tt_arena *arena, const char *incarnation);

/* TAGS as metadata; PORT is where the service listens (0: none). The caller owns it. */
json_t *tt_openstack_metadata(struct tt_arena *arena, const struct tt_tags *tags, int port);

/* Adds to METADATA of a new server that it is made from IMAGE (an id) as the specs' TEMPLATE. */
void tt_openstack_mark_template(json_t *metadata, const char *template, const char *image);

/* The marks on MACHINE, as tags. */
struct tt_tags tt_openstack_tags_of(struct tt_arena *arena, const json_t *machine);

/* TAGS of a server as Octavia's tags of its member, and back. The array is the caller's. */
json_t *tt_openstack_member_marks(struct tt_arena *arena, const char *server,
                                  const struct tt_tags *tags);
struct tt_tags tt_openstack_member_tags(struct tt_arena *arena, const json_t *member);
/* The id of the server that MEMBER was enrolled as; NULL: not by us. */
const char *tt_openstack_member_server(struct tt_arena *arena, const json_t *member);
bool tt_openstack_is_our_member(const json_t *member);
/* The same, and it tells of no other owner. */
bool tt_openstack_is_own_member(const struct tt_openstack_visit *visit, const json_t *member);

/* MACHINE as a server, in the words of NAMES. False: it is gone. */
bool tt_openstack_read_machine(const struct tt_openstack_names *names, struct tt_arena *arena,
                               const json_t *machine, struct tt_server *ret_server);

/* It is deleted, or about to be. */
bool tt_openstack_is_gone(const json_t *machine);
/* MACHINE is one that Nova knows to be, and no more, since it cannot ask the cell that has it. */
bool tt_openstack_is_hidden(const json_t *machine);

/* One machine by its id. Errors: NOT_FOUND; UNAVAILABLE (its cell is down). */
int tt_openstack_machine(const struct tt_openstack_visit *visit, const char *id,
                         json_t **ret_machine, struct tt_error *err);

/* The same, but one that is about to be deleted is there: it may run still. */
int tt_openstack_machine_that_may_run(const struct tt_openstack_visit *visit, const char *id,
                                      json_t **ret_machine, struct tt_error *err);

/* Errors: DENIED, when it does not carry our owner's mark. */
int tt_openstack_check_owner(const struct tt_openstack_visit *visit, const json_t *machine,
                             const char *id, struct tt_error *err);

/* The address by which others in its network reach it, and its service's port (0: unknown). */
const char *tt_openstack_private_address(struct tt_arena *arena, const json_t *machine);
int tt_openstack_port_of(const json_t *machine);

#endif
