/*
 * Fewest moves, and who goes first, against exhaustive search.
 *
 * Every row of up to five servers over three allowed zones and one that is not allowed, sound,
 * failed, outdated or stopped, and every count from none to seven, is planned with the whole
 * planner, once with three available zones and once with one of them impaired. Of all sets of sound
 * servers that could stay beside an even spread the plan must keep a largest one, and when servers
 * are too many those must go that the design names, in its order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "reconciler/planner.h"

#define SERVERS 5
#define WANTED  7
#define ZONES   3 /* allowed; after them comes one that is not */
#define NOW     INT64_C(1800000000000)

enum kind { SOUND, FAILED, OUTDATED };

/* What a server of a row can be. */
static const struct choice {
    enum kind kind;
    int zone;
} choices[] = {
    {SOUND, 0}, {SOUND, 1}, {SOUND, 2}, {FAILED, 0}, {OUTDATED, 0}, {OUTDATED, 1}, {SOUND, ZONES},
};
#define CHOICES (int)(sizeof(choices) / sizeof(choices[0]))

static const char *const zone_names[] = {"a", "b", "c", "d"};
static const char *const ids[] = {"i-0", "i-1", "i-2", "i-3", "i-4"};

/* One row of servers; the later in it, the newer. */
struct row {
    const struct choice *servers[SERVERS];
    int count;
    int wanted;
    bool impaired; /* the last allowed zone */
};

struct outcome {
    bool deleted[SERVERS];
    bool surplus[SERVERS];
    int created[ZONES + 1];
};

/* --- planning a row -------------------------------------------------------------------------- */

static void fill_world(struct tt_arena *arena, const struct row *row, struct tt_world *world)
{
    struct tt_world_account *account = TT_VEC_ADD(arena, &world->accounts);
    struct tt_region *region;

    *account = (struct tt_world_account){.name = "cloud", .provider = "sim"};
    region = TT_VEC_ADD(arena, &account->regions);
    *region = (struct tt_region){.name = "east", .observed = true};
    for (int i = 0; i <= ZONES; i++)
        *TT_VEC_ADD(arena, &region->zones) = (struct tt_zone){
            .name = zone_names[i],
            .state = row->impaired && i == ZONES - 1 ? TT_ZONE_IMPAIRED : TT_ZONE_AVAILABLE,
        };
    for (int i = 0; i < row->count; i++)
        *TT_VEC_ADD(arena, &region->servers) = (struct tt_server){
            .id = ids[i],
            .zone = zone_names[row->servers[i]->zone],
            .state = TT_SERVER_RUNNING,
            .health = row->servers[i]->kind == FAILED ? TT_HEALTH_FAILING : TT_HEALTH_PASSING,
            .template = row->servers[i]->kind == OUTDATED ? "v1" : "v2",
            .created_at = NOW - (SERVERS - i) * 60000,
            .tags = {.owner = "acme", .deployment = "shop", .service = "web", .slot = i},
        };
}

static void plan_row(struct tt_arena *arena, const struct row *row, struct outcome *ret)
{
    struct tt_account account = {.name = "cloud", .provider = TT_PROVIDER_SIM, .folder = ""};
    struct tt_deployment deployment = {
        .name = "shop", .running = true, .prune = true, .guard = {100, 100}};
    struct tt_service service = {
        .name = "web", .deployment = &deployment, .port = 80, .max_surge = {1, false}};
    struct tt_placement placement = {
        .account = &account, .region = "east", .count = row->wanted, .server = {.template = "v2"}};
    struct tt_desired desired = {.owner = "acme", .revision = "r", .guard = {100, 100}};
    struct tt_plan_options options = {.world_hash = "-"};
    struct tt_memory memory = {0};
    struct tt_world world = {.taken_at = NOW};
    struct tt_error err = {0};
    struct tt_plan *plan;

    fill_world(arena, row, &world);
    tt_strings_add(arena, &account.regions, "east");
    for (int i = 0; i < ZONES; i++)
        tt_strings_add(arena, &placement.zones, zone_names[i]);
    *TT_VEC_ADD(arena, &service.placements) = placement;
    *TT_VEC_ADD(arena, &deployment.services) = &service;
    *TT_VEC_ADD(arena, &desired.accounts) = &account;
    *TT_VEC_ADD(arena, &desired.deployments) = &deployment;
    assert_int_equal(tt_planner_plan(arena, &desired, &world, &memory, NOW, &options, &plan, &err),
                     0);
    *ret = (struct outcome){0};
    TT_EACH (step, &plan->steps) {
        int server = step->server ? step->server[2] - '0' : -1;

        assert_true(step->action == TT_STEP_CREATE_SERVER || step->action == TT_STEP_DELETE_SERVER);
        if (step->action == TT_STEP_CREATE_SERVER) {
            ret->created[step->zone[0] - 'a']++;
        } else {
            ret->deleted[server] = true;
            ret->surplus[server] = step->because == TT_BECAUSE_SURPLUS;
        }
    }
}

static void print_row(const struct row *row)
{
    static const char *const words[] = {"sound", "failed", "outdated"};

    print_error("%d wanted%s:", row->wanted, row->impaired ? ", zone c is impaired" : "");
    for (int i = 0; i < row->count; i++)
        print_error(" %s in %s", words[row->servers[i]->kind], zone_names[row->servers[i]->zone]);
    print_error("\n");
}

/* --- exhaustive search ------------------------------------------------------------------------ */

static bool is_sound(const struct choice *server)
{
    return server->kind == SOUND && server->zone < ZONES;
}

static bool is_available(const struct row *row, int zone)
{
    return zone < ZONES && !(row->impaired && zone == ZONES - 1);
}

/* True when the servers of KEPT can be part of COUNT servers, spread evenly over what is available;
 * those in an impaired zone stay beside. */
static bool fits(const struct row *row, unsigned kept)
{
    int zones = 0, inside = 0, beside = 0, larger = 0, here[ZONES] = {0};
    int share, rest;

    for (int i = 0; i < row->count; i++)
        if (kept >> i & 1) {
            if (is_available(row, row->servers[i]->zone))
                here[row->servers[i]->zone]++;
            else
                beside++;
        }
    for (int zone = 0; zone < ZONES; zone++)
        zones += is_available(row, zone);
    inside = row->wanted - beside;
    if (inside < 0)
        return false;
    share = inside / zones;
    rest = inside % zones;
    for (int zone = 0; zone < ZONES; zone++) {
        if (here[zone] > share + 1)
            return false;
        larger += here[zone] == share + 1;
    }
    return larger <= rest;
}

/* The most sound servers that any even spread can keep. With an impaired zone, of those that are no
 * surplus: there the rule who goes first may cost a move, and it comes first. */
static int most_kept(const struct row *row, const struct outcome *outcome)
{
    int most = 0;

    for (unsigned kept = 0; kept < 1u << row->count; kept++) {
        int number = 0;

        for (int i = 0; i < row->count; i++)
            if (kept >> i & 1)
                number += is_sound(row->servers[i]) && !(row->impaired && outcome->surplus[i])
                              ? 1
                              : -SERVERS;
        if (number > most && fits(row, kept))
            most = number;
    }
    return most;
}

static void check_moves(const struct row *row, const struct outcome *outcome)
{
    int kept = 0, total = 0, least = 1000, most = 0, counts[ZONES + 1] = {0};

    for (int i = 0; i < row->count; i++) {
        kept += is_sound(row->servers[i]) && !outcome->deleted[i];
        counts[row->servers[i]->zone] += !outcome->deleted[i];
    }
    for (int zone = 0; zone <= ZONES; zone++) {
        counts[zone] += outcome->created[zone];
        total += counts[zone];
        assert_true(!outcome->created[zone] || is_available(row, zone));
        if (is_available(row, zone)) {
            least = counts[zone] < least ? counts[zone] : least;
            most = counts[zone] > most ? counts[zone] : most;
        }
    }
    assert_int_equal(total, row->wanted);
    assert_true(most - least <= 1);
    if (kept != most_kept(row, outcome))
        print_row(row);
    assert_int_equal(kept, most_kept(row, outcome));
}

/* --- who goes first --------------------------------------------------------------------------- */

/* Failed, outside its zones, outdated, sound: the order of §5. */
static int rank_of(const struct choice *server)
{
    if (server->kind == FAILED)
        return 0;
    if (server->zone == ZONES)
        return 1;
    return server->kind == OUTDATED ? 2 : 3;
}

static int fill_of(const struct row *row, const bool *gone, int zone)
{
    int count = 0;

    for (int i = 0; i < row->count; i++)
        count += !gone[i] && row->servers[i]->zone == zone && row->servers[i]->kind != FAILED;
    return count;
}

/* The next to go: the lowest rank, of it the fullest zone, of equals and in it the newest. */
static int next_to_go(const struct row *row, const bool *gone)
{
    int best = -1;

    for (int i = 0; i < row->count; i++) {
        int order;

        if (gone[i])
            continue;
        order = best < 0 ? -1 : rank_of(row->servers[i]) - rank_of(row->servers[best]);
        if (!order)
            order = fill_of(row, gone, row->servers[best]->zone) -
                    fill_of(row, gone, row->servers[i]->zone);
        if (order <= 0)
            best = i;
    }
    return best;
}

static void check_surplus(const struct row *row, const struct outcome *outcome)
{
    bool gone[SERVERS] = {0};

    for (int surplus = row->count - row->wanted; surplus > 0; surplus--)
        gone[next_to_go(row, gone)] = true;
    for (int i = 0; i < row->count; i++) {
        if (outcome->surplus[i] != gone[i])
            print_row(row);
        assert_int_equal(outcome->surplus[i], gone[i]);
    }
}

/* --- all rows -----------------------------------------------------------------------------------
 */

static void check_row(struct row *row)
{
    for (row->wanted = 0; row->wanted <= WANTED; row->wanted++) {
        struct outcome outcome;
        struct tt_arena arena;

        tt_arena_init(&arena);
        plan_row(&arena, row, &outcome);
        check_surplus(row, &outcome);
        check_moves(row, &outcome);
        tt_arena_release(&arena);
    }
}

static void check_all(bool impaired)
{
    for (int count = 0; count <= SERVERS; count++) {
        int rows = 1;

        for (int i = 0; i < count; i++)
            rows *= CHOICES;
        for (int code = 0; code < rows; code++) {
            struct row row = {.count = count, .impaired = impaired};

            for (int i = 0, rest = code; i < count; i++, rest /= CHOICES)
                row.servers[i] = &choices[rest % CHOICES];
            check_row(&row);
        }
    }
}

static void test_all_zones_available(void **state)
{
    (void)state;
    check_all(false);
}

static void test_one_zone_impaired(void **state)
{
    (void)state;
    check_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_zones_available),
        cmocka_unit_test(test_one_zone_impaired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
