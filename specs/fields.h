/*
 * Fields: one table per kind of document, the single description of the spec language.
 *
 * A table tells decode.c which keys a mapping may have, of which type, with which limits and
 * defaults, and where each value goes; and it tells schema.c the same for editors. Tables nest.
 */
#ifndef TT_SPECS_FIELDS_H
#define TT_SPECS_FIELDS_H

#include <stddef.h>

#include "specs/documents.h"

/* What a value is. All but the last three decode into a struct tt_scalar. */
enum tt_field_type {
    TT_FIELD_STRING,   /* not empty, no control characters */
    TT_FIELD_LABEL,    /* a DNS label: the names of our documents */
    TT_FIELD_OWNER,    /* the Fleet's name: a word without blanks */
    TT_FIELD_HOST,     /* a DNS host name */
    TT_FIELD_ADDRESS,  /* an IP address */
    TT_FIELD_URL_PATH, /* begins with a slash, no blanks */
    TT_FIELD_INTEGER,
    TT_FIELD_BOOLEAN,
    TT_FIELD_DURATION, /* "30s"; milliseconds */
    TT_FIELD_PERCENT,  /* "25%" */
    TT_FIELD_AMOUNT,   /* an integer or "25%" */
    TT_FIELD_WORD,     /* one of WORDS */
    TT_FIELD_LIST,     /* struct tt_scalars, each of type ITEM */
    TT_FIELD_OBJECT,   /* a struct of TABLE */
    TT_FIELD_OBJECTS,  /* struct tt_objects of TABLE */
};

struct tt_field {
    const char *key;
    enum tt_field_type type;
    size_t offset;
    const char *description;
    bool required;
    enum tt_field_type item;      /* of a list */
    const char *fallback;         /* the default as it would be written; NULL: none */
    const char *const *words;     /* of TT_FIELD_WORD; ends with NULL */
    int64_t min;                  /* of numbers (of durations: milliseconds) */
    int64_t max;                  /* 0: no limit but the type's own */
    const struct tt_table *table; /* of objects */
    /* Bits of the words of the table's discriminator; 0 stands for all words, or for none. */
    unsigned only;         /* the key belongs to these */
    unsigned required_for; /* the key is required for these */
};

struct tt_table {
    const char *name;              /* "LoadBalancer"; how messages call the mapping */
    size_t size;                   /* of its struct, which begins with a struct tt_object */
    const struct tt_field *fields; /* ends with a NULL key */
    const char *discriminator;     /* the key that `only` and `required_for` speak of; or NULL */
    bool credentials;              /* its unknown keys are taken for secrets */
    bool account;                  /* its unknown keys that sound like secrets are */
};

/* The kinds' names: "Fleet", "Account" ...; NULL ends the list. */
extern const char *const tt_kind_words[];

/* The table of a whole document (struct tt_document) of each kind. */
extern const struct tt_table *const tt_kind_tables[TT_KINDS];

/* The field of KEY; NULL: the table has none. */
const struct tt_field *tt_table_field(const struct tt_table *table, const char *key);

#define TT_API_VERSION "trimtab/v1"

#endif
