/*
 * Template: from an account's template to the command that a machine runs and the environment it
 * runs in.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "providers/local/cloud.h"
#include "providers/shell/shell.h"

#define MOD_JK "/usr/lib/apache2/modules/mod_jk.so"

int tt_local_template(const struct tt_local *cloud, const char *name,
                      const struct tt_local_template **ret_template, struct tt_error *err)
{
    TT_BUF_AUTO known = {0};

    TT_EACH (template, &cloud->account->templates) {
        if (tt_streq(template->name, name)) {
            *ret_template = template;
            return 0;
        }
        tt_buf_addf(&known, "%s%s", known.length ? ", " : "", template->name);
    }
    return tt_fail(err, TT_ERR_SPEC, "account %s has no template %s; it has %s",
                   cloud->account->name, name ? name : "(none given)",
                   known.length ? tt_buf_text(&known) : "none");
}

/* Puts the machine's facts where TEXT names them in braces; other braces stay. */
static const char *substitute(struct tt_arena *arena, const struct tt_local_machine *machine,
                              const char *text)
{
    const struct {
        const char *name, *value;
    } facts[] = {
        {"{address}", machine->server.private_address},
        {"{port}", tt_printf(arena, "%d", machine->port)},
        {"{root}", machine->root},
        {"{name}", machine->server.name},
    };
    TT_BUF_AUTO made = {0};

    while (*text) {
        size_t i = 0;

        while (i < 4 && !tt_starts_with(text, facts[i].name))
            i++;
        tt_buf_addn(&made, i < 4 ? facts[i].value : text, i < 4 ? strlen(facts[i].value) : 1);
        text += i < 4 ? strlen(facts[i].name) : 1;
    }
    return tt_strdup(arena, tt_buf_text(&made));
}

/* A relative path is one beside the YAML file; a bare name is searched in PATH. */
static const char *place_of(const struct tt_local *cloud, struct tt_arena *arena,
                            const char *program)
{
    const char *folder = cloud->account->folder ? cloud->account->folder : "";

    if (program[0] == '/' || !strchr(program, '/') || !cloud->base_folder)
        return program;
    return tt_printf(arena, "%s/%s%s%s", cloud->base_folder, folder, *folder ? "/" : "", program);
}

/* The agent looks in the same places. */
static int check_software(const struct tt_local_template *template, struct tt_arena *arena,
                          struct tt_error *err)
{
    bool is_jk = tt_streq(template->software, "mod_jk");
    const char *program = is_jk ? "apache2" : "haproxy";

    if (!tt_shell_find(arena, program) &&
        !tt_shell_find(arena, tt_printf(arena, "/usr/sbin/%s", program)))
        return tt_fail(err, TT_ERR_SPEC, "template %s: %s is not installed; install the package %s",
                       template->name, program, is_jk ? "apache2-bin" : program);
    if (is_jk && access(MOD_JK, F_OK) != 0)
        return tt_fail(err, TT_ERR_SPEC,
                       "template %s: there is no " MOD_JK "; install the package libapache2-mod-jk",
                       template->name);
    return 0;
}

int tt_local_command(const struct tt_local *cloud, const struct tt_local_template *template,
                     const struct tt_local_machine *machine, struct tt_arena *arena,
                     struct tt_strings *ret_command, struct tt_error *err)
{
    struct tt_strings command = {0};
    const char *program, *found;
    char *absolute;

    if (template->software) {
        if (check_software(template, arena, err) < 0)
            return -1;
        tt_strings_add(arena, &command,
                       tt_printf(arena, "%s/enstratus/bin/superviseProxy", machine->root));
        *ret_command = command;
        return 0;
    }
    if (!template->command.count)
        return tt_fail(err, TT_ERR_SPEC, "template %s has no command", template->name);
    program = substitute(arena, machine, template->command.items[0]);
    found = tt_shell_find(arena, place_of(cloud, arena, program));
    if (!found)
        return tt_fail(err, TT_ERR_SPEC, "template %s: there is no program %s%s", template->name,
                       place_of(cloud, arena, program),
                       strchr(program, '/') ? "" : " in the folders of PATH");
    if (found[0] != '/' && (absolute = realpath(found, NULL))) {
        found = tt_strdup(arena, absolute);
        free(absolute);
    }
    tt_strings_add(arena, &command, found);
    for (size_t i = 1; i < template->command.count; i++)
        tt_strings_add(arena, &command, substitute(arena, machine, template->command.items[i]));
    *ret_command = command;
    return 0;
}

struct tt_strings tt_local_environment(const struct tt_local_machine *machine,
                                       struct tt_arena *arena)
{
    const struct tt_server *server = &machine->server;
    struct tt_strings list = {0};

    /* The mark comes first: that is where a sweep finds it soonest. */
    tt_strings_add(arena, &list, tt_printf(arena, "TRIMTAB_MACHINE=%s", server->id));
    tt_strings_add(arena, &list, tt_printf(arena, "TRIMTAB_ROOT=%s", machine->root));
    tt_strings_add(arena, &list, tt_printf(arena, "TRIMTAB_ADDRESS=%s", server->private_address));
    tt_strings_add(arena, &list, tt_printf(arena, "TRIMTAB_NAME=%s", server->name));
    tt_strings_add(arena, &list, tt_printf(arena, "TRIMTAB_ZONE=%s", server->zone));
    tt_strings_add(arena, &list, tt_printf(arena, "TRIMTAB_PORT=%d", machine->port));
    return list;
}
