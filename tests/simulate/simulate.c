/*
 * Simulate: many histories on all cores.
 *
 * usage: simulate COUNT [SEED [SECONDS]]   the histories of the seeds from SEED (1) on
 *        simulate 0 SEED SECONDS           as many of them as fit into so many seconds
 *        simulate --first COUNT [SEED]     up to the lowest seed that fails, and no story of it
 *        simulate --replay SEED            one of them, step by step
 *
 * Each worker is a process with a store of its own in memory. Of a failure the seed and a shrunk
 * story are printed. Exit 1: a law was broken, or not all COUNT histories were played within
 * SECONDS (0: no limit).
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/simulate/disk.h"
#include "tests/simulate/history.h"

#define WORKERS  64
#define FAILURES 8
#define STRIDE   16

struct ledger {
    atomic_uint_fast64_t next, played, faults, failures;
    atomic_uint_fast64_t lowest; /* seed that failed; before that the end of all */
    uint64_t failed[FAILURES];
    uint64_t current[WORKERS];
};

struct order {
    uint64_t first, end;
    time_t deadline; /* 0: none */
    bool only_first; /* what follows the lowest seed that fails is of no interest */
    struct ledger *ledger;
};

static const struct limits all = {.faults = 1 << 30, .commits = 1 << 30};

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static char *make_folder(char *buffer, size_t size)
{
    snprintf(buffer, size, "%s/trimtab-simulate-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(buffer)) {
        perror(buffer);
        exit(2);
    }
    return buffer;
}

static void note_failure(struct ledger *ledger, uint64_t seed, const char *broken)
{
    uint_fast64_t number = atomic_fetch_add(&ledger->failures, 1);
    uint_fast64_t lowest = atomic_load(&ledger->lowest);

    fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, broken);
    if (number < FAILURES)
        ledger->failed[number] = seed;
    while (seed < lowest && !atomic_compare_exchange_weak(&ledger->lowest, &lowest, seed)) {
    }
}

/* The seed after the last one to be played. */
static uint64_t end_of(const struct order *order)
{
    return order->only_first ? atomic_load(&order->ledger->lowest) : order->end;
}

/* One history is played at least. */
static bool is_over(const struct order *order)
{
    if (order->deadline && atomic_load(&order->ledger->played) && seconds_now() >= order->deadline)
        return true;
    return !order->only_first && atomic_load(&order->ledger->failures) >= FAILURES;
}

static void work(const struct order *order, int worker)
{
    struct ledger *ledger = order->ledger;
    char folder[64], broken[512];

    history_make_store(make_folder(folder, sizeof(folder)));
    while (!is_over(order)) {
        uint64_t seed = atomic_fetch_add(&ledger->next, STRIDE), last = seed + STRIDE;

        if (seed >= end_of(order))
            break;
        for (; seed < last && seed < end_of(order); seed++) {
            int faults;

            ledger->current[worker] = seed;
            if (history_play(seed, &all, false, folder, broken, sizeof(broken), &faults) < 0)
                note_failure(ledger, seed, broken);
            atomic_fetch_add(&ledger->played, 1);
            atomic_fetch_add(&ledger->faults, (uint_fast64_t)faults);
        }
    }
    tt_remove_tree(folder, NULL);
}

static bool still_fails(uint64_t seed, const struct limits *limits, const char *folder)
{
    char broken[512];
    int faults;

    return history_play(seed, limits, false, folder, broken, sizeof(broken), &faults) < 0;
}

/* Leaves out whole kinds of faults, then the last faults and the last commits. */
static struct limits shrink(uint64_t seed, const char *folder)
{
    struct limits limits = all;
    char broken[512];
    int faults;

    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        struct limits less = limits;

        less.without |= 1u << kind;
        if (still_fails(seed, &less, folder))
            limits = less;
    }
    history_play(seed, &limits, false, folder, broken, sizeof(broken), &faults);
    for (int few = 0; few < faults; few++) {
        struct limits less = limits;

        less.faults = few;
        if (still_fails(seed, &less, folder)) {
            limits = less;
            break;
        }
    }
    for (int commits = 1; commits < 4; commits++) {
        struct limits less = limits;

        less.commits = commits;
        if (still_fails(seed, &less, folder))
            return less;
    }
    return limits;
}

static int tell(uint64_t seed, bool shrunk)
{
    char folder[64], broken[512];
    struct limits limits = all;
    int faults, result;

    history_make_store(make_folder(folder, sizeof(folder)));
    if (shrunk)
        limits = shrink(seed, folder);
    printf("seed %llu%s\n", (unsigned long long)seed, shrunk ? ", shrunk" : "");
    result = history_play(seed, &limits, true, folder, broken, sizeof(broken), &faults);
    printf("%s after %d faults\n", result < 0 ? broken : "every law held", faults);
    tt_remove_tree(folder, NULL);
    return result < 0;
}

static int run_workers(const struct order *order, int count)
{
    pid_t pids[WORKERS];
    int bad = 0;

    for (int i = 0; i < count; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            work(order, i);
            fflush(NULL);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++) {
        int status = 0;

        while (pids[i] > 0 && waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
            ;
        if (pids[i] > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        fprintf(stderr, "a worker ended badly at seed %llu\n",
                (unsigned long long)order->ledger->current[i]);
        bad = 1;
    }
    return bad;
}

static int read_number(const char *text, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, 10);
    return *text < '0' || *text > '9' || *end || errno ? -1 : 0;
}

/* COUNT [SEED [SECONDS]] after an option or none. */
static int read_order(int argc, char **argv, struct order *ret_order)
{
    uint64_t numbers[3] = {0, 1, 0};
    int first = 1;

    if (argc > 1 && strcmp(argv[1], "--first") == 0) {
        ret_order->only_first = true;
        first = 2;
    }
    if (argc <= first || argc > first + 3)
        return -1;
    for (int i = first; i < argc; i++)
        if (read_number(argv[i], &numbers[i - first]) < 0)
            return -1;
    if (!numbers[0] && !numbers[2])
        return -1;
    ret_order->first = numbers[1];
    ret_order->end = numbers[0] ? numbers[1] + numbers[0] : UINT64_MAX;
    ret_order->deadline = numbers[2] ? seconds_now() + (time_t)numbers[2] : 0;
    return 0;
}

/* Whether histories are missing, which is said. */
static bool tell_missing(const struct order *order)
{
    uint64_t played = atomic_load(&order->ledger->played);
    uint64_t wanted = order->end == UINT64_MAX ? 1 : order->end - order->first;

    if (played >= wanted || atomic_load(&order->ledger->failures))
        return false;
    printf("%llu histories are missing\n", (unsigned long long)(wanted - played));
    return true;
}

static int play(const struct order *order)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    time_t began = seconds_now();
    struct ledger *ledger = order->ledger;
    int bad;

    atomic_store(&ledger->next, order->first);
    atomic_store(&ledger->lowest, order->end);
    bad = run_workers(order, cores < 1 ? 1 : cores > WORKERS ? WORKERS : (int)cores);
    printf("%llu histories from seed %llu in %lld s, %llu faults, %llu failed\n",
           (unsigned long long)atomic_load(&ledger->played), (unsigned long long)order->first,
           (long long)(seconds_now() - began), (unsigned long long)atomic_load(&ledger->faults),
           (unsigned long long)atomic_load(&ledger->failures));
    bad = tell_missing(order) || bad;
    fflush(stdout);
    if (!atomic_load(&ledger->failures))
        return bad;
    if (order->only_first)
        printf("the first is seed %llu\n", (unsigned long long)atomic_load(&ledger->lowest));
    else
        tell(ledger->failed[0], true);
    return 1;
}

int main(int argc, char **argv)
{
    struct order order = {0};
    uint64_t seed;

    /* a history frees all it took: do not give it back to the system each time */
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 256 << 20);
    disk_install();
    if (argc == 3 && strcmp(argv[1], "--replay") == 0 && read_number(argv[2], &seed) == 0)
        return tell(seed, false);
    if (read_order(argc, argv, &order) < 0) {
        fprintf(stderr,
                "usage: simulate [--first] COUNT [SEED [SECONDS]] | simulate --replay SEED\n");
        return 2;
    }
    order.ledger = mmap(NULL, sizeof(struct ledger), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (order.ledger == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    return play(&order);
}
