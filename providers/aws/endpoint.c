/*
 * Endpoints: see the header.
 */
#include "providers/aws/endpoint.h"

#include <string.h>

#include "base/str.h"

char *tt_aws_url(struct tt_arena *arena, const char *endpoint, const char *service,
                 const char *region)
{
    const char *suffix = tt_starts_with(region, "cn-") ? ".cn" : "";

    if (endpoint)
        return tt_printf(arena, "%s%s", endpoint, endpoint[strlen(endpoint) - 1] == '/' ? "" : "/");
    return tt_printf(arena, "https://%s.%s.amazonaws.com%s/", service, region, suffix);
}
