/*
 * Check: goes over all documents, and the rules that several kinds share.
 */
#include "specs/check.h"

#include <string.h>

#include "base/map.h"

void tt_check_health(struct tt_specs *specs, const struct tt_document *document,
                     const struct tt_doc_health *health)
{
    bool http = tt_node_get(health->at.node, "http") != NULL;
    bool tcp = tt_node_get(health->at.node, "tcp") != NULL;

    if (!health->at.node || http != tcp)
        return;
    if (http)
        tt_report_add(specs->report, "duplicate-key", tt_node_key_mark(health->at.node, "tcp"),
                      document->subject, "health is either http or tcp; remove one of them");
    else
        tt_report_add(specs->report, "missing-key", health->at.mark, document->subject,
                      "health needs http or tcp: write http: {path: /} or tcp: {}");
}

void tt_check_twice(struct tt_specs *specs, const struct tt_document *document,
                    const struct tt_scalars *list, const char *what)
{
    struct tt_map seen;

    tt_map_init(&seen, specs->arena);
    TT_EACH (item, list)
        if (tt_map_put(&seen, item->text, item))
            tt_report_add(specs->report, "duplicate-name", item->mark, document->subject,
                          "the %s %.80s is listed twice", what, item->text);
}

void tt_specs_check(struct tt_specs *specs)
{
    TT_EACH (document, &specs->documents) {
        switch ((*document)->kind) {
        case TT_KIND_ACCOUNT:
            tt_check_account(specs, *document);
            break;
        case TT_KIND_DEPLOYMENT:
            tt_check_cycles(specs, *document);
            break;
        case TT_KIND_SERVICE:
            tt_check_service(specs, *document);
            break;
        case TT_KIND_LOAD_BALANCER:
            tt_check_balancer(specs, *document);
            break;
        case TT_KIND_FLEET:
        case TT_KINDS:
            break;
        }
    }
    tt_check_shared(specs);
}
