/*
 * TLS: the files of a certificate and its key, read and understood before anybody connects, so that
 * what is wrong with them is told by name.
 */
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "serve/web/server.h"

#define MAX_PEM ((size_t)1 << 20)

/* A key that is encrypted has no password here: asking a terminal would hang. */
static int no_password(char *buffer, int size, int writing, void *self)
{
    (void)buffer, (void)size, (void)writing, (void)self;
    return -1;
}

static BIO *open_text(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);

    if (!bio)
        abort();
    return bio;
}

static int check_pair(const struct tt_web_options *options, X509 *certificate, EVP_PKEY *key,
                      struct tt_error *err)
{
    if (!certificate)
        return tt_fail(err, TT_ERR_SPEC, "%s holds no certificate in PEM", options->certificate);
    if (!key)
        return tt_fail(err, TT_ERR_SPEC,
                       "%s holds no private key in PEM, or one that is encrypted: it must be "
                       "readable without a password",
                       options->key);
    if (X509_check_private_key(certificate, key) != 1)
        return tt_fail(err, TT_ERR_SPEC, "the key %s does not belong to the certificate %s",
                       options->key, options->certificate);
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        return tt_fail(err, TT_ERR_SPEC, "the certificate %s has expired: have it renewed",
                       options->certificate);
    return 0;
}

int tt_web_read_tls(struct tt_arena *arena, const struct tt_web_options *options,
                    char **ret_certificate, char **ret_key, struct tt_error *err)
{
    struct stat status;
    char *certificate_text, *key_text;
    BIO *certificate_bio, *key_bio;
    X509 *certificate;
    EVP_PKEY *key;
    int result;

    if (tt_file_read(arena, options->certificate, MAX_PEM, &certificate_text, NULL, err) < 0)
        return tt_wrap(err, "the certificate of the page");
    if (stat(options->key, &status) == 0 && (status.st_mode & S_IROTH))
        return tt_fail(err, TT_ERR_SPEC, "%s is readable by everybody: chmod o-r it", options->key);
    if (tt_file_read(arena, options->key, MAX_PEM, &key_text, NULL, err) < 0)
        return tt_wrap(err, "the key of the page");
    certificate_bio = open_text(certificate_text);
    key_bio = open_text(key_text);
    certificate = PEM_read_bio_X509(certificate_bio, NULL, no_password, NULL);
    key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
    result = check_pair(options, certificate, key, err);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    ERR_clear_error();
    *ret_certificate = certificate_text;
    *ret_key = key_text;
    return result;
}
