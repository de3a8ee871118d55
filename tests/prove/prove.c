/*
 * Prove: holds generated cases to every law, on all cores.
 *
 * usage: prove CASES [SEED [SECONDS]]: the cases of the seeds from SEED (1) on, within SECONDS (0:
 * no limit); with 0 CASES as many of them as fit. Each worker is a process, so that a crash in one
 * case costs that worker alone and is told by its seed; all take the next seeds from one counter.
 * The seed of each failure is printed, and the first of them is shrunk and told in full. Exit 1: a
 * law was broken, or not all CASES were checked.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/reconciler/support/hunt.h"

#define WORKERS  64
#define FAILURES 16 /* the seeds that are told; after so many the hunt ends */
#define STRIDE   64 /* seeds that a worker takes at once */

/* What the workers share. */
struct ledger {
    atomic_uint_fast64_t next;     /* the first seed that nobody has taken */
    atomic_uint_fast64_t checked;  /* cases that are done */
    atomic_uint_fast64_t failures; /* of which so many failed */
    uint64_t failed[FAILURES];
    uint64_t current[WORKERS]; /* the seed that each worker is at */
};

struct order {
    uint64_t first, end; /* seeds; UINT64_MAX: no end */
    time_t deadline;     /* 0: none */
    struct ledger *ledger;
};

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void note_failure(struct ledger *ledger, uint64_t seed)
{
    uint_fast64_t number = atomic_fetch_add(&ledger->failures, 1);

    if (number < FAILURES)
        ledger->failed[number] = seed;
    fprintf(stderr, "seed %llu fails\n", (unsigned long long)seed);
}

static void work(const struct order *order, int worker)
{
    struct ledger *ledger = order->ledger;

    while (atomic_load(&ledger->failures) < FAILURES) {
        uint64_t seed = atomic_fetch_add(&ledger->next, STRIDE);
        uint64_t end = seed + STRIDE < order->end ? seed + STRIDE : order->end;

        if (seed >= order->end ||
            (order->deadline && atomic_load(&ledger->checked) && seconds_now() >= order->deadline))
            return;
        for (; seed < end; seed++) {
            ledger->current[worker] = seed;
            if (!tt_hunt_holds(seed))
                note_failure(ledger, seed);
            atomic_fetch_add(&ledger->checked, 1);
        }
    }
}

static void report_progress(const struct order *order, time_t begin)
{
    uint64_t checked = atomic_load(&order->ledger->checked);
    time_t elapsed = seconds_now() - begin;

    if (order->end == UINT64_MAX)
        fprintf(stderr, "%llu cases, %lld s\n", (unsigned long long)checked, (long long)elapsed);
    else
        fprintf(stderr, "%llu of %llu cases, %lld s\n", (unsigned long long)checked,
                (unsigned long long)(order->end - order->first), (long long)elapsed);
}

/* Whether cases are missing, which is said. */
static bool report_missing(const struct order *order)
{
    uint64_t checked = atomic_load(&order->ledger->checked);
    uint64_t wanted = order->end == UINT64_MAX ? 1 : order->end - order->first;

    if (checked >= wanted)
        return false;
    printf("%llu cases are missing\n", (unsigned long long)(wanted - checked));
    return true;
}

/* Waits for one worker and blames its seed for a crash. */
static void collect(const struct order *order, const pid_t *workers, int count, pid_t ended,
                    int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    for (int i = 0; i < count; i++)
        if (workers[i] == ended)
            note_failure(order->ledger, order->ledger->current[i]);
}

static int run(const struct order *order, int count)
{
    pid_t workers[WORKERS];
    time_t begin = seconds_now(), told = begin;
    int left = 0;

    for (int i = 0; i < count; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            work(order, i);
            _exit(0);
        }
        if (workers[i] < 0) {
            fprintf(stderr, "prove: no worker could be started: %s\n", strerror(errno));
            break;
        }
        left++;
    }
    if (!left)
        return -1;
    count = left;
    while (left) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG);

        if (ended > 0) {
            collect(order, workers, count, ended, status);
            left--;
            continue;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        if (seconds_now() - told >= 10) {
            told = seconds_now();
            report_progress(order, begin);
        }
    }
    printf("%llu cases from seed %llu on, %d workers, %lld s: %llu failed\n",
           (unsigned long long)atomic_load(&order->ledger->checked),
           (unsigned long long)order->first, count, (long long)(seconds_now() - begin),
           (unsigned long long)atomic_load(&order->ledger->failures));
    return 0;
}

static int by_seed(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b;

    return (*one > *other) - (*one < *other);
}

/* The first failure in full; a case that crashed is told by its seed alone. */
static void report_failures(struct ledger *ledger)
{
    uint64_t count = atomic_load(&ledger->failures);
    pid_t child;

    if (count > FAILURES)
        count = FAILURES;
    qsort(ledger->failed, count, sizeof(*ledger->failed), by_seed);
    printf("seeds that fail:");
    for (uint64_t i = 0; i < count; i++)
        printf(" %llu", (unsigned long long)ledger->failed[i]);
    printf("\n");
    fflush(stdout);
    child = fork();
    if (child == 0) {
        tt_hunt_report(ledger->failed[0]);
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
}

static int read_number(const char *text, uint64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoull(text, &end, 10);
    return *text < '0' || *text > '9' || *end || errno ? -1 : 0;
}

int main(int argc, char **argv)
{
    uint64_t numbers[3] = {0, 1, 0};
    struct order order = {0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: prove CASES [SEED [SECONDS]]\n");
        return 1;
    }
    for (int i = 1; i < argc; i++)
        if (read_number(argv[i], &numbers[i - 1]) < 0) {
            fprintf(stderr, "prove: %s is not a number\n", argv[i]);
            return 1;
        }
    if (!numbers[0] && !numbers[2]) {
        fprintf(stderr, "prove: how many cases, or how many seconds?\n");
        return 1;
    }
    order.first = numbers[1];
    order.end = numbers[0] ? numbers[1] + numbers[0] : UINT64_MAX;
    order.deadline = numbers[2] ? seconds_now() + (time_t)numbers[2] : 0;
    order.ledger = mmap(NULL, sizeof(struct ledger), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (order.ledger == MAP_FAILED) {
        fprintf(stderr, "prove: no memory to share: %s\n", strerror(errno));
        return 1;
    }
    atomic_store(&order.ledger->next, order.first);
    if (run(&order, cores < 1 ? 1 : cores > WORKERS ? WORKERS : (int)cores) < 0)
        return 1;
    if (!atomic_load(&order.ledger->failures))
        return report_missing(&order);
    report_failures(order.ledger);
    return 1;
}
