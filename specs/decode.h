/*
 * Decode: from a YAML tree to a struct tt_document, as the tables say.
 */
#ifndef TT_SPECS_DECODE_H
#define TT_SPECS_DECODE_H

#include "specs/documents.h"
#include "specs/fields.h"
#include "specs/report.h"

/* NULL: the document is none of ours, or of no known kind (reported then). What is wrong inside is
 * reported and the rest decoded, so that later stages can go on. */
struct tt_document *tt_decode_document(const struct tt_report *report, const char *file,
                                       const struct tt_yaml_document *yaml);

/* A mapping that is no document of ours, such as a configuration: NODE by TABLE into OUT. */
void tt_decode_mapping(const struct tt_report *report, const struct tt_table *table,
                       const struct tt_node *node, void *out);

/* One scalar by its field. Reports and returns -1 when it is not what the field wants; OUT is
 * untouched then. SUBJECT may be NULL. */
int tt_decode_scalar(const struct tt_report *report, const struct tt_field *field,
                     enum tt_field_type type, const struct tt_node *node, const char *subject,
                     struct tt_scalar *out);

/* The default of a field, as if it had been written. */
void tt_decode_default(const struct tt_field *field, struct tt_scalar *out);

#endif
