/*
 * clouds.yaml: from YAML to JSON objects, of which the clouds are members.
 */
#include "providers/openstack/clouds_yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/str.h"
#include "providers/http/reply.h"

#define MAX_FILE  (1u << 20)
#define MAX_DEPTH 16
#define MAX_NODES 20000 /* aliases counted each time */

struct conversion {
    yaml_document_t *document;
    int depth, nodes;
};

static json_t *convert(struct conversion *conversion, int index);

static json_t *convert_mapping(struct conversion *conversion, const yaml_node_t *node)
{
    json_t *object = json_object();

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         object && pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(conversion->document, pair->key);
        json_t *value = convert(conversion, pair->value);

        if (!value || !key || key->type != YAML_SCALAR_NODE) {
            json_decref(value);
            json_decref(object);
            return NULL;
        }
        if (strcmp((const char *)key->data.scalar.value, "<<") == 0 && json_is_object(value)) {
            json_object_update_missing(object, value);
            json_decref(value);
        } else {
            json_object_set_new(object, (const char *)key->data.scalar.value, value);
        }
    }
    return object;
}

static json_t *convert_sequence(struct conversion *conversion, const yaml_node_t *node)
{
    json_t *array = json_array();

    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *value = convert(conversion, *item);

        if (!value) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, value);
    }
    return array;
}

/* Every scalar is a text. NULL: too deep or too much. */
static json_t *convert(struct conversion *conversion, int index)
{
    const yaml_node_t *node = yaml_document_get_node(conversion->document, index);
    json_t *json = NULL;

    if (!node || conversion->depth >= MAX_DEPTH || ++conversion->nodes > MAX_NODES)
        return NULL;
    conversion->depth++;
    if (node->type == YAML_SCALAR_NODE)
        json = json_stringn((const char *)node->data.scalar.value, node->data.scalar.length);
    else if (node->type == YAML_MAPPING_NODE)
        json = convert_mapping(conversion, node);
    else if (node->type == YAML_SEQUENCE_NODE)
        json = convert_sequence(conversion, node);
    conversion->depth--;
    return json;
}

static json_t *parse(const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_document_t document;
    json_t *json = NULL;

    if (!yaml_parser_initialize(&parser))
        return NULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (yaml_parser_load(&parser, &document)) {
        json = convert(&(struct conversion){.document = &document}, 1);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return json;
}

static int read_clouds(const char *path, json_t **ret_clouds, struct tt_error *err)
{
    struct tt_arena scratch = {0};
    TT_REPLY_AUTO *whole = NULL;
    json_t *clouds;
    char *text;
    int result;

    tt_arena_init(&scratch);
    result = tt_file_read(&scratch, path, MAX_FILE, &text, NULL, err);
    if (result == 0)
        whole = parse(text, strlen(text));
    tt_arena_release(&scratch);
    if (result < 0)
        return -1;
    clouds = json_object_get(whole, "clouds");
    if (!json_is_object(clouds))
        return tt_fail(err, TT_ERR_SPEC, "%s is no YAML file with a mapping `clouds`", path);
    *ret_clouds = json_incref(clouds);
    return 0;
}

/* What OVER has goes into INTO, mapping by mapping. */
static void merge(json_t *into, const json_t *over)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)over, key, value) {
        json_t *there = json_object_get(into, key);

        if (json_is_object(there) && json_is_object(value))
            merge(there, value);
        else
            json_object_set(into, key, value);
    }
}

static void add_secrets(const char *path, const char *name, json_t *cloud)
{
    struct tt_arena scratch = {0};
    TT_REPLY_AUTO *clouds = NULL;
    const char *slash = strrchr(path, '/');
    const char *beside;

    tt_arena_init(&scratch);
    beside = tt_printf(&scratch, "%.*ssecure.yaml", slash ? (int)(slash + 1 - path) : 0, path);
    if (read_clouds(beside, &clouds, NULL) == 0)
        merge(cloud, json_object_get(clouds, name));
    tt_arena_release(&scratch);
}

int tt_openstack_read_cloud(const char *path, const char *name, json_t **ret_cloud,
                            struct tt_error *err)
{
    TT_REPLY_AUTO *clouds = NULL;
    json_t *cloud;

    if (read_clouds(path, &clouds, err) < 0)
        return -1;
    if (!name && json_object_size(clouds) == 1)
        name = json_object_iter_key(json_object_iter(clouds));
    if (!name)
        return tt_fail(err, TT_ERR_SPEC,
                       "%s has %zu clouds: name one as the Account's credentials.profile", path,
                       json_object_size(clouds));
    cloud = json_object_get(clouds, name);
    if (!json_is_object(cloud))
        return tt_fail(err, TT_ERR_NOT_FOUND, "%s has no cloud %s", path, name);
    add_secrets(path, name, cloud);
    *ret_cloud = json_incref(cloud);
    return 0;
}
