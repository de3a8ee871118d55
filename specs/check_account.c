/*
 * Check: accounts: where credentials and keys are, no password in an endpoint, the templates of a
 * local account.
 */
#include <ctype.h>
#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "specs/check.h"

#define VARIABLE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* What names a place of credentials must not be the credential itself: later errors tell it. */
static void check_place(struct tt_specs *specs, const struct tt_document *document,
                        const struct tt_scalar *place, bool path)
{
    if (place->text && tt_is_secret_text(place->text, path))
        tt_report_add(specs->report, "secret-in-git", place->mark, document->subject,
                      "this looks like a credential itself, and a secret must not stand in Git; "
                      "take it back where it was issued, and name the place where it is");
}

static void check_variables(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_scalar *env = &document->spec.account.credentials.env;

    if (env->text && (isdigit((unsigned char)env->text[0]) ||
                      env->text[strspn(env->text, VARIABLE_CHARACTERS)] != '\0'))
        tt_report_add(specs->report, "out-of-range", env->mark, document->subject,
                      "env is the beginning of the names of environment variables: letters, "
                      "digits and _, such as PROD");
}

static void check_credentials(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_credentials *doc = &document->spec.account.credentials;
    const struct tt_scalar *const places[] = {&doc->profile, &doc->env, &doc->file, NULL};
    const struct tt_scalar *first = NULL;

    for (size_t i = 0; places[i]; i++) {
        if (!places[i]->given)
            continue;
        check_place(specs, document, places[i], places[i] == &doc->file);
        if (first)
            tt_report_add(specs->report, "duplicate-key", places[i]->mark, document->subject,
                          "credentials are in one place: profile, env or file; remove the others");
        first = places[i];
    }
}

static void check_endpoint(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_scalar *endpoint = &document->spec.account.endpoint;
    const char *host = endpoint->text ? strstr(endpoint->text, "://") : NULL;
    const char *at;

    if (!host)
        return;
    host += 3;
    at = memrchr(host, '@', strcspn(host, "/?#"));
    if (at && memchr(host, ':', (size_t)(at - host)))
        tt_report_add(specs->report, "secret-in-git", endpoint->mark, document->subject,
                      "the endpoint holds a password, and a secret must not stand in Git; change "
                      "the password, and name a profile, an env prefix or a file under "
                      "credentials instead");
}

static void check_path(struct tt_specs *specs, const struct tt_document *document,
                       const struct tt_scalar *path, bool may_be_ours, const char *what)
{
    if (!path->text || path->text[0] == '/' || tt_starts_with(path->text, "~/") ||
        (may_be_ours && tt_source_join(specs->arena, document->folder, path->text)))
        return;
    tt_report_add(specs->report, "out-of-range", path->mark, document->subject, "%s", what);
}

static void check_ssh(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_ssh *doc = &document->spec.account.ssh;

    if (doc->key.text && tt_is_secret_text(doc->key.text, true))
        tt_report_add(specs->report, "secret-in-git", doc->key.mark, document->subject,
                      "this looks like a private key, and a secret must not stand in Git; make a "
                      "new key, and name the file it is in");
    else
        check_path(specs, document, &doc->key, false,
                   "a private key is no file of the repository: name one by an absolute path, or "
                   "by one that begins with ~/");
    check_path(specs, document, &doc->known_hosts, true,
               "the path leads out of the repository: name a file of it, or one by an absolute "
               "path");
    if (doc->scripts.text && doc->scripts.text[0] != '/')
        tt_report_add(specs->report, "out-of-range", doc->scripts.mark, document->subject,
                      "the folder of the scripts is an absolute path on the machines");
}

static void check_template(struct tt_specs *specs, const struct tt_document *document,
                           const struct tt_doc_template *template)
{
    if (template->command.given && template->software.given)
        tt_report_add(specs->report, "duplicate-key",
                      tt_node_key_mark(template->at.node, "software"), document->subject,
                      "a template has either a command or software; remove one of them");
    else if (!template->software.given && !template->command.count)
        tt_report_add(specs->report, "missing-key", template->at.mark, document->subject,
                      "a template needs a command (a list: the program and its arguments) or "
                      "software: haproxy");
}

static void check_templates(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_objects *list = &document->spec.account.templates;
    struct tt_doc_template *templates = list->items;
    struct tt_map seen;

    tt_map_init(&seen, specs->arena);
    for (size_t i = 0; i < list->count; i++) {
        const struct tt_scalar *name = &templates[i].name;

        check_template(specs, document, &templates[i]);
        if (name->text && tt_map_put(&seen, name->text, &templates[i]))
            tt_report_add(specs->report, "duplicate-name", name->mark, document->subject,
                          "the template %.80s is defined twice", name->text);
    }
}

void tt_check_account(struct tt_specs *specs, const struct tt_document *document)
{
    const struct tt_doc_account *doc = &document->spec.account;

    check_credentials(specs, document);
    check_variables(specs, document);
    check_endpoint(specs, document);
    check_ssh(specs, document);
    check_templates(specs, document);
    tt_check_twice(specs, document, &doc->regions, "region");
    tt_check_twice(specs, document, &doc->zones, "zone");
    if (doc->regions.given && !doc->regions.count)
        tt_report_add(specs->report, "missing-key", doc->regions.mark, document->subject,
                      "an account needs at least one region");
    if (doc->zones.given && !doc->zones.count)
        tt_report_add(specs->report, "missing-key", doc->zones.mark, document->subject,
                      "a local account needs at least one zone");
}
