/*
 * What reading costs at the very least: libyaml alone over the specs and jansson alone over the
 * world, without anything of ours. Prints both in milliseconds, the best of five.
 */
#include <jansson.h>
#include <stdio.h>
#include <yaml.h>

#include "base/file.h"
#include "bench/stopwatch.h"

#define LIMIT  ((size_t)1 << 30)
#define ROUNDS 5

static int parse_yaml(const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_event_t event;
    int more = 1;

    if (!yaml_parser_initialize(&parser))
        return -1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    while (more > 0) {
        if (!yaml_parser_parse(&parser, &event)) {
            more = -1;
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return more;
}

static int parse_json(const char *text, size_t size)
{
    json_t *json = json_loadb(text, size, 0, NULL);

    if (!json)
        return -1;
    json_decref(json);
    return 0;
}

static int best_of(int (*parse)(const char *, size_t), const char *path, double *ret_best)
{
    struct tt_error err = {0};
    struct tt_arena arena;
    size_t size;
    char *text;
    int status;

    tt_arena_init(&arena);
    status = tt_file_read(&arena, path, LIMIT, &text, &size, &err);
    if (status < 0)
        fprintf(stderr, "bench_parse: %s\n", err.message);
    for (int i = 0; status == 0 && i < ROUNDS; i++) {
        double start = tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID);

        status = parse(text, size);
        if (i == 0 || tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID) - start < *ret_best)
            *ret_best = tt_stopwatch(CLOCK_PROCESS_CPUTIME_ID) - start;
    }
    tt_arena_release(&arena);
    return status;
}

int main(int argc, char **argv)
{
    double yaml = 0, json = 0;

    if (argc != 3 || best_of(parse_yaml, argv[1], &yaml) < 0 ||
        best_of(parse_json, argv[2], &json) < 0) {
        fprintf(stderr, "usage: bench_parse SPECS.yaml WORLD.json\n");
        return 1;
    }
    printf("%.1f %.1f\n", yaml, json);
    return 0;
}
