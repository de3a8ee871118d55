/*
 * Replies: a provider that is played without a network. Linked with the fuzz targets of providers,
 * where every tt_http_call is answered from the input:
 *
 *   oce                            what is asked of the provider, a letter each
 *   200 ec2 DescribeInstances      status and API of a reply, then its body
 *   <DescribeInstancesResponse>...
 *   %%                             the next one
 *
 * A request gets the first reply to its API that was not given yet, else the last one, else any.
 * Whatever the replies are, the provider must not read beyond them, hang, leak or crash, and what
 * it refuses it refuses with a message.
 */
#ifndef TT_TESTS_FUZZ_REPLIES_H
#define TT_TESTS_FUZZ_REPLIES_H

#include <stddef.h>
#include <stdint.h>

#include "providers/provider.h"

/* Opens ACCOUNT of REGION with OPS and asks for what the input says. */
void replies_play(const struct tt_provider_ops *ops, const struct tt_account *account,
                  const uint8_t *data, size_t size);

#endif
