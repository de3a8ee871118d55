/*
 * Cloud: what the files of the local provider share.
 *
 *     places.c     folders and locks          meta.c       meta.json of a machine
 *     region.c     the machines of a region   network.c    subnets and free addresses
 *     template.c   from template to command   supervisor.c the process that keeps a machine
 *     process.c    alive, start, stop         sweep.c      processes that escaped
 *     steer.c      connections while an address moves
 *     create.c, machines.c, observe.c, elastic.c, run.c    the members of the provider
 */
#ifndef TT_PROVIDERS_LOCAL_CLOUD_H
#define TT_PROVIDERS_LOCAL_CLOUD_H

#include <sys/types.h>

#include "providers/local/local.h"

/* An open account. */
struct tt_local {
    struct tt_provider base;
    const struct tt_account *account;
    const char *owner;
    const char *base_folder; /* NULL: none */
    const struct tt_clock *clock;
    const char *folder; /* of the account; absolute */
};

/* A machine as its meta.json describes it. */
struct tt_local_machine {
    const char *folder;
    const char *root;
    struct tt_server server;
    int port;                  /* 0: none */
    const char *token;         /* the client token it was made with; NULL: none */
    bool stopped;              /* on purpose */
    struct tt_strings command; /* what it runs, nothing left to substitute */
};

struct tt_local_machines {
    struct tt_local_machine *items;
    size_t count;
    size_t capacity;
};

/* --- places.c --- */

/* "file:///folder" or the place below the state folder. SPEC: neither can be used. */
int tt_local_account_folder(const struct tt_provider_settings *settings, struct tt_arena *arena,
                            const char **ret_folder, struct tt_error *err);
/* SPEC: the account has no such region. */
int tt_local_region_folder(const struct tt_local *cloud, const char *region, struct tt_arena *arena,
                           const char **ret_folder, struct tt_error *err);
/* Names of what is in FOLDER, sorted, without those that begin with a dot; a folder that does not
 * exist is empty. */
int tt_local_list(const char *folder, struct tt_arena *arena, struct tt_strings *ret_names,
                  struct tt_error *err);
/* Waits for an exclusive lock on PATH, which is made when it is missing. NOT_FOUND: its folder
 * does not exist. */
int tt_local_lock(const char *path, int *ret_fd, struct tt_error *err);
void tt_local_unlock(const int *fd);
/* Whether somebody holds the lock; false when there is no such file. */
bool tt_local_is_locked(const char *path);

#define TT_LOCAL_LOCK __attribute__((cleanup(tt_local_unlock))) int

/* --- meta.c --- */

int tt_local_meta_write(const struct tt_local_machine *machine, struct tt_error *err);
/* NOT_FOUND: there is no meta.json in FOLDER. */
int tt_local_meta_read(const char *folder, const char *id, struct tt_arena *arena,
                       struct tt_local_machine *ret_machine, struct tt_error *err);

/* --- region.c --- */

/* All machines of a region, without the half-made ones. */
int tt_local_machines(const char *region_folder, struct tt_arena *arena,
                      struct tt_local_machines *ret_machines, struct tt_error *err);
/* NOT_FOUND: there is none. */
int tt_local_find(const struct tt_local *cloud, const char *region, const char *id,
                  struct tt_arena *arena, struct tt_local_machine *ret_machine,
                  struct tt_error *err);
/* As tt_local_find, with the lock under which a machine is changed. */
int tt_local_take(const struct tt_local *cloud, const char *region, const char *id,
                  struct tt_arena *arena, struct tt_local_machine *ret_machine, int *ret_lock,
                  struct tt_error *err);
/* Removes what a crash left of machines that were never described. The region is locked. */
int tt_local_remove_half_made(const char *region_folder, struct tt_arena *arena,
                              struct tt_error *err);

/* --- network.c --- */

/* The lowest free address of the zone, given the account's machines. The region is locked.
 * CONFLICT (no-capacity): the subnet is full. SPEC: this user cannot listen on PORT. */
int tt_local_free_address(const struct tt_local *cloud, const char *region, const char *zone,
                          int port, struct tt_arena *arena, const char **ret_address,
                          struct tt_error *err);

/* --- template.c --- */

/* SPEC: there is none of this name. */
int tt_local_template(const struct tt_local *cloud, const char *name,
                      const struct tt_local_template **ret_template, struct tt_error *err);
/* What MACHINE is to run; SPEC: the program does not exist. */
int tt_local_command(const struct tt_local *cloud, const struct tt_local_template *template,
                     const struct tt_local_machine *machine, struct tt_arena *arena,
                     struct tt_strings *ret_command, struct tt_error *err);
/* Its environment beside that of tt_shell_environment. */
struct tt_strings tt_local_environment(const struct tt_local_machine *machine,
                                       struct tt_arena *arena);

/* --- supervisor.c --- */

/* What a supervisor is started with: all that needs memory is made before the fork. */
struct tt_local_launch {
    const char *id;
    const char *lock; /* paths */
    const char *pid;
    const char *log;
    const char *root;
    char *const *argv; /* argv[0] is a path */
    char *const *environment;
};

/* How far it came. */
enum tt_local_stage {
    TT_LOCAL_RUNS,
    TT_LOCAL_FORK,
    TT_LOCAL_LOCKING,
    TT_LOCAL_FILES,
    TT_LOCAL_EXEC
};

struct tt_local_report {
    enum tt_local_stage stage;
    int error; /* errno */
};

/* Starts a supervisor that outlives this process; returns when its program runs or could not. */
struct tt_local_report tt_local_supervise(const struct tt_local_launch *launch);

/* --- steer.c --- */

#define TT_LOCAL_LISTENERS 256

struct tt_local_listeners {
    int fds[TT_LOCAL_LISTENERS];
    size_t count;
};

/* Copies of the sockets on which MACHINE's HAProxy listens at ADDRESS: none when it is none or does
 * not run. To be closed. */
void tt_local_listeners_open(const struct tt_local_machine *machine, const char *address,
                             struct tt_arena *arena, struct tt_local_listeners *ret_listeners);
void tt_local_listeners_close(struct tt_local_listeners *listeners);
/* From now on new connections go to the socket that came as number INDEX, from 0, to the address
 * and port of each of LISTENERS. */
void tt_local_listeners_steer(const struct tt_local_listeners *listeners, size_t index);
/* Waits until nobody waits to be accepted, at most a second. */
void tt_local_listeners_settle(const struct tt_local_listeners *listeners);

/* --- process.c --- */

bool tt_local_is_alive(const struct tt_local_machine *machine);
/* SPEC: its program cannot be run. */
int tt_local_start(const struct tt_local_machine *machine, struct tt_arena *arena,
                   struct tt_error *err);
/* Ends everything that belongs to the machine; at once when FORCE, else it is asked first. */
int tt_local_end(const struct tt_local_machine *machine, bool force, struct tt_error *err);
/* When PID was started, in ticks since boot. -1: it is dead. */
long long tt_local_start_time(pid_t pid);
/* Reads a small file of /proc without allocating; "" when it cannot be read. */
void tt_local_read_small(const char *path, char *text, size_t size);

/* --- sweep.c --- */

/* Kills every process that carries TRIMTAB_MACHINE=ID, until none is left. Allocates nothing.
 * False: after PATIENCE some were still there. */
bool tt_local_sweep(const char *id, tt_time patience);

/* --- the members --- */

int tt_local_observe(struct tt_provider *provider, const struct tt_observe_request *request,
                     struct tt_arena *arena, struct tt_region *ret_region, struct tt_error *err);
int tt_local_create_server(struct tt_provider *provider, const struct tt_create_request *request,
                           struct tt_arena *arena, const char **ret_id, struct tt_error *err);
int tt_local_delete_server(struct tt_provider *provider, const char *region, const char *id,
                           struct tt_error *err);
int tt_local_start_server(struct tt_provider *provider, const char *region, const char *id,
                          struct tt_error *err);
int tt_local_fence(struct tt_provider *provider, const char *region, const char *id,
                   struct tt_error *err);
int tt_local_tag(struct tt_provider *provider, const char *region, const char *id,
                 const struct tt_tags *tags, struct tt_error *err);
int tt_local_move_address(struct tt_provider *provider, const char *region, const char *address,
                          const char *machine, struct tt_error *err);
int tt_local_run(struct tt_provider *provider, const struct tt_run_request *request,
                 struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err);
/* As run, on a machine at hand. */
int tt_local_run_on(const struct tt_local_machine *machine, const struct tt_run_request *request,
                    struct tt_arena *arena, struct tt_run_result *ret_result, struct tt_error *err);

#endif
