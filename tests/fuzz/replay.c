/*
 * Replays a corpus: every file of the folder that is named goes through the fuzz target that this
 * is linked with, so that what a fuzzer once found stays found in every build and sanitizer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One input; false when its file could not be read. */
static bool replay(const char *folder, const char *name)
{
    struct tt_arena arena;
    struct tt_error err = {0};
    char *text;
    size_t size;
    bool read;

    tt_arena_init(&arena);
    read = tt_file_read(&arena, tt_printf(&arena, "%s/%s", folder, name), 1u << 20, &text, &size,
                        &err) == 0;
    if (read) {
        printf("%s\n", name);
        fflush(stdout);
        LLVMFuzzerTestOneInput((const uint8_t *)text, size);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    tt_arena_release(&arena);
    return read;
}

int main(int argc, char **argv)
{
    struct dirent **files;
    int count = argc == 2 ? scandir(argv[1], &files, NULL, alphasort) : -1;
    int replayed = 0;
    bool failed = false;

    if (count < 0) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        if (files[i]->d_name[0] != '.') {
            failed = !replay(argv[1], files[i]->d_name) || failed;
            replayed++;
        }
        free(files[i]);
    }
    free(files);
    if (failed || replayed == 0)
        return 1;
    printf("ok - %d inputs replayed\n", replayed);
    return 0;
}
