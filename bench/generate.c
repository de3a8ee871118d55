/*
 * Generates a fleet for benchmarks: specs and a world snapshot of so many servers, the same bytes
 * every time. Most servers are as wanted; of each hundred one has failed, one is missing and one
 * is made from an old template, so that a plan has real work at every size.
 *
 * Three shapes: `fleet`, deployments of ten services with a hundred servers each; `single`, one
 * service that has them all, where anything quadratic within a service would show; and `steady`, a
 * thousand services that have everything that Git asks for.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define PER_SERVICE    100
#define PER_DEPLOYMENT 10
#define ZONES          3

#define STEADY_SERVICES 1000

struct shape {
    int services; /* over all deployments */
    int per_service;
    int per_deployment;
    bool steady;
};

static void add_deployment(struct tt_buf *yaml, int deployment)
{
    tt_buf_addf(yaml,
                "---\napiVersion: trimtab/v1\nkind: Deployment\nmetadata: {name: shop-%d}\n"
                "spec: {guard: {maxDestroy: 50%%}}\n",
                deployment);
}

static void add_service(struct tt_buf *yaml, int deployment, int service, int count)
{
    tt_buf_addf(yaml,
                "---\napiVersion: trimtab/v1\nkind: Service\nmetadata: {name: web-%d}\nspec:\n"
                "  deployment: shop-%d\n"
                "  server: {template: web-2, size: m5.large, firewalls: [web], network: prod}\n"
                "  port: 8080\n"
                "  placements: [{account: aws, region: us-east-1, count: %d}]\n"
                "  health: {http: {path: /healthz}, interval: 10s}\n"
                "  balancers: [edge-%d]\n"
                "  update: {maxSurge: 10%%, maxUnavailable: 0}\n",
                service, deployment, count, service);
    tt_buf_addf(
        yaml,
        "---\napiVersion: trimtab/v1\nkind: LoadBalancer\nmetadata: {name: edge-%d}\nspec:\n"
        "  deployment: shop-%d\n  type: cloud\n  account: aws\n  region: us-east-1\n"
        "  name: elb-%d-%d\n  listeners: [{port: 80, protocol: http, targetPort: 8080}]\n",
        service, deployment, deployment, service);
}

/* What became of server NUMBER of its service. */
static bool is_missing(const struct shape *shape, int number)
{
    return !shape->steady && number % 100 == 17;
}

static bool is_failed(const struct shape *shape, int number)
{
    return !shape->steady && number % 100 == 42;
}

static bool is_old(const struct shape *shape, int number)
{
    return !shape->steady && number % 100 == 77;
}

static void add_server(struct tt_buf *json, const struct shape *shape, int deployment, int service,
                       int slot, const char *comma)
{
    int id = (deployment * PER_DEPLOYMENT + service) * 1000 + slot;

    tt_buf_addf(
        json,
        "%s\n{\"id\": \"i-%d-%d-%d\", \"name\": \"shop-%d-web-%d-%d\", \"zone\": "
        "\"us-east-1%c\", \"state\": \"%s\", \"template\": \"%s\", \"size\": \"m5.large\", "
        "\"firewalls\": [\"web\"], \"network\": \"prod\", \"privateAddress\": "
        "\"10.%d.%d.%d\", \"health\": \"passing\", \"createdAt\": \"2026-11-01T00:00:00Z\", ",
        comma, deployment, service, slot, deployment, service, slot, 'a' + slot % ZONES,
        is_failed(shape, slot) ? "failed" : "running", is_old(shape, slot) ? "web-1" : "web-2",
        (id >> 16) % 256, (id >> 8) % 256, id % 256);
    tt_buf_addf(json,
                "\"tags\": {\"trimtab:owner\": \"bench\", \"trimtab:deployment\": \"shop-%d\", "
                "\"trimtab:service\": \"web-%d\", \"trimtab:slot\": \"%d\", "
                "\"trimtab:incarnation\": \"%08x\"}}",
                deployment, service, slot, (unsigned)id * 2654435761u);
}

static void add_balancer(struct tt_buf *json, const struct shape *shape, int deployment,
                         int service, const char *comma)
{
    const char *between = "";

    tt_buf_addf(json,
                "%s\n{\"id\": \"elb-%d-%d\", \"name\": \"elb-%d-%d\", \"zones\": [\"us-east-1a\", "
                "\"us-east-1b\", \"us-east-1c\"], \"listeners\": [{\"port\": 80, \"protocol\": "
                "\"http\", \"targetPort\": 8080}], \"members\": [",
                comma, deployment, service, deployment, service);
    for (int slot = 0; slot < shape->per_service; slot++) {
        if (is_missing(shape, slot))
            continue;
        tt_buf_addf(json, "%s\n{\"server\": \"i-%d-%d-%d\", \"state\": \"%s\"}", between,
                    deployment, service, slot,
                    is_failed(shape, slot) ? "out-of-service" : "in-service");
        between = ",";
    }
    tt_buf_add(json, "]}");
}

static void write_specs(struct tt_buf *yaml, const struct shape *shape)
{
    tt_buf_add(yaml, "apiVersion: trimtab/v1\nkind: Fleet\nmetadata: {name: bench}\n"
                     "---\napiVersion: trimtab/v1\nkind: Account\nmetadata: {name: aws}\n"
                     "spec: {provider: aws, regions: [us-east-1]}\n");
    for (int i = 0; i < shape->services; i++) {
        if (i % shape->per_deployment == 0)
            add_deployment(yaml, i / shape->per_deployment);
        add_service(yaml, i / shape->per_deployment, i % shape->per_deployment, shape->per_service);
    }
}

static void write_world(struct tt_buf *json, const struct shape *shape)
{
    const char *comma = "";

    tt_buf_add(json,
               "{\"format\": \"trimtab.world/v1\", \"takenAt\": \"2026-11-23T04:00:00Z\", "
               "\"accounts\": [{\"name\": \"aws\", \"provider\": \"aws\", \"capabilities\": "
               "[\"cloud-balancer\"], \"regions\": [{\"name\": \"us-east-1\", \"status\": "
               "\"observed\", \"error\": null, \"zones\": [{\"name\": \"us-east-1a\", \"state\": "
               "\"available\"}, {\"name\": \"us-east-1b\", \"state\": \"available\"}, {\"name\": "
               "\"us-east-1c\", \"state\": \"available\"}], \"servers\": [");
    for (int i = 0; i < shape->services; i++) {
        for (int slot = 0; slot < shape->per_service; slot++) {
            if (is_missing(shape, slot))
                continue;
            add_server(json, shape, i / shape->per_deployment, i % shape->per_deployment, slot,
                       comma);
            comma = ",";
        }
    }
    tt_buf_add(json, "], \"balancers\": [");
    for (int i = 0; i < shape->services; i++)
        add_balancer(json, shape, i / shape->per_deployment, i % shape->per_deployment,
                     i ? "," : "");
    tt_buf_add(json, "], \"pools\": [], \"addresses\": []}]}]}\n");
}

static int write_file(struct tt_arena *arena, const char *folder, const char *name,
                      const struct tt_buf *text, struct tt_error *err)
{
    return tt_file_write(tt_printf(arena, "%s/%s", folder, name), tt_buf_text(text), text->length,
                         0644, err);
}

static bool choose_shape(const char *name, int servers, struct shape *ret_shape)
{
    if (strcmp(name, "fleet") == 0)
        *ret_shape = (struct shape){servers / PER_SERVICE, PER_SERVICE, PER_DEPLOYMENT, false};
    else if (strcmp(name, "single") == 0)
        *ret_shape = (struct shape){1, servers, 1, false};
    else if (strcmp(name, "steady") == 0 && servers >= STEADY_SERVICES)
        *ret_shape =
            (struct shape){STEADY_SERVICES, servers / STEADY_SERVICES, PER_DEPLOYMENT, true};
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct tt_error err = {0};
    struct tt_arena arena;
    struct shape shape;
    int servers = argc == 4 ? atoi(argv[1]) : 0;
    int code = 0;

    if (servers < PER_SERVICE || !choose_shape(argv[2], servers, &shape)) {
        fprintf(stderr, "usage: bench_generate SERVERS fleet|single|steady FOLDER\n");
        return 1;
    }
    TT_BUF_AUTO yaml = {0};
    TT_BUF_AUTO json = {0};
    tt_arena_init(&arena);
    write_specs(&yaml, &shape);
    write_world(&json, &shape);
    if (tt_make_folders(tt_printf(&arena, "%s/specs", argv[3]), 0755, &err) < 0 ||
        write_file(&arena, argv[3], "specs/fleet.yaml", &yaml, &err) < 0 ||
        write_file(&arena, argv[3], "world.json", &json, &err) < 0) {
        fprintf(stderr, "bench_generate: %s\n", err.message);
        code = 1;
    }
    tt_arena_release(&arena);
    return code;
}
