/*
 * Names: what the specs call by name and OpenStack knows by id: images, flavors, networks.
 */
#ifndef TT_OPENSTACK_NAMES_H
#define TT_OPENSTACK_NAMES_H

#include "base/map.h"
#include "providers/openstack/cloud.h"

/* Words for what servers are made of, as the specs write them. */
struct tt_openstack_names {
    const struct tt_observe_request *request;
    struct tt_strings templates; /* of the request's, those that exist */
    struct tt_map images;        /* id → word */
    struct tt_map flavors;       /* name → word, where the specs name a flavor by its id */
    struct tt_map networks;      /* name → word, likewise */
    struct tt_map groups;        /* name → word, likewise */
    struct tt_map outside;       /* names of networks whose addresses are public → themselves */
};

/* Asks for what REQUEST names, and which networks are public. */
int tt_openstack_read_names(const struct tt_openstack_visit *visit,
                            const struct tt_observe_request *request,
                            struct tt_openstack_names *ret_names, struct tt_error *err);

/* Ids for a new server. Errors: SPEC (there is none, or more than one of that name). NETWORK may
 * be NULL: the only one that a server can be in. */
int tt_openstack_image_id(const struct tt_openstack_visit *visit, const char *image,
                          const char **ret_id, struct tt_error *err);
int tt_openstack_flavor_id(const struct tt_openstack_visit *visit, const char *flavor,
                           const char **ret_id, struct tt_error *err);
int tt_openstack_network_id(const struct tt_openstack_visit *visit, const char *network,
                            const char **ret_id, struct tt_error *err);

#endif
