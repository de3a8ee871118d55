/*
 * Check of what two balancers cannot share: an elastic address, which reaches one machine, and
 * within a deployment a cloud balancer or a static machine, since each would take out the members
 * of the other, time and again.
 */
#include "base/map.h"
#include "base/str.h"
#include "specs/check.h"

/* KEY is told apart by WHAT; the first document with it is remembered, another one refused. */
static void claim(struct tt_specs *specs, struct tt_map *claims, struct tt_document *document,
                  const struct tt_scalar *place, const char *value, const char *deployment,
                  const char *what, const char *why)
{
    const struct tt_balancer *balancer = document->made.balancer;
    const char *key = tt_printf(specs->arena, "%s\n%s\n%s\n%s\n%s", what, deployment,
                                balancer->account->name, balancer->region, value);
    const struct tt_document *first = tt_map_get(claims, key);

    if (first)
        tt_report_add(specs->report, "duplicate-name",
                      place->text ? place->mark : document->at.mark, document->subject,
                      "%s has the %s %.80s of %s/%s already (%s:%d): %s", first->subject, what,
                      value, balancer->account->name, balancer->region, first->at.mark.file,
                      first->at.mark.line, why);
    else
        tt_map_put(claims, key, document);
}

void tt_check_shared(struct tt_specs *specs)
{
    struct tt_map claims;

    tt_map_init(&claims, specs->arena);
    TT_EACH (item, &specs->documents) {
        struct tt_document *document = *item;
        const struct tt_balancer *balancer =
            document->kind == TT_KIND_LOAD_BALANCER ? document->made.balancer : NULL;
        const struct tt_doc_balancer *doc = &document->spec.balancer;

        if (!balancer || !balancer->account || !balancer->region || !balancer->deployment)
            continue;
        if (balancer->address)
            claim(specs, &claims, document, &doc->address, balancer->address, "", "address",
                  "an address reaches one machine");
        if (balancer->cloud_name)
            claim(specs, &claims, document, &doc->name, balancer->cloud_name,
                  balancer->deployment->name, "cloud balancer",
                  "attach the services of both to one of them");
        if (balancer->machine)
            claim(specs, &claims, document, &doc->machine, balancer->machine,
                  balancer->deployment->name, "machine",
                  "attach the services of both to one of them");
    }
}
