/*
 * Torture: each provider call of each recorded apply fails in each class of error, loses its
 * answer, is done by half, or is the last thing before or after which trimtab crashes; and each
 * commit of the store likewise. The next runs must lead to the desired state with no duplicate and
 * no leak, while the referee holds every law.
 *
 * usage: torture [NAME]              all applies, or one
 *        torture --replay NAME WAY N one of them, step by step
 *
 * An apply is recorded as two commits and a deed: the first commit is applied in peace, the deed is
 * done, and the run that applies the second one is tortured.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/history.h"

#define WORKERS 64
#define MOST    2000 /* calls of an apply */
#define SETTLED 4    /* runs until nothing is left to do, in peace */
#define NEXT                                                                                       \
    2 /* ... and after torture: the next run does all, and the one after it finds nothing */

struct scene {
    const char *name;
    struct commit before, after;
    void (*deed)(struct history *h);
};

struct way {
    const char *name;
    enum spoil_kind kind;
    enum tt_error_class class;
};

static const struct way ways[] = {
    {"spec", SPOIL_ERROR, TT_ERR_SPEC},
    {"not-found", SPOIL_ERROR, TT_ERR_NOT_FOUND},
    {"conflict", SPOIL_ERROR, TT_ERR_CONFLICT},
    {"denied", SPOIL_ERROR, TT_ERR_DENIED},
    {"throttled", SPOIL_ERROR, TT_ERR_THROTTLED},
    {"unavailable", SPOIL_ERROR, TT_ERR_UNAVAILABLE},
    {"timeout", SPOIL_ERROR, TT_ERR_TIMEOUT},
    {"unsupported", SPOIL_ERROR, TT_ERR_UNSUPPORTED},
    {"internal", SPOIL_ERROR, TT_ERR_INTERNAL},
    {"lost-reply", SPOIL_LOST_REPLY, TT_ERR_NONE},
    {"half", SPOIL_HALF, TT_ERR_NONE},
    {"crash-before", SPOIL_CRASH_BEFORE, TT_ERR_NONE},
    {"crash-after", SPOIL_CRASH_AFTER, TT_ERR_NONE},
    {"store-crash-before", SPOIL_STORE_CRASH_BEFORE, TT_ERR_NONE},
    {"store-crash-after", SPOIL_STORE_CRASH_AFTER, TT_ERR_NONE},
    {"store-full", SPOIL_STORE_FULL, TT_ERR_NONE},
};

/* Short waits, as each look at the clouds is one call more. */
static const struct tt_sim_options times = {
    .boot = 1000, .into_service = 300, .drain = 300, .vanish = 60000};

/* --- deeds ----------------------------------------------------------------------------------- */

/* The first machine in ACCOUNT of the service, or of edge where SERVICE is NULL. */
static struct tt_server pick(struct history *h, const char *account, const char *service)
{
    struct tt_server picked = {0};
    struct tt_arena scratch = {0};
    const struct tt_region *region = tt_world_region(tt_sim_world(h->sim, &scratch), account, "r");

    TT_EACH (server, &region->servers)
        if (!picked.id && server->state == TT_SERVER_RUNNING &&
            (service ? tt_streq(server->tags.service, service) : server->tags.balancer != NULL)) {
            picked.id = tt_strdup(&h->arena, server->id);
            picked.zone = server->zone;
            picked.tags = server->tags;
        }
    if (!picked.id) {
        fprintf(stderr, "torture: no machine to harm in %s\n", account);
        exit(2);
    }
    picked.zone = tt_strdup(&h->arena, picked.zone);
    picked.tags.owner = tt_strdup(&h->arena, picked.tags.owner);
    picked.tags.deployment = tt_strdup(&h->arena, picked.tags.deployment);
    picked.tags.service = tt_strdup(&h->arena, picked.tags.service);
    picked.tags.balancer = tt_strdup(&h->arena, picked.tags.balancer);
    picked.tags.incarnation = tt_strdup(&h->arena, picked.tags.incarnation);
    picked.tags.spec = tt_strdup(&h->arena, picked.tags.spec);
    tt_arena_release(&scratch);
    return picked;
}

static void set_state(struct history *h, const char *account, const char *service,
                      enum tt_server_state state)
{
    struct tt_server server = pick(h, account, service);

    tt_sim_set_server_state(h->sim, account, "r", server.id, state);
}

static void edge_fails(struct history *h)
{
    set_state(h, "east", NULL, TT_SERVER_FAILED);
}

static void edge_vanishes(struct history *h)
{
    set_state(h, "east", NULL, TT_SERVER_GONE);
}

static void edge_forgets(struct history *h)
{
    tt_sim_forget_pool(h->sim, "east", "r", pick(h, "east", NULL).id);
}

static void address_is_lost(struct history *h)
{
    tt_sim_release_address(h->sim, "east", "r", "203.0.113.9");
}

static void server_fails(struct history *h)
{
    set_state(h, "east", "web", TT_SERVER_FAILED);
}

static void server_fails_its_checks(struct history *h)
{
    tt_sim_set_health(h->sim, "east", "r", pick(h, "east", "web").id, TT_HEALTH_FAILING);
}

static void server_vanishes(struct history *h)
{
    set_state(h, "east", "web", TT_SERVER_GONE);
}

static void server_stops(struct history *h)
{
    set_state(h, "east", "web", TT_SERVER_STOPPED);
}

static void edge_and_server_fail(struct history *h)
{
    edge_fails(h);
    set_state(h, "west", "web", TT_SERVER_FAILED);
}

static void member_leaves(struct history *h)
{
    tt_sim_remove_member(h->sim, "east", "r", "elb", pick(h, "east", "web").id);
}

static void marks_are_lost(struct history *h)
{
    struct tt_tags none = {.slot = -1};
    struct tt_server server = pick(h, "east", "web");

    tt_strings_add(&h->arena, &h->foreign, server.id);
    tt_sim_set_tags(h->sim, "east", "r", server.id, &none);
}

static void server_is_copied(struct history *h)
{
    struct tt_server server = pick(h, "east", "web");
    const char *id = tt_sim_add_machine(h->sim, "east", "r", server.zone, "a copy");

    tt_sim_set_tags(h->sim, "east", "r", id, &server.tags);
}

static void zone_is_full(struct history *h)
{
    tt_sim_set_capacity(h->sim, "east", "r", "a", 0);
}

static void zone_is_impaired(struct history *h)
{
    tt_sim_set_zone_state(h->sim, "east", "r", "a", TT_ZONE_IMPAIRED);
}

static void views_are_late(struct history *h)
{
    struct tt_sim_options options = times;

    options.create_seen = 3000;
    options.tags_seen = 4000;

    h->late = true;
    tt_sim_set_options(h->sim, &options);
}

static void views_are_late_and_edge_fails(struct history *h)
{
    views_are_late(h);
    edge_fails(h);
}

/* --- the applies ----------------------------------------------------------------------------- */

#define NOTHING                                                                                    \
    {                                                                                              \
        0                                                                                          \
    }
#define WEB(A, B)                                                                                  \
    {                                                                                              \
        {1, -1},                                                                                   \
        {                                                                                          \
            A, B                                                                                   \
        }                                                                                          \
    }
#define COMMIT(...)                                                                                \
    {                                                                                              \
        .number = 1, .max_destroy = 50, __VA_ARGS__                                                \
    }
#define PLAIN         .running = true, .version = {1, 1}, .surge = 1
#define NEW(API, WEB) .running = true, .version = {API, WEB}, .surge = 1
#define NO_SURGE      .running = true, .version = {1, 2}, .unavailable = 1
#define STOPPED       .version = {1, 1}, .surge = 1

static const struct scene scenes[] = {
    {"first-start", NOTHING, COMMIT(PLAIN, .count = WEB(2, -1)), NULL},
    {"first-start-across-clouds", NOTHING, COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), NULL},
    {"first-start-late-views", NOTHING, COMMIT(PLAIN, .count = WEB(2, 1), .edge = true),
     views_are_late},
    {"first-start-in-a-full-zone", NOTHING, COMMIT(PLAIN, .count = WEB(3, -1)), zone_is_full},
    {"rolling-update", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(NEW(1, 2), .count = WEB(2, -1)),
     NULL},
    {"rolling-update-without-surge", COMMIT(PLAIN, .count = WEB(2, -1)),
     COMMIT(NO_SURGE, .count = WEB(2, -1)), NULL},
    {"rolling-update-across-clouds", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(NEW(1, 2), .count = WEB(1, 1), .edge = true), NULL},
    {"rolling-update-of-both", COMMIT(PLAIN, .count = WEB(1, -1)),
     COMMIT(NEW(2, 2), .count = WEB(1, -1)), NULL},
    {"edge-fails", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), edge_fails},
    {"edge-fails-late-views", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), views_are_late_and_edge_fails},
    {"edge-and-a-server-fail", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), edge_and_server_fail},
    {"edge-vanishes", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), edge_vanishes},
    {"edge-forgets-its-pool", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), edge_forgets},
    {"address-is-lost", COMMIT(PLAIN, .count = WEB(1, -1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, -1), .edge = true), address_is_lost},
    {"edge-leaves-git", COMMIT(PLAIN, .count = WEB(1, 1), .edge = true),
     COMMIT(PLAIN, .count = WEB(1, 1)), NULL},
    {"edge-comes", COMMIT(PLAIN, .count = WEB(1, 1)),
     COMMIT(PLAIN, .count = WEB(1, 1), .edge = true), NULL},
    {"scale-up", COMMIT(PLAIN, .count = WEB(1, -1)), COMMIT(PLAIN, .count = WEB(3, -1)), NULL},
    {"scale-down", COMMIT(PLAIN, .count = WEB(3, 1)), COMMIT(PLAIN, .count = WEB(1, 0)), NULL},
    {"moved-to-the-other-cloud", COMMIT(PLAIN, .count = WEB(2, -1), .edge = true),
     COMMIT(PLAIN, .count = WEB(-1, 2), .edge = true), NULL},
    {"placements-leave-git", COMMIT(PLAIN, .count = WEB(1, 2)), COMMIT(PLAIN, .count = WEB(-1, -1)),
     NULL},
    {"stop", COMMIT(PLAIN, .count = WEB(2, 1), .edge = true),
     COMMIT(STOPPED, .count = WEB(2, 1), .edge = true), NULL},
    {"zone-swap", COMMIT(PLAIN, .count = WEB(2, -1), .zones = 1),
     COMMIT(PLAIN, .count = WEB(2, -1), .zones = 2), NULL},
    {"zones-shrink", COMMIT(PLAIN, .count = WEB(3, -1)),
     COMMIT(PLAIN, .count = WEB(3, -1), .zones = 4), NULL},
    {"zone-impaired-and-update", COMMIT(PLAIN, .count = WEB(2, -1)),
     COMMIT(NEW(1, 2), .count = WEB(2, -1)), zone_is_impaired},
    {"server-fails", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(PLAIN, .count = WEB(2, -1)),
     server_fails},
    {"server-fails-its-checks", COMMIT(PLAIN, .count = WEB(2, -1)),
     COMMIT(PLAIN, .count = WEB(2, -1)), server_fails_its_checks},
    {"server-vanishes", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(PLAIN, .count = WEB(2, -1)),
     server_vanishes},
    {"server-stops", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(PLAIN, .count = WEB(2, -1)),
     server_stops},
    {"member-leaves", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(PLAIN, .count = WEB(2, -1)),
     member_leaves},
    {"marks-are-lost", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(PLAIN, .count = WEB(2, -1)),
     marks_are_lost},
    {"server-is-copied", COMMIT(PLAIN, .count = WEB(2, -1)), COMMIT(PLAIN, .count = WEB(2, -1)),
     server_is_copied},
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))
#define WAYS   (sizeof(ways) / sizeof(ways[0]))

/* Runs in peace until nothing is left to do. */
static void settle(struct history *h)
{
    for (int i = 0; i < SETTLED && process_run(h) != 0; i++)
        h->now += 90000;
}

/* 1: the fault struck, and all is well; 0: the apply has fewer calls; -1: a law was broken. */
static int play(const struct scene *scene, const struct way *way, int nth, bool tell,
                const char *folder, char *ret_broken, size_t size)
{
    static const struct limits none = {0};
    struct history *h = history_new(7, &none, false, folder);
    int result;

    h->calm = true;
    tt_sim_set_options(h->sim, &times);
    if (scene->before.number) {
        h->commit = scene->before;
        settle(h);
    }
    h->tell = tell;
    h->commit = scene->after;
    h->commit.number = 2;
    if (scene->deed)
        scene->deed(h);
    h->spoil = (struct spoil){.kind = way->kind, .class = way->class, .nth = nth};
    process_run(h);
    h->spoil.kind = SPOIL_NOTHING;
    result = h->spoil.struck;
    if (h->holder_died && !h->broken[0])
        process_run(h); /* at once: what was made may not be seen yet */
    if (!h->broken[0])
        history_converge(h, NEXT);
    snprintf(ret_broken, size, "%s", h->broken);
    if (h->broken[0])
        result = -1;
    history_free(h);
    return result;
}

struct ledger {
    atomic_size_t next;
    atomic_uint_fast64_t played, failures;
};

static void torture(const struct scene *scene, struct ledger *ledger, const char *folder)
{
    char broken[512];

    for (size_t i = 0; i < WAYS; i++)
        for (int nth = 1, more = 1; more && nth < MOST; nth++) {
            more = play(scene, &ways[i], nth, false, folder, broken, sizeof(broken));
            atomic_fetch_add(&ledger->played, more != 0);
            if (more >= 0)
                continue;
            atomic_fetch_add(&ledger->failures, 1);
            printf("%s %s %d: %s\n", scene->name, ways[i].name, nth, broken);
            fflush(stdout);
        }
}

static char *make_folder(char *buffer, size_t size)
{
    snprintf(buffer, size, "%s/trimtab-torture-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(buffer)) {
        perror(buffer);
        exit(2);
    }
    return buffer;
}

static void work(struct ledger *ledger, const char *only)
{
    char folder[64];
    size_t scene;

    history_make_store(make_folder(folder, sizeof(folder)));
    while ((scene = atomic_fetch_add(&ledger->next, 1)) < SCENES)
        if (!only || strcmp(scenes[scene].name, only) == 0)
            torture(&scenes[scene], ledger, folder);
    tt_remove_tree(folder, NULL);
}

static int run_workers(struct ledger *ledger, const char *only)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pid_t pids[WORKERS];
    int count = cores < 1 ? 1 : cores > WORKERS ? WORKERS : (int)cores, bad = 0;

    for (int i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            work(ledger, only);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++) {
        int status = 0;

        if (pids[i] < 0 || waitpid(pids[i], &status, 0) < 0 || status != 0)
            bad = 1;
    }
    return bad;
}

static int replay(const char *name, const char *way, int nth)
{
    char folder[64], broken[512];
    int result = -1;

    history_make_store(make_folder(folder, sizeof(folder)));
    for (size_t i = 0; i < SCENES * WAYS; i++)
        if (strcmp(scenes[i / WAYS].name, name) == 0 && strcmp(ways[i % WAYS].name, way) == 0) {
            result =
                play(&scenes[i / WAYS], &ways[i % WAYS], nth, true, folder, broken, sizeof(broken));
            puts(result < 0 ? broken : result ? "every law held" : "it has fewer calls");
        }
    tt_remove_tree(folder, NULL);
    return result != 1;
}

int main(int argc, char **argv)
{
    struct ledger *ledger;
    int bad;

    disk_install();
    if (argc == 5 && strcmp(argv[1], "--replay") == 0)
        return replay(argv[2], argv[3], atoi(argv[4]));
    if (argc > 2) {
        fprintf(stderr, "usage: torture [NAME] | torture --replay NAME WAY N\n");
        return 2;
    }
    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    bad = run_workers(ledger, argc > 1 ? argv[1] : NULL);
    printf("%llu tortured applies, %llu failed\n", (unsigned long long)atomic_load(&ledger->played),
           (unsigned long long)atomic_load(&ledger->failures));
    return bad || !atomic_load(&ledger->played) || atomic_load(&ledger->failures);
}
