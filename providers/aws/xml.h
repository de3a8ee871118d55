/*
 * XML: replies of AWS, element by element, without a tree.
 *
 * Names are local ones, as namespaces differ between AWS and what speaks like it. Refused: what is
 * not well-formed, a DOCTYPE (so there are no entities to expand), more than 32 levels, another
 * root than the one expected.
 */
#ifndef TT_PROVIDERS_AWS_XML_H
#define TT_PROVIDERS_AWS_XML_H

#include <stddef.h>

#include "base/error.h"

enum tt_xml_event {
    TT_XML_BEGIN, /* of any element */
    TT_XML_LEAF,  /* the end of one without elements in it; VALUE is its text */
    TT_XML_END,   /* the end of one with elements in it */
};

/* PATH is the way below the root, "reservationSet/item/ownerId"; the wrapper "...Result" that some
 * services put right below the root is left out. PATH and VALUE are borrowed for the call. */
typedef int (*tt_xml_handler)(void *self, enum tt_xml_event event, const char *path,
                              const char *value, struct tt_error *err);

/* Reads SIZE bytes; the root is ROOT and "Response", or anything when ROOT is NULL. -1: INTERNAL,
 * or what HANDLER returned. */
int tt_xml_read(const char *text, size_t size, const char *root, tt_xml_handler handler, void *self,
                struct tt_error *err);

#endif
