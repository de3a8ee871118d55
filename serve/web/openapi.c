/*
 * The API described in the words of OpenAPI; tests hold it to the routes.
 */
#include <string.h>

#include "serve/web/request.h"

static const struct {
    const char *path, *method, *summary;
    bool changes;
} operations[] = {
    {"/api/v1/deployments", "get", "All deployments with phase, commit, drift and last run", false},
    {"/api/v1/deployments/{repository}/{deployment}", "get",
     "One deployment with its newest plan (trimtab.plan/v1)", false},
    {"/api/v1/deployments/{repository}/{deployment}/check", "post", "Compare it with the world now",
     true},
    {"/api/v1/runs", "get", "The last runs; ?n=N gives so many", false},
    {"/api/v1/runs/{run}", "get", "One run with its steps", false},
    {"/api/v1/runs/{run}/approve", "post", "Carry out a held plan, exactly as it is", true},
    {"/api/v1/events", "get", "What happens, as server-sent events; ?after=N goes on from an event",
     false},
};

static void add_parameters(json_t *operation, const char *path)
{
    static const char *const names[] = {"repository", "deployment", "run"};
    json_t *parameters = json_array();

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char form[32];

        snprintf(form, sizeof(form), "{%s}", names[i]);
        if (strstr(path, form))
            json_array_append_new(parameters,
                                  json_pack("{s:s,s:s,s:b,s:{s:s}}", "name", names[i], "in", "path",
                                            "required", 1, "schema", "type",
                                            strcmp(names[i], "run") == 0 ? "integer" : "string"));
    }
    json_object_set_new(operation, "parameters", parameters);
}

static json_t *responses(bool changes)
{
    static const char *const refusals[][2] = {{"401", "A token is needed"},
                                              {"403", "A token of an operator is needed"},
                                              {"404", "There is no such thing"},
                                              {"409", "It is not so any more"}};
    json_t *all = json_object();

    json_object_set_new(all, changes ? "202" : "200",
                        json_pack("{s:s}", "description", changes ? "It was asked for" : "Here"));
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        json_object_set_new(all, refusals[i][0], json_pack("{s:s}", "description", refusals[i][1]));
    return all;
}

void tt_web_openapi(struct tt_web_request *request, struct tt_web_reply *reply)
{
    json_t *paths = json_object();
    json_t *root =
        json_pack("{s:s,s:{s:s,s:s},s:{s:{s:{s:s,s:s}}},s:[{s:[]}]}", "openapi", "3.0.3", "info",
                  "title", "trimtab", "version", "1", "components", "securitySchemes", "token",
                  "type", "http", "scheme", "bearer", "security", "token");

    (void)request;
    for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
        json_t *operation = json_object(), *path = json_object();

        json_object_set_new(operation, "summary", json_string(operations[i].summary));
        add_parameters(operation, operations[i].path);
        json_object_set_new(operation, "responses", responses(operations[i].changes));
        json_object_set_new(path, operations[i].method, operation);
        json_object_set_new(paths, operations[i].path, path);
    }
    json_object_set_new(root, "paths", paths);
    tt_web_json(reply, root);
}
