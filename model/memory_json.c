/*
 * Memory as JSON: reading and writing. A deployment whose servers are listed is known by that.
 */
#include "model/memory_json.h"

#include <string.h>

#include "base/str.h"
#include "model/json.h"

/* --- reading --------------------------------------------------------------------------------- */

static int read_recoveries(struct tt_arena *arena, const struct tt_json *document,
                           struct tt_memory *memory, struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_array(document, "recoveries", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i), at;
        struct tt_recovery *recovery = TT_VEC_ADD(arena, &memory->recoveries);

        if (tt_json_object(&item, err) < 0 ||
            tt_json_required_string(arena, &item, "deployment", &recovery->deployment, err) < 0 ||
            tt_json_required_string(arena, &item, "balancer", &recovery->balancer, err) < 0)
            return -1;
        at = tt_json_member(&item, "at");
        if (!at.value)
            return tt_json_expected(&at, "a time", err);
        if (tt_json_time(&item, "at", &recovery->at, err) < 0)
            return -1;
    }
    return 0;
}

static int read_servers(struct tt_arena *arena, const struct tt_json *document,
                        struct tt_memory *memory, struct tt_error *err)
{
    const struct tt_strings *deployments = NULL;
    struct tt_json array;
    size_t count;

    if (tt_json_strings(arena, document, "deployments", &deployments, err) < 0 ||
        tt_json_array(document, "servers", &array, &count, err) < 0)
        return -1;
    if (deployments)
        memory->deployments = *deployments;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        struct tt_known_server *known = TT_VEC_ADD(arena, &memory->servers);

        if (tt_json_object(&item, err) < 0 ||
            tt_json_required_string(arena, &item, "deployment", &known->deployment, err) < 0 ||
            tt_json_required_string(arena, &item, "account", &known->account, err) < 0 ||
            tt_json_required_string(arena, &item, "region", &known->region, err) < 0 ||
            tt_json_required_string(arena, &item, "id", &known->id, err) < 0)
            return -1;
        /* they are listed by deployment: mostly it is that of the one before */
        if ((i == 0 || !tt_streq(known->deployment, known[-1].deployment)) &&
            !tt_strings_has(&memory->deployments, known->deployment))
            tt_strings_add(arena, &memory->deployments, known->deployment);
    }
    tt_strings_sort(&memory->deployments);
    return 0;
}

static int read_member(struct tt_arena *arena, const struct tt_json *item,
                       struct tt_told_member *ret_member, struct tt_error *err)
{
    if (tt_json_object(item, err) < 0 ||
        tt_json_required_string(arena, item, "account", &ret_member->account, err) < 0 ||
        tt_json_required_string(arena, item, "region", &ret_member->region, err) < 0 ||
        tt_json_required_string(arena, item, "machine", &ret_member->machine, err) < 0 ||
        tt_json_required_string(arena, item, "service", &ret_member->service, err) < 0 ||
        tt_json_required_string(arena, item, "address", &ret_member->address, err) < 0)
        return -1;
    return tt_json_int(item, "port", 1, 65535, &ret_member->port, err);
}

static int read_told(struct tt_arena *arena, const struct tt_json *document,
                     struct tt_memory *memory, struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_array(document, "told", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);

        if (read_member(arena, &item, TT_VEC_ADD(arena, &memory->told), err) < 0)
            return -1;
    }
    return 0;
}

static int read_lent(struct tt_arena *arena, const struct tt_json *document,
                     struct tt_memory *memory, struct tt_error *err)
{
    struct tt_json array;
    size_t count;

    if (tt_json_array(document, "lent", &array, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct tt_json item = tt_json_item(&array, i);
        struct tt_lent_member *lent = TT_VEC_ADD(arena, &memory->lent);

        if (read_member(arena, &item, &lent->member, err) < 0 ||
            tt_json_required_string(arena, &item, "balancer", &lent->balancer, err) < 0)
            return -1;
        if (!strchr(lent->member.service, '.')) {
            struct tt_json service = tt_json_member(&item, "service");

            return tt_json_expected(&service, "DEPLOYMENT.SERVICE", err);
        }
    }
    return 0;
}

static int read_document(struct tt_arena *arena, const struct tt_json *document,
                         struct tt_memory *memory, struct tt_error *err)
{
    if (tt_json_object(document, err) < 0 ||
        (tt_json_member(document, "format").value &&
         tt_json_format(document, "trimtab.memory/v1", err) < 0) ||
        read_recoveries(arena, document, memory, err) < 0 ||
        read_told(arena, document, memory, err) < 0 || read_lent(arena, document, memory, err) < 0)
        return -1;
    return read_servers(arena, document, memory, err);
}

int tt_memory_from_json(struct tt_arena *arena, const char *text, size_t size, const char *name,
                        struct tt_memory *ret_memory, struct tt_error *err)
{
    json_auto_t *root = NULL;
    struct tt_memory memory = {0};
    struct tt_json document = {0};

    if (tt_json_parse(text, size, name, &root, err) < 0)
        return -1;
    document.value = root;
    if (read_document(arena, &document, &memory, err) < 0)
        return tt_wrap(err, "%s", name);
    *ret_memory = memory;
    return 0;
}

/* --- writing --------------------------------------------------------------------------------- */

static json_t *member_json(const struct tt_told_member *member)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "account", member->account, "region",
                     member->region, "machine", member->machine, "service", member->service,
                     "address", member->address, "port", member->port);
}

char *tt_memory_to_json(struct tt_arena *arena, const struct tt_memory *memory)
{
    json_t *root = json_object(), *recoveries = json_array(), *servers = json_array();
    json_t *told = json_array(), *lent = json_array();
    struct tt_arena scratch;

    tt_arena_init(&scratch);
    TT_EACH (recovery, &memory->recoveries)
        json_array_append_new(recoveries,
                              json_pack("{s:s, s:s, s:s}", "deployment", recovery->deployment,
                                        "balancer", recovery->balancer, "at",
                                        tt_time_format_exact(&scratch, recovery->at)));
    TT_EACH (known, &memory->servers)
        json_array_append_new(servers, json_pack("{s:s, s:s, s:s, s:s}", "deployment",
                                                 known->deployment, "account", known->account,
                                                 "region", known->region, "id", known->id));
    TT_EACH (member, &memory->told)
        json_array_append_new(told, member_json(member));
    TT_EACH (member, &memory->lent) {
        json_t *item = member_json(&member->member);

        json_object_set_new(item, "balancer", json_string(member->balancer));
        json_array_append_new(lent, item);
    }
    tt_arena_release(&scratch);
    json_object_set_new(root, "format", json_string("trimtab.memory/v1"));
    json_object_set_new(root, "recoveries", recoveries);
    json_object_set_new(root, "deployments", tt_json_from_strings(&memory->deployments));
    json_object_set_new(root, "servers", servers);
    json_object_set_new(root, "told", told);
    json_object_set_new(root, "lent", lent);
    return tt_json_text(arena, root);
}
