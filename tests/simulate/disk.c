/*
 * Disk: a VFS of SQLite. A file is bytes in memory, found by its name; what connections have of it
 * are handles. Locks are worked out from the handles of the same file: these are few.
 */
#include "tests/simulate/disk.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES      8
#define NAME       200
#define REGIONS    8
#define FIRST_ROOM 65536

struct handle;

struct file {
    char name[NAME]; /* "": free */
    unsigned char *bytes;
    int64_t size, room;
    struct handle *handles;
    unsigned char *regions[REGIONS];
    int mapped; /* handles that use the regions */
};

struct handle {
    sqlite3_file base;
    struct file *file;
    struct handle *next;
    int level;                  /* SQLITE_LOCK_... */
    unsigned shared, exclusive; /* of the shared index, a bit for each lock */
    bool mapped, forgotten;     /* forgotten: the file goes with its only handle */
};

struct image {
    char name[NAME];
    unsigned char *bytes;
    int64_t size;
};

static struct file files[FILES];
static struct image kept[FILES];
static int writes_left = -1;
static bool refused;

static struct file *find(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (files[i].name[0] && strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

static struct file *make(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (!files[i].name[0]) {
            if (strlen(name) >= NAME)
                break;
            memcpy(files[i].name, name, strlen(name) + 1);
            return &files[i];
        }
    fprintf(stderr, "not a file of a store, or one too many: %s\n", name);
    abort();
}

/* The bytes are kept for the next file. */
static void end(struct file *file)
{
    file->name[0] = '\0';
    file->size = 0;
}

static void resize(struct file *file, int64_t size)
{
    if (size > file->room) {
        int64_t room = file->room ? file->room : FIRST_ROOM;

        while (room < size)
            room *= 2;
        file->bytes = realloc(file->bytes, (size_t)room);
        if (!file->bytes)
            abort();
        file->room = room;
    }
    if (size > file->size)
        memset(file->bytes + file->size, 0, (size_t)(size - file->size));
    file->size = size;
}

/* --- a handle -------------------------------------------------------------------------------- */

static int disk_shm_unmap(sqlite3_file *base, int drop)
{
    struct handle *handle = (struct handle *)base;
    struct file *file = handle->file;

    (void)drop;
    handle->shared = handle->exclusive = 0;
    if (!handle->mapped)
        return SQLITE_OK;
    handle->mapped = false;
    if (--file->mapped)
        return SQLITE_OK;
    for (int i = 0; i < REGIONS; i++) {
        free(file->regions[i]);
        file->regions[i] = NULL;
    }
    return SQLITE_OK;
}

static int disk_close(sqlite3_file *base)
{
    struct handle *handle = (struct handle *)base, **at = &handle->file->handles;

    disk_shm_unmap(base, 0);
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    if (handle->forgotten)
        end(handle->file);
    return SQLITE_OK;
}

static int disk_read(sqlite3_file *base, void *buffer, int count, sqlite3_int64 from)
{
    const struct file *file = ((struct handle *)base)->file;
    int64_t there = file->size > from ? file->size - from : 0;

    if (there >= count) {
        memcpy(buffer, file->bytes + from, (size_t)count);
        return SQLITE_OK;
    }
    memset(buffer, 0, (size_t)count);
    if (there)
        memcpy(buffer, file->bytes + from, (size_t)there);
    return SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 to)
{
    struct file *file = ((struct handle *)base)->file;

    if (writes_left == 0) {
        refused = true;
        return SQLITE_FULL;
    }
    if (writes_left > 0)
        writes_left--;
    if (to + count > file->size)
        resize(file, to + count);
    memcpy(file->bytes + to, bytes, (size_t)count);
    return SQLITE_OK;
}

static int disk_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = ((struct handle *)base)->file;

    if (size < file->size)
        resize(file, size);
    return SQLITE_OK;
}

static int disk_sync(sqlite3_file *base, int flags)
{
    (void)base;
    (void)flags;
    return SQLITE_OK;
}

static int disk_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    *ret_size = ((struct handle *)base)->file->size;
    return SQLITE_OK;
}

/* The highest lock that others have. */
static int level_of_others(const struct handle *handle)
{
    int level = SQLITE_LOCK_NONE;

    for (const struct handle *other = handle->file->handles; other; other = other->next)
        if (other != handle && other->level > level)
            level = other->level;
    return level;
}

static int disk_lock(sqlite3_file *base, int level)
{
    struct handle *handle = (struct handle *)base;
    int others = level_of_others(handle);

    if (level <= handle->level)
        return SQLITE_OK;
    if ((level == SQLITE_LOCK_SHARED && others >= SQLITE_LOCK_PENDING) ||
        (level > SQLITE_LOCK_SHARED && others >= SQLITE_LOCK_RESERVED))
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
        handle->level = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
    }
    handle->level = level;
    return SQLITE_OK;
}

static int disk_unlock(sqlite3_file *base, int level)
{
    ((struct handle *)base)->level = level;
    return SQLITE_OK;
}

static int disk_check_reserved(sqlite3_file *base, int *ret_reserved)
{
    *ret_reserved = level_of_others((struct handle *)base) >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

static int disk_control(sqlite3_file *base, int what, void *argument)
{
    (void)base;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int disk_sector_size(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int disk_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int disk_shm_map(sqlite3_file *base, int region, int size, int extend,
                        void volatile **ret_region)
{
    struct handle *handle = (struct handle *)base;
    struct file *file = handle->file;

    if (!handle->mapped) {
        handle->mapped = true;
        file->mapped++;
    }
    if (region >= REGIONS)
        return SQLITE_IOERR_NOMEM;
    if (!file->regions[region] && extend && !(file->regions[region] = calloc(1, (size_t)size)))
        return SQLITE_IOERR_NOMEM;
    *ret_region = file->regions[region];
    return SQLITE_OK;
}

static int disk_shm_lock(sqlite3_file *base, int first, int count, int flags)
{
    struct handle *handle = (struct handle *)base;
    unsigned bits = ((1u << count) - 1) << first;

    if (flags & SQLITE_SHM_UNLOCK) {
        handle->shared &= ~bits;
        handle->exclusive &= ~bits;
        return SQLITE_OK;
    }
    for (const struct handle *other = handle->file->handles; other; other = other->next)
        if (other != handle &&
            (other->exclusive & bits || (flags & SQLITE_SHM_EXCLUSIVE && other->shared & bits)))
            return SQLITE_BUSY;
    if (flags & SQLITE_SHM_EXCLUSIVE)
        handle->exclusive |= bits;
    else
        handle->shared |= bits;
    return SQLITE_OK;
}

static void disk_shm_barrier(sqlite3_file *base)
{
    (void)base;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_check_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector_size,
    .xDeviceCharacteristics = disk_characteristics,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* --- the disk -------------------------------------------------------------------------------- */

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    struct handle *handle = (struct handle *)base;
    struct file *file = name ? find(name) : NULL;

    (void)vfs;
    if (!file)
        file = make(name ? name : "a temporary one");
    *handle = (struct handle){.base.pMethods = &methods,
                              .file = file,
                              .next = file->handles,
                              .forgotten = !name || flags & SQLITE_OPEN_DELETEONCLOSE};
    file->handles = handle;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct file *file = find(name);

    (void)vfs;
    (void)sync;
    if (!file)
        return SQLITE_IOERR_DELETE_NOENT;
    end(file);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_there)
{
    (void)vfs;
    (void)flags;
    *ret_there = find(name) != NULL;
    return SQLITE_OK;
}

static int disk_full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret_name)
{
    (void)vfs;
    sqlite3_snprintf(size, ret_name, "%s", name);
    return SQLITE_OK;
}

void disk_install(void)
{
    static sqlite3_vfs disk;

    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    disk = *sqlite3_vfs_find(NULL);
    disk.szOsFile = sizeof(struct handle);
    disk.mxPathname = NAME;
    disk.zName = "simulated";
    disk.xOpen = disk_open;
    disk.xDelete = disk_delete;
    disk.xAccess = disk_access;
    disk.xFullPathname = disk_full_name;
    sqlite3_vfs_register(&disk, 1);
}

void disk_clear(void)
{
    for (int i = 0; i < FILES; i++)
        if (!files[i].handles)
            end(&files[i]);
}

void disk_keep(void)
{
    for (int i = 0; i < FILES; i++) {
        free(kept[i].bytes);
        memcpy(kept[i].name, files[i].name, NAME);
        kept[i].size = files[i].size;
        kept[i].bytes = malloc((size_t)files[i].size + 1);
        if (!kept[i].bytes)
            abort();
        if (files[i].size)
            memcpy(kept[i].bytes, files[i].bytes, (size_t)files[i].size);
    }
}

void disk_restore(void)
{
    disk_clear();
    for (int i = 0; i < FILES; i++)
        if (kept[i].name[0]) {
            struct file *file = make(kept[i].name);

            resize(file, kept[i].size);
            memcpy(file->bytes, kept[i].bytes, (size_t)kept[i].size);
        }
}

void disk_fill(int writes)
{
    writes_left = writes;
    refused = false;
}

bool disk_refused(void)
{
    return refused;
}
