/*
 * Fuzz target: replies of AWS, its XML of EC2 and of both kinds of balancers.
 */
#include <stdlib.h>

#include "providers/aws/aws.h"
#include "tests/fuzz/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *regions[] = {"us-east-1"};
    static const struct tt_account account = {.name = "prod",
                                              .provider = TT_PROVIDER_AWS,
                                              .endpoint = "http://127.0.0.1:1",
                                              .folder = "",
                                              .regions = {regions, 1, 1}};

    setenv("AWS_ACCESS_KEY_ID", "key", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    replies_play(tt_aws_ops(), &account, data, size);
    return 0;
}
