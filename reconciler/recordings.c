/*
 * The shelf of recordings. A recording is written under a name that nobody asks for and renamed
 * when it is whole; processes that record at once do not disturb each other.
 */
#include "reconciler/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define MOST_OF_A_KIND 100
#define MOST_BYTES     (INT64_C(256) << 20)
#define UNFINISHED     "unfinished-"
#define HOUR_SECONDS   3600
#define ATTEMPTS       100

struct shelved {
    const char *name;
    int64_t number;
    bool is_run;
    struct timespec made;
};

typedef TT_VEC(struct shelved) shelved_list;

/* --- names ----------------------------------------------------------------------------------- */

/* The number in "17" or "p17"; 0: it is no such name. */
static int64_t number_of(const char *name)
{
    const char *digits = name + (*name == 'p');
    size_t length = strlen(digits);

    if (!length || length > 18 || *digits == '0' || digits[strspn(digits, "0123456789")])
        return 0;
    return strtoll(digits, NULL, 10);
}

bool tt_recordings_is_name(const char *name)
{
    return number_of(name) > 0;
}

static const char *shelf_of(struct tt_arena *arena, const char *state_folder)
{
    return tt_printf(arena, "%s/recordings", state_folder);
}

const char *tt_recordings_find(struct tt_arena *arena, const char *state_folder, const char *name)
{
    const char *folder = tt_printf(arena, "%s/recordings/%s", state_folder, name);

    return access(folder, F_OK) == 0 ? folder : NULL;
}

/* --- what is there --------------------------------------------------------------------------- */

static int by_age(const void *a, const void *b)
{
    const struct shelved *one = a, *other = b;

    if (one->made.tv_sec != other->made.tv_sec)
        return one->made.tv_sec > other->made.tv_sec ? -1 : 1;
    if (one->made.tv_nsec != other->made.tv_nsec)
        return one->made.tv_nsec > other->made.tv_nsec ? -1 : 1;
    return one->number > other->number ? -1 : one->number < other->number;
}

/* Everything on SHELF, the newest first: numbers start again when the store is lost. What a dead
 * process left unfinished is removed. */
static int read_shelf(struct tt_arena *arena, const char *shelf, shelved_list *ret_list,
                      struct tt_error *err)
{
    DIR *dir = opendir(shelf);
    const struct dirent *entry;

    if (!dir)
        return errno == ENOENT ? 0 : tt_fail_errno(err, TT_ERR_INTERNAL, "cannot read %s", shelf);
    while ((entry = readdir(dir))) {
        struct stat st;
        int64_t number = number_of(entry->d_name);

        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISDIR(st.st_mode))
            continue;
        if (number)
            *TT_VEC_ADD(arena, ret_list) = (struct shelved){
                .name = tt_strdup(arena, entry->d_name),
                .number = number,
                .is_run = entry->d_name[0] != 'p',
                .made = st.st_mtim,
            };
        else if (tt_starts_with(entry->d_name, UNFINISHED) &&
                 time(NULL) - st.st_mtim.tv_sec > HOUR_SECONDS)
            tt_remove_tree(tt_printf(arena, "%s/%s", shelf, entry->d_name), NULL);
    }
    closedir(dir);
    if (ret_list->count > 1)
        qsort(ret_list->items, ret_list->count, sizeof(*ret_list->items), by_age);
    return 0;
}

int tt_recordings_plans(struct tt_arena *arena, const char *state_folder, struct tt_strings *ret,
                        struct tt_error *err)
{
    shelved_list list = {0};

    if (read_shelf(arena, shelf_of(arena, state_folder), &list, err) < 0)
        return -1;
    TT_EACH (one, &list)
        if (!one->is_run)
            tt_strings_add(arena, ret, one->name);
    return 0;
}

/* --- what is kept ---------------------------------------------------------------------------- */

static int64_t size_of(const char *folder)
{
    static const char *const files[] = {"about.txt",      "desired.json",     "world.json",
                                        "memory.json",    "options.json",     "expected/plan.json",
                                        "recording.json", "expected/plan.txt"};
    int64_t size = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    for (size_t i = 0; fd >= 0 && i < sizeof(files) / sizeof(files[0]); i++)
        if (fstatat(fd, files[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            size += st.st_size;
    if (fd >= 0)
        close(fd);
    return size;
}

/* Another process may do the same at the same time: what is gone is gone. */
static void drop_old(struct tt_arena *arena, const char *shelf)
{
    int64_t size = 0;
    int runs = 0, plans = 0;
    shelved_list list = {0};
    bool first = true;

    if (read_shelf(arena, shelf, &list, NULL) < 0)
        return;
    TT_EACH (one, &list) {
        const char *folder = tt_printf(arena, "%s/%s", shelf, one->name);
        int count = one->is_run ? ++runs : ++plans;

        size += size_of(folder);
        if (!first && (count > MOST_OF_A_KIND || size > MOST_BYTES))
            tt_remove_tree(folder, NULL);
        first = false;
    }
}

/* --- adding ---------------------------------------------------------------------------------- */

static int put_run(struct tt_arena *arena, const char *shelf, const char *folder, int64_t run,
                   const char **ret_name, struct tt_error *err)
{
    const char *name = tt_printf(arena, "%" PRId64, run);
    const char *place = tt_printf(arena, "%s/%s", shelf, name);

    /* of a store that was lost */
    if (tt_remove_tree(place, err) < 0)
        return -1;
    if (rename(folder, place) < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make %s", place);
    *ret_name = name;
    return 0;
}

/* Under the next number; another process may have taken it. */
static int put_plan(struct tt_arena *arena, const char *shelf, const char *folder,
                    const char **ret_name, struct tt_error *err)
{
    shelved_list list = {0};
    int64_t last = 0;

    if (read_shelf(arena, shelf, &list, err) < 0)
        return -1;
    TT_EACH (one, &list)
        if (!one->is_run && one->number > last)
            last = one->number;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const char *name = tt_printf(arena, "p%" PRId64, last + attempt);

        if (rename(folder, tt_printf(arena, "%s/%s", shelf, name)) == 0) {
            *ret_name = name;
            return 0;
        }
        if (errno != EEXIST && errno != ENOTEMPTY)
            break;
    }
    return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot put a recording into %s", shelf);
}

int tt_recordings_add(struct tt_arena *arena, const char *state_folder, int64_t run,
                      const struct tt_recording *recording, const struct tt_plan *plan,
                      const char **ret_name, struct tt_error *err)
{
    const char *shelf = shelf_of(arena, state_folder);
    char *folder = tt_printf(arena, "%s/" UNFINISHED "XXXXXX", shelf);
    int result;

    if (tt_make_folders(shelf, 0700, err) < 0)
        return -1;
    if (!mkdtemp(folder))
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot make a folder in %s", shelf);
    result = tt_recording_write(folder, recording, plan, err);
    if (result == 0)
        result = run ? put_run(arena, shelf, folder, run, ret_name, err)
                     : put_plan(arena, shelf, folder, ret_name, err);
    if (result < 0)
        tt_remove_tree(folder, NULL);
    else
        drop_old(arena, shelf);
    return result;
}
