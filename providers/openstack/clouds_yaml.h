/*
 * clouds.yaml: the file in which OpenStack's own tools keep logins.
 */
#ifndef TT_OPENSTACK_CLOUDS_YAML_H
#define TT_OPENSTACK_CLOUDS_YAML_H

#include <jansson.h>

#include "base/error.h"

/* The entry NAME below `clouds` in the file PATH (NULL: the only one there is); what secure.yaml
 * beside it says is added. The caller owns RET_CLOUD. Errors: SPEC (no YAML), NOT_FOUND (no file,
 * no such cloud); nothing of the file is quoted but names of clouds. */
int tt_openstack_read_cloud(const char *path, const char *name, json_t **ret_cloud,
                            struct tt_error *err);

#endif
