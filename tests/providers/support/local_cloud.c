/*
 * A local cloud of its own for a test: see the header.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "providers/local/local.h"
#include "tests/providers/support/local_cloud.h"

#define PATIENCE 10000

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

struct tt_provider *local_cloud_open(struct local_cloud *cloud, const char *owner)
{
    struct tt_provider *provider = NULL;
    struct tt_provider_settings settings = {.account = &cloud->account,
                                            .owner = owner,
                                            .state_folder = cloud->folder,
                                            .base_folder = cloud->folder,
                                            .clock = tt_clock_real()};

    call_ok(cloud, tt_local_ops()->open(&settings, &cloud->arena, &provider, &cloud->err));
    return provider;
}

void local_cloud_template(struct local_cloud *cloud, const char *name, const char *words)
{
    struct tt_local_template *template = TT_VEC_ADD(&cloud->arena, &cloud->account.templates);
    char *rest = tt_strdup(&cloud->arena, words);

    template->name = name;
    for (char *word; (word = strtok_r(rest, " ", &rest));)
        tt_strings_add(&cloud->arena, &template->command, word);
}

void local_cloud_script(struct local_cloud *cloud, const char *name, const char *script)
{
    struct tt_local_template *template = TT_VEC_ADD(&cloud->arena, &cloud->account.templates);

    template->name = name;
    tt_strings_add(&cloud->arena, &template->command, "sh");
    tt_strings_add(&cloud->arena, &template->command, "-c");
    tt_strings_add(&cloud->arena, &template->command, script);
}

int local_cloud_begin(void **state)
{
    struct local_cloud *cloud = calloc(1, sizeof(*cloud));

    snprintf(cloud->folder, sizeof(cloud->folder), "/tmp/trimtab-local-XXXXXX");
    if (!mkdtemp(cloud->folder)) {
        free(cloud);
        return -1;
    }
    cloud->account =
        (struct tt_account){.name = "here", .provider = TT_PROVIDER_LOCAL, .folder = ""};
    tt_strings_add(&cloud->arena, &cloud->account.regions, "r1");
    tt_strings_add(&cloud->arena, &cloud->account.zones, "a");
    tt_strings_add(&cloud->arena, &cloud->account.zones, "b");
    local_cloud_template(cloud, "sleep", "sleep 3600");
    cloud->provider = local_cloud_open(cloud, "acme");
    *state = cloud;
    return 0;
}

int local_cloud_end(void **state)
{
    struct local_cloud *cloud = *state;
    struct tt_region region = {0};

    tt_provider_observe(cloud->provider,
                        &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                        &cloud->arena, &region, NULL);
    TT_EACH (server, &region.servers)
        tt_provider_delete_server(cloud->provider, "r1", server->id, NULL);
    tt_provider_close(cloud->provider);
    tt_remove_tree(cloud->folder, NULL);
    tt_arena_release(&cloud->arena);
    free(cloud);
    return 0;
}

int local_cloud_create(struct local_cloud *cloud, struct tt_provider *provider,
                       const char *template, const char *token, int port, struct tt_arena *arena,
                       const char **ret_id, struct tt_error *err)
{
    struct tt_server_spec spec = {.template = template, .size = "small"};
    struct tt_create_request request = {
        .region = "r1",
        .zone = "a",
        .name = "storefront-web-0",
        .client_token = token,
        .spec = &spec,
        .port = port,
        .tags = {.owner = "acme",
                 .deployment = "storefront",
                 .service = "web",
                 .slot = 0,
                 .incarnation = token},
    };

    (void)cloud;
    return tt_provider_create_server(provider, &request, arena, ret_id, err);
}

const char *local_cloud_make(struct local_cloud *cloud, const char *template, const char *token,
                             int port)
{
    const char *id = NULL;

    call_ok(cloud, local_cloud_create(cloud, cloud->provider, template, token, port, &cloud->arena,
                                      &id, &cloud->err));
    return id;
}

static const struct tt_region *look(struct local_cloud *cloud)
{
    struct tt_region *region = TT_NEW(&cloud->arena, struct tt_region);

    call_ok(cloud,
            tt_provider_observe(cloud->provider,
                                &(struct tt_observe_request){.region = "r1", .owner = "acme"},
                                &cloud->arena, region, &cloud->err));
    return region;
}

const struct tt_server *local_cloud_look(struct local_cloud *cloud, const char *id)
{
    return tt_region_server(look(cloud), id);
}

size_t local_cloud_count(struct local_cloud *cloud)
{
    return look(cloud)->servers.count;
}

void local_cloud_await(struct local_cloud *cloud, const char *id, enum tt_server_state state)
{
    tt_time end = tt_monotonic() + PATIENCE;

    for (;;) {
        const struct tt_server *server = local_cloud_look(cloud, id);

        if (server && server->state == state)
            return;
        if (tt_monotonic() > end)
            fail_msg("%s is %s, not %s", id, server ? tt_server_state_words[server->state] : "gone",
                     tt_server_state_words[state]);
        nap();
    }
}

const char *local_cloud_folder(struct local_cloud *cloud, const char *id)
{
    return tt_printf(&cloud->arena, "%s/local/here/r1/machines/%s", cloud->folder, id);
}

pid_t local_cloud_supervisor(struct local_cloud *cloud, const char *id)
{
    char *text;

    call_ok(cloud, tt_file_read(&cloud->arena,
                                tt_printf(&cloud->arena, "%s/pid", local_cloud_folder(cloud, id)),
                                4096, &text, NULL, &cloud->err));
    return (pid_t)strtol(text, NULL, 10);
}

static bool carries(struct local_cloud *cloud, const char *pid, const char *mark)
{
    size_t size = 0;
    char *text;

    if (tt_file_read(&cloud->arena, tt_printf(&cloud->arena, "/proc/%s/environ", pid), 1 << 20,
                     &text, &size, NULL) < 0)
        return false;
    for (const char *at = text; at < text + size; at += strlen(at) + 1)
        if (strcmp(at, mark) == 0)
            return true;
    return false;
}

int local_cloud_processes(struct local_cloud *cloud, const char *id, pid_t *ret_one)
{
    const char *mark = tt_printf(&cloud->arena, "TRIMTAB_MACHINE=%s", id);
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    int count = 0;

    assert_non_null(proc);
    while ((entry = readdir(proc)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            carries(cloud, entry->d_name, mark)) {
            count++;
            if (ret_one)
                *ret_one = (pid_t)strtol(entry->d_name, NULL, 10);
        }
    closedir(proc);
    return count;
}

void local_cloud_await_processes(struct local_cloud *cloud, const char *id, int count)
{
    tt_time end = tt_monotonic() + PATIENCE;
    int found;

    while ((found = local_cloud_processes(cloud, id, NULL)) != count) {
        if (tt_monotonic() > end)
            fail_msg("%s has %d processes, not %d", id, found, count);
        nap();
    }
}
