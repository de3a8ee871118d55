/*
 * XML over libxml2's reader: a path that grows and shrinks, and the text since the last tag.
 */
#include "providers/aws/xml.h"

#include <libxml/xmlreader.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define DEPTH 32

struct reading {
    xmlTextReaderPtr reader;
    const char *root;
    tt_xml_handler handler;
    void *self;
    struct tt_buf path, text;
    size_t ends[DEPTH + 1]; /* the path's length before each level's name */
    int depth;              /* open elements */
    bool leaf;              /* nothing but text since the last opening tag */
    char problem[256];      /* of the parser */
};

static void keep_problem(void *self, const char *message, xmlParserSeverities severity,
                         xmlTextReaderLocatorPtr locator)
{
    struct reading *reading = self;

    if (severity != XML_PARSER_SEVERITY_ERROR || reading->problem[0])
        return;
    snprintf(reading->problem, sizeof(reading->problem), "line %d: %.*s",
             xmlTextReaderLocatorLineNumber(locator), (int)strcspn(message, "\n"), message);
}

static int refuse(struct tt_error *err, const char *why)
{
    return tt_fail(err, TT_ERR_INTERNAL, "the answer is not the XML that was expected: %s", why);
}

static bool is_wrapper(const char *name)
{
    size_t length = strlen(name);

    return length > 6 && strcmp(name + length - 6, "Result") == 0;
}

static bool is_expected_root(const struct reading *reading, const char *name)
{
    size_t length = reading->root ? strlen(reading->root) : 0;

    return !reading->root ||
           (strncmp(name, reading->root, length) == 0 && strcmp(name + length, "Response") == 0);
}

static int begin(struct reading *reading, const char *name, struct tt_error *err)
{
    if (reading->depth == DEPTH)
        return refuse(err, "it is nested too deeply");
    if (reading->depth == 0 && !is_expected_root(reading, name))
        return tt_fail(err, TT_ERR_INTERNAL, "the answer is a %.64s, not a %sResponse", name,
                       reading->root);
    reading->ends[reading->depth] = reading->path.length;
    if (reading->depth > 1 || (reading->depth == 1 && !is_wrapper(name)))
        tt_buf_addf(&reading->path, "%s%s", reading->path.length ? "/" : "", name);
    reading->depth++;
    reading->leaf = true;
    tt_buf_clear(&reading->text);
    return reading->handler(reading->self, TT_XML_BEGIN, tt_buf_text(&reading->path), NULL, err);
}

static int end(struct reading *reading, struct tt_error *err)
{
    int result = reading->handler(reading->self, reading->leaf ? TT_XML_LEAF : TT_XML_END,
                                  tt_buf_text(&reading->path),
                                  reading->leaf ? tt_buf_text(&reading->text) : NULL, err);
    size_t length = reading->ends[--reading->depth];

    reading->leaf = false;
    reading->path.length = length;
    if (reading->path.data)
        reading->path.data[length] = '\0';
    return result;
}

static int take_node(struct reading *reading, struct tt_error *err)
{
    const xmlChar *name = xmlTextReaderConstLocalName(reading->reader);
    const xmlChar *value = xmlTextReaderConstValue(reading->reader);

    switch (xmlTextReaderNodeType(reading->reader)) {
    case XML_READER_TYPE_ELEMENT: {
        int empty = xmlTextReaderIsEmptyElement(reading->reader);

        if (begin(reading, (const char *)name, err) < 0)
            return -1;
        return empty ? end(reading, err) : 0;
    }
    case XML_READER_TYPE_END_ELEMENT:
        return end(reading, err);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        tt_buf_add(&reading->text, (const char *)value);
        return 0;
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return refuse(err, "it has a DOCTYPE");
    default:
        return 0;
    }
}

static int read_nodes(struct reading *reading, struct tt_error *err)
{
    int more;

    while ((more = xmlTextReaderRead(reading->reader)) == 1)
        if (take_node(reading, err) < 0)
            return -1;
    if (more < 0)
        return refuse(err, reading->problem[0] ? reading->problem : "it is not well-formed");
    return 0;
}

int tt_xml_read(const char *text, size_t size, const char *root, tt_xml_handler handler, void *self,
                struct tt_error *err)
{
    struct reading reading = {.root = root, .handler = handler, .self = self};
    int result;

    if (size > INT_MAX)
        return refuse(err, "it is too large");
    reading.reader = xmlReaderForMemory(text, (int)size, NULL, NULL, XML_PARSE_NONET);
    if (!reading.reader)
        return refuse(err, "it is empty");
    xmlTextReaderSetErrorHandler(reading.reader, keep_problem, &reading);
    result = read_nodes(&reading, err);
    xmlFreeTextReader(reading.reader);
    tt_buf_release(&reading.path);
    tt_buf_release(&reading.text);
    return result;
}
