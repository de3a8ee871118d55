/*
 * AWS: EC2 machines, classic load balancers, target groups of application and network load
 * balancers, elastic addresses. docs/aws.md says what an operator has to know.
 *
 *     template   an image: ami-..., or the name or Name tag of one of our own (the newest)
 *     size       an instance type
 *     firewalls  security groups: sg-..., names, or Name tags
 *     network    a subnet or VPC: subnet-..., vpc-..., or a Name tag
 *     balancers  "NAME" of a classic one, "tg/NAME" of a target group, "NAME:PORT" or "NAME" of an
 *                application or network one (the target group that its listener forwards to)
 *     addresses  the address itself, or eipalloc-...
 */
#ifndef TT_PROVIDERS_AWS_H
#define TT_PROVIDERS_AWS_H

#include "providers/provider.h"

const struct tt_provider_ops *tt_aws_ops(void);

#endif
