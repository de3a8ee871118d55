/*
 * Resolve: files that specs name, read from the same revision: user data, and the snapshots of
 * `file` accounts, of which only the capabilities are used here. Each file is read once.
 */
#include <string.h>

#include "base/str.h"
#include "model/world_json.h"
#include "specs/resolve.h"

#define USER_DATA_MAX ((size_t)1 << 20)
#define SNAPSHOT_MAX  ((size_t)256 << 20)

struct tt_spec_file {
    const char *text; /* NULL: it cannot be read */
    size_t size;
    struct tt_error err;
    const struct tt_world *world; /* of a snapshot; NULL: it is none */
};

static struct tt_spec_file *read_once(struct tt_specs *specs, const char *path, size_t limit,
                                      bool *ret_first)
{
    struct tt_spec_file *file = tt_map_get(&specs->files, path);

    *ret_first = !file;
    if (file)
        return file;
    file = TT_NEW(specs->arena, struct tt_spec_file);
    if (tt_source_read(specs->source, path, limit, &file->text, &file->size, &file->err) < 0)
        file->text = NULL;
    tt_map_put(&specs->files, path, file);
    return file;
}

static const char *read_user_data(struct tt_specs *specs, const char *folder,
                                  const struct tt_scalar *name, const char *subject)
{
    char *path = NULL;
    const struct tt_spec_file *file;
    bool first;

    if (!name->text)
        return NULL;
    if (name->text[0] != '/')
        path = tt_source_join(specs->arena, folder, name->text);
    if (!path) {
        tt_report_add(specs->report, "out-of-range", name->mark, subject,
                      "%.200s leads out of the repository; user data is a file of it, relative to "
                      "this one",
                      name->text);
        return NULL;
    }
    file = read_once(specs, path, USER_DATA_MAX, &first);
    if (!file->text) {
        tt_report_add(specs->report,
                      file->err.class == TT_ERR_NOT_FOUND ? "unknown-reference" : "out-of-range",
                      name->mark, subject, "%s", file->err.message);
        return NULL;
    }
    if (strlen(file->text) != file->size) {
        tt_report_add(specs->report, "bad-type", name->mark, subject,
                      "%s is no text file: user data must not hold the character NUL", path);
        return NULL;
    }
    return file->text;
}

struct tt_server_spec tt_resolve_server(struct tt_specs *specs, const char *folder,
                                        const struct tt_doc_server *base,
                                        const struct tt_doc_server *override, const char *subject)
{
    static const struct tt_doc_server nothing = {0};
    const struct tt_doc_server *over = override ? override : &nothing;
    const struct tt_scalars *firewalls =
        over->firewalls.given ? &over->firewalls : &base->firewalls;
    const struct tt_doc_user_data *data =
        over->user_data.at.node ? &over->user_data : &base->user_data;
    struct tt_server_spec spec = {
        .template = over->template.text ? over->template.text : base->template.text,
        .size = over->size.text ? over->size.text : base->size.text,
        .key = over->key.text ? over->key.text : base->key.text,
        .network = over->network.text ? over->network.text : base->network.text,
        .user_data = read_user_data(specs, folder, &data->file, subject),
    };

    if (firewalls->given) {
        struct tt_strings *names = TT_NEW(specs->arena, struct tt_strings);

        *names = tt_resolve_strings(specs->arena, firewalls, false);
        spec.firewalls = names;
    }
    return spec;
}

/* The snapshot of a `file` account in this revision; NULL: it is not there, or no snapshot (which
 * its provider will tell better). */
static const struct tt_world *snapshot_of(struct tt_specs *specs, const struct tt_account *account)
{
    struct tt_spec_file *file;
    struct tt_world *world = NULL;
    bool first;

    if (!account->snapshot || account->snapshot[0] == '/')
        return NULL;
    file = read_once(specs, account->snapshot, SNAPSHOT_MAX, &first);
    if (first && file->text &&
        tt_world_from_json(specs->arena, file->text, file->size, account->snapshot, &world, NULL) ==
            0)
        file->world = world;
    return file->world;
}

bool tt_resolve_features(struct tt_specs *specs, const struct tt_account *account,
                         unsigned *ret_features)
{
    const struct tt_world_account *found = NULL;
    const struct tt_world *snapshot;

    if (account->provider == TT_PROVIDER_KINDS)
        return false;
    *ret_features = tt_provider_kind_features(account->provider);
    if (account->provider != TT_PROVIDER_FILE)
        return true;
    if (specs->world)
        found = tt_world_account(specs->world, account->name);
    if (!found && (snapshot = snapshot_of(specs, account)))
        found = tt_world_account(snapshot, account->name);
    if (found)
        *ret_features = found->features;
    return found != NULL;
}
