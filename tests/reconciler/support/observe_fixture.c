/*
 * Observe fixture: see the header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/reconciler/support/observe_fixture.h"

int observe_open_port(int *ret_port, bool listening)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    if (listening)
        assert_int_equal(listen(fd, 100), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int observe_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct tt_arena *arena = &f->arena;

    toy_init(&f->toy);
    toy_init(&f->far);
    f->here = (struct tt_account){.name = "here", .provider = TT_PROVIDER_LOCAL};
    f->there = (struct tt_account){.name = "there", .provider = TT_PROVIDER_SIM};
    tt_strings_add(arena, &f->here.regions, "r");
    tt_strings_add(arena, &f->there.regions, "r");
    f->deployment = (struct tt_deployment){.name = "shop", .running = true};
    f->check = (struct tt_health_check){
        .interval = 10000, .timeout = 2000, .unhealthy_after = 3, .grace = 60000};
    f->web = (struct tt_service){.name = "web", .deployment = &f->deployment, .health = &f->check};
    f->listener = observe_open_port(&f->web.port, true);
    close(observe_open_port(&f->closed_port, false));
    f->edge = (struct tt_balancer){.name = "edge",
                                   .deployment = &f->deployment,
                                   .type = TT_BALANCER_VM_DYNAMIC,
                                   .account = &f->here,
                                   .region = "r",
                                   .recovery = {.unhealthy_after = 2, .interval = 5000}};
    f->old = (struct tt_balancer){.name = "old",
                                  .deployment = &f->deployment,
                                  .type = TT_BALANCER_VM_STATIC,
                                  .account = &f->here,
                                  .region = "r",
                                  .machine = "veteran"};
    *TT_VEC_ADD(arena, &f->deployment.services) = &f->web;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->edge;
    *TT_VEC_ADD(arena, &f->deployment.balancers) = &f->old;
    f->desired = (struct tt_desired){.owner = "acme", .revision = "abc"};
    *TT_VEC_ADD(arena, &f->desired.accounts) = &f->here;
    *TT_VEC_ADD(arena, &f->desired.accounts) = &f->there;
    *TT_VEC_ADD(arena, &f->desired.deployments) = &f->deployment;
    toy_add(arena, &f->clouds, &f->here, &f->toy);
    toy_add(arena, &f->clouds, &f->there, &f->far);
    *state = f;
    return 0;
}

int observe_teardown(void **state)
{
    struct fixture *f = *state;

    close(f->listener);
    toy_release(&f->toy);
    toy_release(&f->far);
    tt_arena_release(&f->arena);
    free(f);
    return 0;
}

struct toy_machine *observe_add_server(struct fixture *f, const char *id, const char *service)
{
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .service = service};
    struct toy_machine *machine = toy_add_machine(&f->toy, id, &tags);

    machine->private_address = "127.0.0.1";
    return machine;
}

struct toy_machine *observe_add_edge(struct fixture *f)
{
    struct tt_tags tags = {.owner = "acme", .deployment = "shop", .balancer = "edge"};
    struct toy_machine *machine = toy_add_machine(&f->toy, "i-edge", &tags);

    machine->private_address = "127.0.0.1";
    return machine;
}

const struct tt_server *observe_world(struct fixture *f, const char *id)
{
    const struct tt_region *region;

    f->world = tt_observe(&f->arena, &f->clouds, &f->desired, &f->toy.clock, &f->options);
    region = tt_world_region(f->world, "here", "r");
    return region ? tt_region_server(region, id) : NULL;
}

void observe_fail_run(struct fixture *f, int times, enum tt_error_class class)
{
    f->toy.fault.call = TOY_RUN;
    f->toy.fault.nth = 1;
    f->toy.fault.times = times;
    f->toy.fault.class = class;
}
