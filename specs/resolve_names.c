/*
 * Resolve: names. Finding what a reference means, and saying what was probably meant when there
 * is no such thing.
 */
#include <string.h>

#include "base/str.h"
#include "specs/fields.h"
#include "specs/resolve.h"

const char *tt_document_name(const struct tt_document *document)
{
    return document->metadata.name.text ? document->metadata.name.text : "";
}

struct tt_document *tt_specs_find(const struct tt_specs *specs, enum tt_kind kind,
                                  const char *deployment, const char *name)
{
    TT_BUF_AUTO subject = {0};

    tt_buf_addf(&subject, "%s/%s%s%s", tt_kind_words[kind], deployment ? deployment : "",
                deployment ? "/" : "", name);
    return tt_map_get(&specs->by_subject, tt_buf_text(&subject));
}

static const char *deployment_of(const struct tt_document *document)
{
    if (document->kind == TT_KIND_SERVICE)
        return document->spec.service.deployment.text;
    if (document->kind == TT_KIND_LOAD_BALANCER)
        return document->spec.balancer.deployment.text;
    return NULL;
}

/* A file that could not be read to its end may define the name: its syntax error is enough. */
static bool may_be_in_broken_file(const struct tt_specs *specs, const char *name)
{
    TT_EACH (file, &specs->broken)
        if (!file->text || memmem(file->text, file->size, name, strlen(name)))
            return true;
    return false;
}

/* The names of all documents of KIND (of DEPLOYMENT, unless NULL), ending with NULL. */
static const char *const *names_of(const struct tt_specs *specs, enum tt_kind kind,
                                   const char *deployment)
{
    struct tt_strings names = {0};

    TT_EACH (item, &specs->documents)
        if ((*item)->kind == kind && (!deployment || tt_streq(deployment, deployment_of(*item))))
            tt_strings_add(specs->arena, &names, tt_document_name(*item));
    tt_strings_add(specs->arena, &names, NULL);
    return names.items;
}

static void unknown_reference(struct tt_specs *specs, enum tt_kind kind, const char *deployment,
                              const struct tt_document *from, const struct tt_scalar *name)
{
    if (may_be_in_broken_file(specs, name->text))
        return;
    tt_report_add(specs->report, "unknown-reference", name->mark, from->subject,
                  "there is no %s %.80s%s%s%s", tt_kind_words[kind], name->text,
                  deployment ? " in deployment " : "", deployment ? deployment : "",
                  tt_did_you_mean(specs->arena, name->text, names_of(specs, kind, deployment)));
}

struct tt_document *tt_resolve_global(struct tt_specs *specs, enum tt_kind kind,
                                      const struct tt_document *from, const struct tt_scalar *name)
{
    struct tt_document *found;

    if (!name->text)
        return NULL;
    found = tt_specs_find(specs, kind, NULL, name->text);
    if (!found)
        unknown_reference(specs, kind, NULL, from, name);
    return found;
}

struct tt_document *tt_resolve_local(struct tt_specs *specs, enum tt_kind kind,
                                     const struct tt_document *from, const struct tt_scalar *name)
{
    const char *deployment = deployment_of(from);
    struct tt_document *found;

    if (!deployment)
        return NULL;
    found = tt_specs_find(specs, kind, deployment, name->text);
    if (found)
        return found;
    TT_EACH (item, &specs->documents) {
        const char *other = deployment_of(*item);

        if ((*item)->kind != kind || !other || strcmp(tt_document_name(*item), name->text) != 0)
            continue;
        tt_report_add(specs->report, "wrong-deployment", name->mark, from->subject,
                      "%s %.80s is part of deployment %.80s (%s:%d), not of %s; a service is tied "
                      "only to what its own deployment has",
                      tt_kind_words[kind], name->text, other, (*item)->at.mark.file,
                      (*item)->at.mark.line, deployment);
        return NULL;
    }
    unknown_reference(specs, kind, deployment, from, name);
    return NULL;
}

void tt_resolve_region(struct tt_specs *specs, const struct tt_document *from,
                       const struct tt_account *account, const struct tt_scalar *region)
{
    struct tt_strings known = {0};

    if (!account || !region->text || !account->regions.count ||
        tt_strings_has(&account->regions, region->text))
        return;
    TT_EACH (item, &account->regions)
        tt_strings_add(specs->arena, &known, *item);
    tt_strings_add(specs->arena, &known, NULL);
    tt_report_add(specs->report, "unknown-reference", region->mark, from->subject,
                  "account %s has no region %.80s%s; it has %s", account->name, region->text,
                  tt_did_you_mean(specs->arena, region->text, known.items),
                  tt_strings_join(specs->arena, &account->regions, "none"));
}
