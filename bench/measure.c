/*
 * Runs a program and prints what it took: milliseconds from start to end, milliseconds of the
 * processor, megabytes at its peak, and its exit code. What the program writes to standard output
 * is thrown away.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/stopwatch.h"

static double milliseconds(struct timeval time)
{
    return (double)time.tv_sec * 1000 + (double)time.tv_usec / 1000;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    double start;
    int status;
    pid_t child;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_measure PROGRAM [ARGUMENT...]\n");
        return 1;
    }
    start = tt_stopwatch(CLOCK_MONOTONIC);
    child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
            execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (wait4(child, &status, 0, &usage) != child)
        return 1;
    printf("%.1f %.1f %ld %d\n", tt_stopwatch(CLOCK_MONOTONIC) - start,
           milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime), usage.ru_maxrss / 1024,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
