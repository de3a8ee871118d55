/*
 * Resolve: from decoded documents to struct tt_desired: names become pointers, defaults and
 * overrides are merged, user data is read from the same revision.
 *
 * Whatever is wrong is reported and resolving goes on, so that check.h sees every document: what
 * could not be resolved is NULL or missing in the model.
 */
#ifndef TT_SPECS_RESOLVE_H
#define TT_SPECS_RESOLVE_H

#include "base/map.h"
#include "specs/documents.h"
#include "specs/report.h"
#include "specs/source.h"

struct tt_specs {
    struct tt_arena *arena;
    const struct tt_report *report;
    struct tt_source *source;
    const struct tt_world *world;  /* NULL, or whose capabilities `file` accounts have */
    struct tt_source_files broken; /* files that could be read in part only */
    struct tt_documents documents; /* by kind, name and place once resolved */
    struct tt_map by_subject;      /* "Service/storefront/web" → struct tt_document */
    struct tt_map files;           /* files already read, by path: struct tt_spec_file */
    struct tt_desired *desired;
    struct tt_policy policy;         /* the Fleet's: what deployments begin with */
    const struct tt_document *fleet; /* NULL: there is none */
};

void tt_specs_resolve(struct tt_specs *specs);

/* The name of a document, "" when it has none. */
const char *tt_document_name(const struct tt_document *document);

/* The document of KIND that is called NAME (in DEPLOYMENT, or NULL); NULL: there is none. */
struct tt_document *tt_specs_find(const struct tt_specs *specs, enum tt_kind kind,
                                  const char *deployment, const char *name);

/* Merges OVERRIDE (or NULL) into BASE key by key. FOLDER is that of their file. */
struct tt_server_spec tt_resolve_server(struct tt_specs *specs, const char *folder,
                                        const struct tt_doc_server *base,
                                        const struct tt_doc_server *override, const char *subject);

/* A reference to a document of DEPLOYMENT: reports wrong-deployment and unknown-reference. */
struct tt_document *tt_resolve_local(struct tt_specs *specs, enum tt_kind kind,
                                     const struct tt_document *from, const struct tt_scalar *name);

/* A reference to an Account or a Deployment. */
struct tt_document *tt_resolve_global(struct tt_specs *specs, enum tt_kind kind,
                                      const struct tt_document *from, const struct tt_scalar *name);

/* Reports a region that the account does not have. */
void tt_resolve_region(struct tt_specs *specs, const struct tt_document *from,
                       const struct tt_account *account, const struct tt_scalar *region);

/* POLICY with what DOC gives laid over it; reports times that are none. */
struct tt_policy tt_resolve_policy(struct tt_specs *specs, const struct tt_document *document,
                                   const struct tt_doc_policy *doc, struct tt_policy policy);

/* The features of an account; false: they are not known (a `file` account without a snapshot,
 * an unknown provider). */
bool tt_resolve_features(struct tt_specs *specs, const struct tt_account *account,
                         unsigned *ret_features);

/* The texts of a list; SORTED also drops duplicates. */
struct tt_strings tt_resolve_strings(struct tt_arena *arena, const struct tt_scalars *list,
                                     bool sorted);

#endif
