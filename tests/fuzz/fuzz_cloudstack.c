/*
 * Fuzz target: replies of CloudStack.
 */
#include <stdlib.h>

#include "providers/cloudstack/cloudstack.h"
#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *regions[] = {"paris"};
    static const struct tt_account account = {.name = "dc1",
                                              .provider = TT_PROVIDER_CLOUDSTACK,
                                              .endpoint = "http://127.0.0.1:1/client/api",
                                              .folder = "",
                                              .credentials_env = "FUZZ",
                                              .regions = {regions, 1, 1}};

    setenv("FUZZ_API_KEY", "key", 1);
    setenv("FUZZ_SECRET_KEY", "secret", 1);
    replies_play(tt_cloudstack_ops(), &account, data, size);
    return 0;
}
