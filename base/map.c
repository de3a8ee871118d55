/*
 * A hash map with open addressing (FNV-1a, linear probing, at most three quarters full).
 */
#include "base/map.h"

#include <stdint.h>
#include <string.h>

struct tt_map_entry {
    const char *key; /* NULL: free */
    uint64_t hash;
    void *value;
};

void tt_map_init(struct tt_map *map, struct tt_arena *arena)
{
    *map = (struct tt_map){.arena = arena};
}

static uint64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return hash ^ (hash >> 29);
}

/* The entry that holds KEY, or the free one where it belongs. */
static struct tt_map_entry *find(struct tt_map_entry *entries, size_t capacity, const char *key,
                                 uint64_t hash)
{
    size_t at = (size_t)hash & (capacity - 1);

    while (entries[at].key && (entries[at].hash != hash || strcmp(entries[at].key, key) != 0))
        at = (at + 1) & (capacity - 1);
    return &entries[at];
}

static void grow(struct tt_map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : 16;
    struct tt_map_entry *entries = TT_NEW_ARRAY(map->arena, capacity, struct tt_map_entry);

    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].key)
            *find(entries, capacity, map->entries[i].key, map->entries[i].hash) = map->entries[i];
    map->entries = entries;
    map->capacity = capacity;
}

void *tt_map_get(const struct tt_map *map, const char *key)
{
    if (!map->count)
        return NULL;
    return find(map->entries, map->capacity, key, hash_of(key))->value;
}

void *tt_map_put(struct tt_map *map, const char *key, void *value)
{
    struct tt_map_entry *entry;
    uint64_t hash = hash_of(key);
    void *before;

    if (map->count * 4 >= map->capacity * 3)
        grow(map);
    entry = find(map->entries, map->capacity, key, hash);
    before = entry->value;
    if (!entry->key)
        map->count++;
    *entry = (struct tt_map_entry){.key = key, .hash = hash, .value = value};
    return before;
}
