/*
 * Errors: from AWS's codes to our classes. The code decides before the status: InsufficientCapacity
 * comes with a 5xx, and no repeating helps.
 * Source: "Error codes for the Amazon EC2 API", and the common errors of Elastic Load Balancing.
 */
#include <stdio.h>
#include <string.h>

#include "providers/aws/cloud.h"

struct known {
    const char *code; /* a star at its end stands for any rest, at its beginning for any start */
    enum tt_error_class class;
    const char *ours; /* a code of ours instead; NULL: AWS's */
};

static const struct known table[] = {
    {"RequestLimitExceeded", TT_ERR_THROTTLED, NULL},
    {"Throttl*", TT_ERR_THROTTLED, NULL},
    {"RequestThrottled*", TT_ERR_THROTTLED, NULL},
    {"EC2ThrottledException", TT_ERR_THROTTLED, NULL},
    {"TooManyRequests*", TT_ERR_THROTTLED, NULL},
    {"SlowDown", TT_ERR_THROTTLED, NULL},
    {"InsufficientInstanceCapacity", TT_ERR_CONFLICT, "no-capacity"},
    {"InsufficientHostCapacity", TT_ERR_CONFLICT, "no-capacity"},
    {"InsufficientReservedInstanceCapacity", TT_ERR_CONFLICT, "no-capacity"},
    {"InsufficientAddressCapacity", TT_ERR_CONFLICT, "no-capacity"},
    {"InsufficientFreeAddressesInSubnet", TT_ERR_CONFLICT, "no-capacity"},
    {"Unsupported", TT_ERR_CONFLICT, "no-capacity"}, /* the type, in this zone */
    {"InstanceLimitExceeded", TT_ERR_CONFLICT, "no-capacity"},
    {"VcpuLimitExceeded", TT_ERR_CONFLICT, "no-capacity"},
    {"AddressLimitExceeded", TT_ERR_CONFLICT, "no-capacity"},
    {"UnauthorizedOperation", TT_ERR_DENIED, NULL},
    {"AuthFailure", TT_ERR_DENIED, NULL},
    {"AccessDenied*", TT_ERR_DENIED, NULL},
    {"OperationNotPermitted", TT_ERR_DENIED, NULL}, /* termination protection */
    {"OptInRequired", TT_ERR_DENIED, NULL},
    {"Blocked", TT_ERR_DENIED, NULL},
    {"PendingVerification", TT_ERR_DENIED, NULL},
    {"InvalidClientTokenId", TT_ERR_DENIED, NULL},
    {"UnrecognizedClientException", TT_ERR_DENIED, NULL},
    {"SignatureDoesNotMatch", TT_ERR_DENIED, NULL},
    {"InvalidSignature*", TT_ERR_DENIED, NULL},
    {"IncompleteSignature", TT_ERR_DENIED, NULL},
    {"MissingAuthenticationToken*", TT_ERR_DENIED, NULL},
    {"ExpiredToken*", TT_ERR_DENIED, NULL},
    {"RequestExpired", TT_ERR_DENIED, NULL},
    {"RequestTimeTooSkewed", TT_ERR_DENIED, NULL},
    {"IncorrectInstanceState", TT_ERR_CONFLICT, NULL},
    {"IncorrectState*", TT_ERR_CONFLICT, NULL},
    {"Idempotent*", TT_ERR_CONFLICT, NULL},
    {"Resource.AlreadyAssociated", TT_ERR_CONFLICT, NULL},
    {"ResourceInUse", TT_ERR_CONFLICT, NULL},
    {"OperationInProgress", TT_ERR_CONFLICT, NULL},
    {"ConcurrentTagAccess", TT_ERR_CONFLICT, NULL},
    {"DuplicateListener", TT_ERR_CONFLICT, NULL},
    {"InvalidTarget", TT_ERR_CONFLICT, NULL}, /* not running yet */
    {"InvalidInstance", TT_ERR_NOT_FOUND, NULL},
    {"InvalidInstanceID.*", TT_ERR_NOT_FOUND, NULL},
    {"*NotFound", TT_ERR_NOT_FOUND, NULL},
    {"*NotFoundException", TT_ERR_NOT_FOUND, NULL},
};

static bool fits(const char *pattern, const char *code)
{
    size_t length = strlen(pattern), all = strlen(code);

    if (pattern[0] == '*')
        return all >= length - 1 && strcmp(code + all - (length - 1), pattern + 1) == 0;
    if (pattern[length - 1] == '*')
        return strncmp(code, pattern, length - 1) == 0;
    return strcmp(code, pattern) == 0;
}

static int take_fault(void *self, enum tt_xml_event event, const char *path, const char *value,
                      struct tt_error *err)
{
    struct tt_aws_fault *fault = self;
    bool code = tt_streq(path, "Errors/Error/Code") || tt_streq(path, "Error/Code");
    bool message = tt_streq(path, "Errors/Error/Message") || tt_streq(path, "Error/Message");

    (void)err;
    if (event == TT_XML_LEAF && code)
        snprintf(fault->code, sizeof(fault->code), "%s", value);
    if (event == TT_XML_LEAF && message)
        snprintf(fault->message, sizeof(fault->message), "%.*s", (int)strcspn(value, "\r\n"),
                 value);
    return 0;
}

void tt_aws_read_fault(const struct tt_http_reply *reply, struct tt_aws_fault *ret_fault)
{
    *ret_fault = (struct tt_aws_fault){0};
    if (tt_xml_read(reply->body, reply->size, NULL, take_fault, ret_fault, NULL) < 0)
        *ret_fault = (struct tt_aws_fault){0};
}

int tt_aws_judge_fault(const struct tt_http_request *request, const struct tt_http_reply *reply,
                       const struct tt_aws_fault *fault, struct tt_error *err)
{
    const struct known *known = NULL;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && !known; i++)
        if (fault->code[0] && fits(table[i].code, fault->code))
            known = &table[i];
    if (!fault->code[0])
        return tt_http_judge(request, reply, err);
    if (known)
        tt_fail(err, known->class, "%s: %s (%s)", request->api, fault->message, fault->code);
    else if (reply->status >= 500)
        tt_fail(err, request->reads ? TT_ERR_UNAVAILABLE : TT_ERR_TIMEOUT, "%s: %s (%s, HTTP %d)",
                request->api, fault->message, fault->code, reply->status);
    else
        tt_fail(err, TT_ERR_SPEC, "%s: %s (%s)", request->api, fault->message, fault->code);
    if (err)
        snprintf(err->code, sizeof(err->code), "%s",
                 known && known->ours ? known->ours : fault->code);
    return -1;
}
