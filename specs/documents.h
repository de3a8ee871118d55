/*
 * Documents: what stands in one YAML document, decoded but not yet resolved.
 *
 * Every value keeps its mark, and whether it was given or is the default of its table. resolve.c
 * turns documents into model/desired.h; check.c judges them with their marks.
 */
#ifndef TT_SPECS_DOCUMENTS_H
#define TT_SPECS_DOCUMENTS_H

#include <stdint.h>

#include "model/desired.h"
#include "specs/yaml.h"

/* One scalar of any type: NUMBER is the integer, the enumerator, the milliseconds, or 0 and 1. */
struct tt_scalar {
    bool given; /* it stands in the document; else it is the default, or zero */
    bool percent;
    int64_t number;
    const char *text; /* NULL: neither given nor a default */
    struct tt_mark mark;
};

struct tt_scalars {
    struct tt_scalar *items;
    size_t count;
    size_t capacity;
    bool given;
    struct tt_mark mark; /* of the key */
};

/* The first member of every struct that a mapping is decoded into. */
struct tt_object {
    const struct tt_node *node; /* NULL: not given */
    struct tt_mark mark;        /* of its key; an entry of a list: of the entry */
};

/* A list of mappings; ITEMS are structs of the field's table. */
struct tt_objects {
    void *items;
    size_t count;
    struct tt_mark mark; /* of the key */
    bool given;
};

struct tt_doc_metadata {
    struct tt_object at;
    struct tt_scalar name;
};

struct tt_doc_guard {
    struct tt_object at;
    struct tt_scalar max_destroy;
    struct tt_scalar max_vanished;
};

struct tt_doc_window {
    struct tt_object at;
    struct tt_scalars days;
    struct tt_scalar from;
    struct tt_scalar to;
};

/* Keys of the Fleet and of a Deployment; no mapping of its own. */
struct tt_doc_policy {
    struct tt_scalar on_push;
    struct tt_scalar on_drift;
    struct tt_scalar on_failure;
    struct tt_scalar suspend;
    struct tt_objects windows; /* struct tt_doc_window */
};

struct tt_doc_fleet {
    struct tt_object at;
    struct tt_doc_guard guard;
    struct tt_doc_policy policy;
};

struct tt_doc_credentials {
    struct tt_object at;
    struct tt_scalar profile;
    struct tt_scalar env;
    struct tt_scalar file;
};

struct tt_doc_ssh {
    struct tt_object at;
    struct tt_scalar user;
    struct tt_scalar port;
    struct tt_scalar key;
    struct tt_scalar known_hosts;
    struct tt_scalar sudo;
    struct tt_scalar scripts;
};

struct tt_doc_template {
    struct tt_object at;
    struct tt_scalar name;
    struct tt_scalars command;
    struct tt_scalar software;
};

struct tt_doc_account {
    struct tt_object at;
    struct tt_scalar provider;
    struct tt_scalar endpoint;
    struct tt_doc_credentials credentials;
    struct tt_doc_ssh ssh;
    struct tt_scalars regions;
    struct tt_scalars zones;
    struct tt_objects templates; /* struct tt_doc_template */
    struct tt_scalar snapshot;
};

struct tt_doc_deployment {
    struct tt_object at;
    struct tt_scalar state;
    struct tt_doc_guard guard;
    struct tt_scalar prune;
    struct tt_doc_policy policy;
};

struct tt_doc_user_data {
    struct tt_object at;
    struct tt_scalar file;
};

struct tt_doc_server {
    struct tt_object at;
    struct tt_scalar template;
    struct tt_scalar size;
    struct tt_scalars firewalls;
    struct tt_doc_user_data user_data;
    struct tt_scalar key;
    struct tt_scalar network;
};

struct tt_doc_placement {
    struct tt_object at;
    struct tt_scalar account;
    struct tt_scalar region;
    struct tt_scalars zones;
    struct tt_scalar count;
    struct tt_doc_server server;
};

struct tt_doc_http {
    struct tt_object at;
    struct tt_scalar path;
};

struct tt_doc_tcp {
    struct tt_object at;
};

struct tt_doc_health {
    struct tt_object at;
    struct tt_doc_http http;
    struct tt_doc_tcp tcp;
    struct tt_scalar interval;
    struct tt_scalar timeout;
    struct tt_scalar unhealthy_after;
    struct tt_scalar grace;
};

struct tt_doc_update {
    struct tt_object at;
    struct tt_scalar max_surge;
    struct tt_scalar max_unavailable;
};

struct tt_doc_service {
    struct tt_object at;
    struct tt_scalar deployment;
    struct tt_doc_server server;
    struct tt_scalar port;
    struct tt_scalars names;
    struct tt_objects placements; /* struct tt_doc_placement */
    struct tt_doc_health health;
    struct tt_scalars balancers;
    struct tt_doc_update update;
    struct tt_scalar drain;
    struct tt_scalars depends_on;
};

struct tt_doc_tls {
    struct tt_object at;
    struct tt_scalar certificate;
    struct tt_scalar key;
    struct tt_scalar chain;
};

struct tt_doc_listener {
    struct tt_object at;
    struct tt_scalar port;
    struct tt_scalar protocol;
    struct tt_scalar target_port;
    struct tt_doc_tls tls;
};

struct tt_doc_recovery {
    struct tt_object at;
    struct tt_scalar unhealthy_after;
    struct tt_scalar interval;
    struct tt_scalar max_per_hour;
};

struct tt_doc_balancer {
    struct tt_object at;
    struct tt_scalar deployment;
    struct tt_scalar type;
    struct tt_scalar account;
    struct tt_scalar region;
    struct tt_scalar scope;
    struct tt_scalars zones;
    struct tt_objects listeners; /* struct tt_doc_listener */
    struct tt_scalar algorithm;
    struct tt_doc_health health;
    struct tt_scalar software;
    struct tt_doc_server server;
    struct tt_scalar address;
    struct tt_doc_recovery recovery;
    struct tt_scalar machine;
    struct tt_scalar name;
};

enum tt_kind {
    TT_KIND_FLEET,
    TT_KIND_ACCOUNT,
    TT_KIND_DEPLOYMENT,
    TT_KIND_SERVICE,
    TT_KIND_LOAD_BALANCER,
    TT_KINDS,
};

struct tt_document {
    struct tt_object at;
    enum tt_kind kind;
    struct tt_scalar api_version;
    struct tt_scalar kind_word;
    struct tt_doc_metadata metadata;
    union {
        struct tt_doc_fleet fleet;
        struct tt_doc_account account;
        struct tt_doc_deployment deployment;
        struct tt_doc_service service;
        struct tt_doc_balancer balancer;
    } spec;
    const char *folder;  /* of its file; "" is the root */
    const char *subject; /* "Service/storefront/web"; NULL: not known */
    /* What resolve.c made of it; NULL: it could not be placed (a duplicate, no deployment). */
    union {
        struct tt_account *account;
        struct tt_deployment *deployment;
        struct tt_service *service;
        struct tt_balancer *balancer;
    } made;
};

struct tt_documents {
    struct tt_document **items;
    size_t count;
    size_t capacity;
};

#endif
