/*
 * Fuzz target: replies of OpenStack: Keystone, Nova, Glance, Neutron, Octavia.
 */
#include <stdlib.h>

#include "providers/openstack/openstack.h"
#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *regions[] = {"north"};
    static const struct tt_account account = {.name = "cloud",
                                              .provider = TT_PROVIDER_OPENSTACK,
                                              .endpoint = "http://127.0.0.1:1",
                                              .folder = "",
                                              .credentials_env = "FUZZ",
                                              .regions = {regions, 1, 1}};

    setenv("FUZZ_USERNAME", "me", 1);
    setenv("FUZZ_PASSWORD", "hush", 1);
    setenv("FUZZ_PROJECT_NAME", "shop", 1);
    replies_play(tt_openstack_ops(), &account, data, size);
    return 0;
}
