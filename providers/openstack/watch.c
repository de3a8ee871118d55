/*
 * Watch: a round that begins after somebody came to wait is good for them; one that was under way
 * is not, since it may tell what was before.
 */
#include "providers/openstack/watch.h"

#define PAUSE 500

void tt_openstack_watch_init(struct tt_openstack_watch *watch)
{
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->changed, NULL);
}

void tt_openstack_watch_release(struct tt_openstack_watch *watch)
{
    json_decref(watch->items);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
}

/* The lock is held when it is called and when it returns. */
static void go_round(struct tt_openstack_watch *watch, const struct tt_clock *clock,
                     int (*fetch)(const void *self, json_t **ret_items, struct tt_error *err),
                     const void *self)
{
    struct tt_error error = {0};
    json_t *items = NULL;
    unsigned long round;

    pthread_mutex_unlock(&watch->lock);
    clock->sleep(clock->self, PAUSE);
    pthread_mutex_lock(&watch->lock);
    round = ++watch->begun;
    pthread_mutex_unlock(&watch->lock);
    fetch(self, &items, &error);
    pthread_mutex_lock(&watch->lock);
    json_decref(watch->items);
    watch->items = items;
    watch->error = error;
    watch->ended = round;
    pthread_cond_broadcast(&watch->changed);
}

int tt_openstack_look(struct tt_openstack_watch *watch, const struct tt_clock *clock,
                      int (*fetch)(const void *self, json_t **ret_items, struct tt_error *err),
                      const void *self, json_t **ret_items, struct tt_error *err)
{
    unsigned long wanted;
    int result = 0;

    pthread_mutex_lock(&watch->lock);
    wanted = watch->begun + 1;
    while (watch->ended < wanted) {
        if (!watch->asking) {
            watch->asking = true;
            go_round(watch, clock, fetch, self);
            watch->asking = false;
        } else {
            pthread_cond_wait(&watch->changed, &watch->lock);
        }
    }
    if (watch->items)
        *ret_items = json_incref(watch->items);
    else
        result = -1;
    if (result < 0 && err)
        *err = watch->error;
    pthread_mutex_unlock(&watch->lock);
    return result;
}
