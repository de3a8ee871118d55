/*
 * Commands on machines, by SSH: where a machine is, and what its console says of its host keys.
 *
 * Source: "GetConsoleOutput" in the Amazon EC2 API reference.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/str.h"
#include "providers/aws/cloud.h"

static int find_machine(void *self, const char *region, const char *id, struct tt_arena *arena,
                        struct tt_server *ret_server, struct tt_error *err)
{
    const struct tt_server *server;
    struct tt_aws_visit visit;

    if (tt_aws_enter(self, region, arena, &visit, err) < 0 ||
        tt_aws_find_server(&visit, id, &server, err) < 0)
        return -1;
    if (!server || server->state == TT_SERVER_GONE)
        return tt_fail(err, TT_ERR_NOT_FOUND, "region %s has no machine %s", region, id);
    *ret_server = *server;
    return 0;
}

/* --- consoles ------------------------------------------------------------------------------- */

struct console {
    struct tt_arena *arena;
    const char *text;
};

/* What stands in base64 for a text; nothing where it does not. */
static const char *decode(struct tt_arena *arena, const char *base64)
{
    size_t length = 0;
    char *packed = tt_alloc(arena, strlen(base64) + 1);
    char *text;
    int size;

    for (; *base64; base64++)
        if (!strchr(" \t\r\n", *base64))
            packed[length++] = *base64;
    text = tt_alloc(arena, length / 4 * 3 + 1);
    size = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)packed, (int)length);
    text[size < 0 ? 0 : size] = '\0';
    for (int i = 0; i < size; i++)
        if (!text[i])
            text[i] = ' ';
    return text;
}

static int take_output(void *self, enum tt_xml_event event, const char *path, const char *value,
                       struct tt_error *err)
{
    struct console *console = self;

    (void)err;
    if (event == TT_XML_LEAF && strcmp(path, "output") == 0)
        console->text = decode(console->arena, value);
    return 0;
}

static int get_output(const struct tt_aws_visit *visit, const char *id, bool latest,
                      const char **ret_text, struct tt_error *err)
{
    struct console console = {.arena = visit->arena, .text = ""};
    TT_FORM_AUTO form = {0};

    tt_aws_add(&form, id, "InstanceId");
    tt_aws_add(&form, latest ? "true" : NULL, "Latest");
    if (tt_aws_call(visit, TT_AWS_GET_CONSOLE_OUTPUT, &form, take_output, &console, err) < 0)
        return -1;
    *ret_text = console.text;
    return 0;
}

/* Types of machines that are not of Nitro refuse the latest output: what was posted after the start
 * will do. */
static int read_console(void *self, const char *region, const char *id, struct tt_arena *arena,
                        const char **ret_text, struct tt_error *err)
{
    struct tt_error own = {0};
    struct tt_aws_visit visit;

    if (tt_aws_enter(self, region, arena, &visit, err) < 0)
        return -1;
    if (get_output(&visit, id, true, ret_text, &own) == 0)
        return 0;
    if (strcmp(own.code, "UnsupportedOperation") == 0)
        return get_output(&visit, id, false, ret_text, err);
    if (err)
        *err = own;
    return -1;
}

int tt_aws_run(struct tt_provider *provider, const struct tt_run_request *request,
               struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err)
{
    const struct tt_aws *aws = (const struct tt_aws *)provider;
    const struct tt_ssh_cloud cloud = {
        .find = find_machine, .console = read_console, .self = provider};

    return tt_ssh_machines_run(aws->machines, request, &cloud, arena, ret_result, err);
}
