/*
 * OpenStack desk: routes to answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/providers/support/openstack_desk.h"

static bool answer(void *self, const char *request, struct scripted_answer *ret_answer)
{
    struct desk *desk = self;
    struct answer *found = NULL;

    for (size_t i = 0; i < desk->count; i++) {
        struct answer *one = &desk->answers[i];

        if (tt_starts_with(request, one->request) && (!found || (found->given && !found->again)))
            found = one;
    }
    if (found)
        found->given = true;
    *ret_answer = found ? found->answer
                        : (struct scripted_answer){.status = 418, .body = "{\"what\": \"this?\"}"};
    return true;
}

void desk_set(struct desk *desk, const char *request, int status, const char *body)
{
    assert_true(desk->count < DESK_MOST);
    desk->answers[desk->count++] =
        (struct answer){.request = request, .answer = {.status = status, .body = body}};
}

static const char *with_port(struct desk *desk, const char *form)
{
    TT_BUF_AUTO text = {0};

    for (; *form; form++) {
        if (*form == '@')
            tt_buf_addf(&text, "http://127.0.0.1:%d", desk->server.port);
        else
            tt_buf_addf(&text, "%c", *form);
    }
    return tt_strdup(&desk->arena, tt_buf_text(&text));
}

#define ENDPOINT(type, path)                                                                       \
    "{\"type\": \"" type "\", \"endpoints\": [{\"interface\": \"internal\", \"region_id\": "       \
    "\"north\", \"url\": \"http://127.0.0.1:1\"}, {\"interface\": \"public\", \"region_id\": "     \
    "\"north\", \"url\": \"@" path "\"}]}"

/* A Keystone that gives a token until that hour, and services that have nothing. */
void desk_keystone(struct desk *desk, const char *expires)
{
    const char *body = tt_printf(
        &desk->arena, "{\"token\": {\"expires_at\": \"%s\", \"catalog\": [%s, %s, %s, %s]}}",
        expires, ENDPOINT("compute", "/nova/v2.1"), ENDPOINT("image", "/glance"),
        ENDPOINT("network", "/neutron/"), ENDPOINT("load-balancer", "/octavia"));

    desk_set(desk, "POST /v3/auth/tokens", 201, with_port(desk, body));
    desk->answers[desk->count - 1].answer.headers = "X-Subject-Token: first-token\r\n";
}

void desk_nova(struct desk *desk, const char *version)
{
    desk_set(desk, "GET /nova/v2.1/ ", 200,
             tt_printf(&desk->arena, "{\"version\": {\"version\": \"%s\"}}", version));
    desk_set(
        desk, "GET /nova/v2.1/os-availability-zone", 200,
        "{\"availabilityZoneInfo\": [{\"zoneName\": \"az1\", \"zoneState\": {\"available\": true}},"
        " {\"zoneName\": \"az2\", \"zoneState\": {\"available\": false}}]}");
    desk_set(desk, "GET /nova/v2.1/flavors", 200, "{\"flavors\": []}");
    desk_set(desk, "GET /neutron/v2.0/networks", 200, "{\"networks\": []}");
    desk_set(desk, "GET /neutron/v2.0/floatingips", 200, "{\"floatingips\": []}");
}

void desk_no_servers(struct desk *desk)
{
    desk_set(desk, "GET /nova/v2.1/servers/detail", 200, "{\"servers\": []}");
}

int desk_open(struct desk *desk)
{
    desk->err = (struct tt_error){0};
    return tt_openstack_ops()->open(&(struct tt_provider_settings){.account = &desk->account,
                                                                   .owner = "acme",
                                                                   .state_folder = "/nonexistent",
                                                                   .base_folder = desk->folder,
                                                                   .clock = &desk->jumping.clock,
                                                                   .tally = &desk->tally},
                                    &desk->arena, &desk->provider, &desk->err);
}

void desk_open_well(struct desk *desk)
{
    if (desk_open(desk) < 0)
        fail_msg("%s", desk->err.message);
}

int desk_begin(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));

    if (!desk)
        return -1;
    setenv("DESK_USERNAME", "me", 1);
    setenv("DESK_PASSWORD", "hush", 1);
    setenv("DESK_PROJECT_NAME", "shop", 1);
    snprintf(desk->folder, sizeof(desk->folder), "/tmp/trimtab-openstack-XXXXXX");
    assert_non_null(mkdtemp(desk->folder));
    jumping_init(&desk->jumping);
    tt_tally_init(&desk->tally);
    scripted_start(&desk->server);
    desk->server.answer = answer;
    desk->server.self = desk;
    desk->account = (struct tt_account){
        .name = "private",
        .provider = TT_PROVIDER_OPENSTACK,
        .endpoint = tt_printf(&desk->arena, "http://127.0.0.1:%d", desk->server.port),
        .credentials_env = "DESK",
        .folder = "",
    };
    tt_strings_add(&desk->arena, &desk->account.regions, "north");
    *state = desk;
    return 0;
}

int desk_end(void **state)
{
    struct desk *desk = *state;

    if (desk->provider)
        tt_provider_close(desk->provider);
    scripted_stop(&desk->server);
    tt_tally_release(&desk->tally);
    jumping_release(&desk->jumping);
    unlink(tt_printf(&desk->arena, "%s/clouds.yaml", desk->folder));
    unlink(tt_printf(&desk->arena, "%s/secure.yaml", desk->folder));
    rmdir(desk->folder);
    tt_arena_release(&desk->arena);
    free(desk);
    return 0;
}

int desk_look(struct desk *desk, const char *balancer)
{
    struct tt_observe_request request = {.region = "north", .owner = "acme"};

    if (balancer)
        tt_strings_add(&desk->arena, &request.balancers, balancer);
    desk->err = (struct tt_error){0};
    desk->region = (struct tt_region){0};
    return tt_provider_observe(desk->provider, &request, &desk->arena, &desk->region, &desk->err);
}

void desk_failed(struct desk *desk, int result, enum tt_error_class class, const char *why)
{
    assert_int_equal(result, -1);
    if (desk->err.class != class || !strstr(desk->err.message, why))
        fail_msg("not %s \"%s\": %s: %s", tt_error_class_name(class), why,
                 tt_error_class_name(desk->err.class), desk->err.message);
    assert_null(strstr(desk->err.message, "hush"));
}

int desk_count(struct desk *desk, const char *api)
{
    TT_EACH (line, &desk->tally.lines)
        if (tt_streq(line->api, api))
            return line->count;
    return 0;
}

bool desk_was_asked(struct desk *desk, const char *text)
{
    for (int i = 0; i < scripted_requests(&desk->server); i++)
        if (strstr(scripted_request(&desk->server, i), text))
            return true;
    return false;
}
