/*
 * Simulate: many histories on all cores.
 *
 * usage: simulate COUNT [SEED [SECONDS]]   the histories of the seeds from SEED on
 *        simulate --replay SEED            one of them, step by step
 *
 * Each worker is a process with a store of its own in memory. Of a failure the seed and a shrunk
 * story are printed. Exit 1: a law was broken.
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
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
    uint64_t failed[FAILURES];
    uint64_t current[WORKERS];
};

struct order {
    uint64_t first, end;
    time_t deadline; /* 0: none */
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

static void work(const struct order *order, int worker)
{
    struct ledger *ledger = order->ledger;
    char folder[64], broken[512];

    history_make_store(make_folder(folder, sizeof(folder)));
    while (atomic_load(&ledger->failures) < FAILURES) {
        uint64_t seed = atomic_fetch_add(&ledger->next, STRIDE), last = seed + STRIDE;

        if (seed >= order->end || (order->deadline && seconds_now() >= order->deadline))
            break;
        for (; seed < last && seed < order->end; seed++) {
            int faults;

            ledger->current[worker] = seed;
            if (history_play(seed, &all, false, folder, broken, sizeof(broken), &faults) < 0) {
                uint_fast64_t number = atomic_fetch_add(&ledger->failures, 1);

                fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, broken);
                if (number < FAILURES)
                    ledger->failed[number] = seed;
            }
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

int main(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct order order = {0};
    time_t began = seconds_now();
    struct ledger *ledger;
    int bad;

    /* a history frees all it took: do not give it back to the system each time */
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    mallopt(M_MMAP_THRESHOLD, 256 << 20);
    disk_install();
    if (argc == 3 && strcmp(argv[1], "--replay") == 0)
        return tell(strtoull(argv[2], NULL, 10), false);
    if (argc < 2 || argc > 4 || strtoull(argv[1], NULL, 10) == 0) {
        fprintf(stderr, "usage: simulate COUNT [SEED [SECONDS]] | simulate --replay SEED\n");
        return 2;
    }
    ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    order.first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    order.end = order.first + strtoull(argv[1], NULL, 10);
    order.deadline = argc > 3 && atoi(argv[3]) > 0 ? began + atoi(argv[3]) : 0;
    order.ledger = ledger;
    atomic_store(&ledger->next, order.first);
    bad = run_workers(&order, cores < 1 ? 1 : cores > WORKERS ? WORKERS : (int)cores);
    printf("%llu histories from seed %llu in %lld s, %llu faults, %llu failed\n",
           (unsigned long long)atomic_load(&ledger->played), (unsigned long long)order.first,
           (long long)(seconds_now() - began), (unsigned long long)atomic_load(&ledger->faults),
           (unsigned long long)atomic_load(&ledger->failures));
    fflush(stdout);
    if (atomic_load(&ledger->failures))
        bad = tell(ledger->failed[0], true) || bad;
    return bad;
}
