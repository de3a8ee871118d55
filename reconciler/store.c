/*
 * The store's file: opened, and made on first use.
 *
 * SQLite in WAL mode with synchronous=FULL: an intent that was written is on the disk before the
 * call that it announces. The file is for its owner alone, as names of machines are nobody else's
 * business.
 */
#include "reconciler/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "reconciler/store_db.h"

#define BUSY_TIMEOUT 10000 /* ms */
#define WAL_TRIES    100
#define WAL_DELAY    20 /* ms */

/* Two processes that open a new file at once collide here without the busy timeout. */
static int enter_wal(struct tt_store *store, struct tt_error *err)
{
    for (int tries = 1;; tries++) {
        int code = sqlite3_exec(store->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);

        if (code == SQLITE_OK)
            return 0;
        if ((code & 0xff) != SQLITE_BUSY || tries == WAL_TRIES)
            return tt_store_fail(store, err);
        sqlite3_sleep(WAL_DELAY);
    }
}

/* SQLite gives its other files the mode of this one. A file that exists is not opened here: to
 * close it would give up the locks of all who have the store open in this process. */
static int touch_file(const char *path, struct tt_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST && access(path, R_OK | W_OK) == 0)
        return 0;
    if (fd < 0)
        return tt_fail_errno(err, TT_ERR_INTERNAL, "cannot open the store %s", path);
    close(fd);
    return 0;
}

static int open_file(struct tt_store *store, struct tt_error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

    if (sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
        return tt_store_fail(store, err);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT);
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return tt_fail(err, TT_ERR_INTERNAL, "cannot write the store %s: it is read-only",
                       store->path);
    if (enter_wal(store, err) < 0 || tt_store_exec(store, "PRAGMA synchronous = FULL", err) < 0)
        return -1;
    return tt_store_check_schema(store, err);
}

static int open_store(const char *path, struct tt_store **ret_store, struct tt_error *err)
{
    struct tt_store *store = calloc(1, sizeof(*store));

    if (!store || !(store->path = strdup(path))) {
        free(store);
        return tt_fail(err, TT_ERR_INTERNAL, "out of memory");
    }
    pthread_mutex_init(&store->lock, NULL);
    store->self = tt_process_self(&store->arena);
    store->user = tt_process_user(&store->arena);
    if (open_file(store, err) < 0) {
        tt_store_close(store);
        return -1;
    }
    *ret_store = store;
    return 0;
}

int tt_store_open(const char *folder, struct tt_store **ret_store, struct tt_error *err)
{
    TT_BUF_AUTO path = {0};

    if (tt_make_folders(folder, 0700, err) < 0)
        return tt_wrap(err, "cannot make the state folder");
    tt_buf_addf(&path, "%s/store.db", folder);
    if (touch_file(tt_buf_text(&path), err) < 0)
        return -1;
    return open_store(tt_buf_text(&path), ret_store, err);
}

int tt_store_open_memory(struct tt_store **ret_store, struct tt_error *err)
{
    return open_store(":memory:", ret_store, err);
}

void tt_store_use_clock(struct tt_store *store, const struct tt_clock *clock)
{
    store->clock = store->self.boot[0] ? clock : NULL;
}

void tt_store_close(struct tt_store *store)
{
    if (!store)
        return;
    tt_store_forget_prepared(store);
    sqlite3_close(store->db);
    pthread_mutex_destroy(&store->lock);
    tt_arena_release(&store->arena);
    free(store->path);
    free(store);
}
