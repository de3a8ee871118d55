/*
 * trimtab: the one place that names the concrete providers.
 */
#include <signal.h>
#include <stdio.h>

#include "providers/aws/aws.h"
#include "providers/cloudstack/cloudstack.h"
#include "providers/file/file.h"
#include "providers/local/local.h"
#include "providers/openstack/openstack.h"
#include "providers/registry.h"
#include "providers/sim/sim.h"
#include "providers/ssh/ssh.h"
#include "reconciler/commands/commands.h"

int main(int argc, char **argv)
{
    struct tt_registry registry = {0};
    struct tt_error err = {0};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* where it is ignored nobody can tell how a child ended */
    if (tt_registry_add(&registry, tt_local_ops(), &err) < 0 ||
        tt_registry_add(&registry, tt_file_ops(), &err) < 0 ||
        tt_registry_add(&registry, tt_sim_ops(), &err) < 0 ||
        tt_registry_add(&registry, tt_aws_ops(), &err) < 0 ||
        tt_registry_add(&registry, tt_cloudstack_ops(), &err) < 0 ||
        tt_registry_add(&registry, tt_openstack_ops(), &err) < 0 ||
        tt_registry_add(&registry, tt_ssh_ops(), &err) < 0) {
        fprintf(stderr, "trimtab: %s\n", err.message);
        return 1;
    }
    return tt_commands_main(&registry, argc, argv);
}
