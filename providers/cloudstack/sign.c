/*
 * Sign: the names in byte order, the values percent-encoded as Java does it (a star stays, a tilde
 * does not), everything in lower case, HMAC-SHA1, base64. The body that is sent is the same text
 * before it is brought to lower case.
 */
#include "providers/cloudstack/sign.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void tt_cloudstack_add(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                       const char *name, const char *value)
{
    if (value)
        *TT_VEC_ADD(arena, &parameters->list) =
            (struct tt_cloudstack_parameter){.name = name, .value = value};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tt_cloudstack_parameter *)a)->name,
                  ((const struct tt_cloudstack_parameter *)b)->name);
}

static void add_encoded(struct tt_buf *buf, const char *value)
{
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if (*c < 0x80 && (isalnum(*c) || strchr("-_.*", *c)))
            tt_buf_addn(buf, (const char *)c, 1);
        else
            tt_buf_addf(buf, "%%%02X", *c);
}

/* The base64 text of the signature of TEXT. */
static int signature_of(const char *text, const char *secret, char ret_signature[64],
                        struct tt_error *err)
{
    TT_BUF_AUTO lower = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    tt_buf_add(&lower, text);
    for (size_t i = 0; i < lower.length; i++)
        lower.data[i] = (char)tolower((unsigned char)lower.data[i]);
    if (!HMAC(EVP_sha1(), secret, (int)strlen(secret), (const unsigned char *)tt_buf_text(&lower),
              lower.length, digest, &size))
        return tt_fail(err, TT_ERR_INTERNAL, "cannot sign the request with HMAC-SHA1");
    EVP_EncodeBlock((unsigned char *)ret_signature, digest, (int)size);
    return 0;
}

int tt_cloudstack_sign(struct tt_arena *arena, struct tt_cloudstack_parameters *parameters,
                       const char *secret, const char **ret_body, struct tt_error *err)
{
    TT_BUF_AUTO body = {0};
    char signature[64] = "";

    if (parameters->list.count)
        qsort(parameters->list.items, parameters->list.count, sizeof(*parameters->list.items),
              by_name);
    TT_EACH (parameter, &parameters->list) {
        tt_buf_addf(&body, "%s%s=", body.length ? "&" : "", parameter->name);
        add_encoded(&body, parameter->value);
    }
    if (signature_of(tt_buf_text(&body), secret, signature, err) < 0)
        return -1;
    tt_buf_add(&body, "&signature=");
    add_encoded(&body, signature);
    *ret_body = tt_strdup(arena, tt_buf_text(&body));
    return 0;
}
