/* trace_store.c - finding the store of a survey, or having it built, by one process at a time. */
#include "survey/trace_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file_lock.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "base/timer.h"
#include "survey/trace_store_build.h"
#include "survey/trace_store_identity.h"
#include "survey/trace_store_inside.h"
#include "survey/traces_inside.h"

enum { DEFAULT_MEMORY = 256 << 20, META_BYTES = 4096 };

moho_trace_store_options moho_trace_store_options_default(void) {
  return (moho_trace_store_options){0};
}

static moho_trace_store_options settle(const moho_trace_store_options *given) {
  moho_trace_store_options options = given ? *given : moho_trace_store_options_default();
  if (!options.memory_bytes) options.memory_bytes = DEFAULT_MEMORY;
  return options;
}

static int is_there(const char *path) {
  struct stat status;
  return stat(path, &status) == 0;
}

static void remove_all(const char *path) {
  char *copy = strdup(path);
  moho_directory_discard(&copy);
}

static uint64_t disk_bytes(uint64_t n_traces, uint64_t n_samples, uint64_t n_cells) {
  return n_traces * n_samples * sizeof(float) + moho_store_column_at(MOHO_STORE_COLUMNS, n_traces, n_cells) + META_BYTES;
}

/* ---- a store that is there ---- */

void moho_trace_store_close(moho_trace_store **store) {
  if (!*store) return;
  if ((*store)->file >= 0) close((*store)->file);
  moho_store_map_close(&(*store)->map);
  free((*store)->path);
  free((*store)->samples_path);
  free(*store);
  *store = NULL;
}

static moho_status damaged(const char *path, const char *why) {
  return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_FORMAT, "%s: %s", path, why);
}

static moho_status open_samples(moho_trace_store *store) {
  const moho_store_meta *m = &store->meta;
  char why[120];
  MOHO_TRY(moho_store_path(store->path, "samples.bin", &store->samples_path));
  uint64_t bytes = moho_file_state_of(store->samples_path).bytes, expected = m->n_traces * m->n_samples * sizeof(float);
  store->file = open(store->samples_path, O_RDONLY | O_CLOEXEC);
  if (store->file < 0) return damaged(store->samples_path, "cannot be opened");
  if (bytes == expected) return MOHO_OK;
  snprintf(why, sizeof why, "holds %" PRIu64 " bytes, expected %" PRIu64, bytes, expected);
  return damaged(store->samples_path, why);
}

static moho_status load_files(moho_trace_store *store, const char *identity, int *found) {
  uint64_t checksum;
  MOHO_TRY(moho_store_meta_read(store->path, &store->meta, found));
  if (!*found) return is_there(store->path) ? damaged(store->path, "has no meta.json") : MOHO_OK;
  if (strcmp(store->meta.identity, identity) != 0) return damaged(store->path, "is of another survey");
  MOHO_TRY(moho_store_map_open(store->path, store->meta.n_traces, store->meta.n_cells, &store->map));
  MOHO_TRY(moho_store_geometry_checksum(store->path, &checksum));
  if (checksum != store->meta.geometry_checksum) return damaged(store->path, "geometry.bin was changed (its checksum differs)");
  return open_samples(store);
}

/* *out NULL: there is none, or it is damaged: MOHO_ERROR_FORMAT. */
static moho_status load(const char *path, const char *identity, moho_trace_store **out) {
  moho_trace_store *store;
  int found = 0;
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *store, "trace store", &store));
  store->file = -1;
  store->path = strdup(path);
  moho_status status =
      store->path ? load_files(store, identity, &found) : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (status || !found) {
    moho_trace_store_close(&store);
    return status;
  }
  const moho_store_meta *m = &store->meta;
  store->info = (moho_trace_store_info){.path = store->path,
                                        .n_traces = m->n_traces,
                                        .n_samples = m->n_samples,
                                        .dt_s = m->dt_s,
                                        .n_cells = m->n_cells,
                                        .cell_m = m->cell_m,
                                        .disk_bytes = disk_bytes(m->n_traces, m->n_samples, m->n_cells)};
  *out = store;
  return MOHO_OK;
}

/* ---- stores that are of no use any more ---- */

/* A store of this very file as it was before it changed. */
static int is_outdated(const char *path, const moho_store_meta *of) {
  moho_store_meta meta;
  int found;
  if (moho_store_meta_read(path, &meta, &found) || !found) return 0;
  return strcmp(meta.source, of->source) == 0 && !moho_file_state_equal(meta.state, of->state);
}

static int is_identity(const char *name) {
  return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

static int holds_stores(const char *place) {
  int holds = 0;
  DIR *directory = opendir(place);
  for (struct dirent *entry; directory && !holds && (entry = readdir(directory));) holds = is_identity(entry->d_name);
  if (directory) closedir(directory);
  return holds;
}

/* Stores may be used where none may be written. */
moho_status moho_trace_store_check_place(const char *place) {
  if (!moho_directory_check(place)) return MOHO_OK;
  if (!holds_stores(place)) return moho_last_error()->code;
  moho_error_take();
  return MOHO_OK;
}

/* Bytes of outdated stores in the place; with `remove` they go. *n: how many. */
static uint64_t outdated_stores(const char *place, const moho_store_meta *of, int remove, size_t *n) {
  uint64_t bytes = 0;
  DIR *directory = opendir(place);
  *n = 0;
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    char *path = NULL;
    if (!is_identity(entry->d_name) || moho_store_path(place, entry->d_name, &path)) continue;
    if (is_outdated(path, of)) {
      ++*n;
      bytes += moho_file_state_of(path).bytes;
      if (remove) remove_all(path);
    }
    free(path);
  }
  if (directory) closedir(directory);
  return bytes;
}

/* What builds of this store left that were killed: nobody else builds it while its lock is held. */
static void remove_partials(const char *place, const char *identity) {
  DIR *directory = opendir(place);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    char *path = NULL;
    if (strncmp(entry->d_name, identity, 64) != 0 || !strchr(entry->d_name, '-')) continue;
    if (!moho_store_path(place, entry->d_name, &path)) remove_all(path);
    free(path);
  }
  if (directory) closedir(directory);
}

/* ---- planning ---- */

/* The nearest directory above that exists: its disk is meant. */
static uint64_t room_at(const char *place) {
  char path[1024];
  snprintf(path, sizeof path, "%s", place);
  while (!is_there(path)) {
    char *slash = strrchr(path, '/');
    if (!slash) return moho_disk_free(".");
    if (slash == path) return moho_disk_free("/");
    *slash = '\0';
  }
  return moho_disk_free(path);
}

static moho_status plan_for(const moho_trace_source *source, const moho_trace_store_options *options, moho_store_meta *meta,
                            moho_store_budget *budget, moho_trace_store_plan *out) {
  const moho_geometry *g = moho_traces_get_geometry(source->traces);
  size_t n_outdated;
  if (!options->directory || !*options->directory)
    return moho_fail(MOHO_ERROR_ARGUMENT, "no place was named for the trace store");
  *meta = (moho_store_meta){0};
  MOHO_TRY(moho_store_identify(source, meta));
  MOHO_TRY(moho_store_budget_make(source, options, budget));
  *out = (moho_trace_store_plan){.n_traces = moho_trace_count_stored(g), .memory_bytes = budget->bytes};
  snprintf(out->path, sizeof out->path, "%s/%s", options->directory, meta->identity);
  out->disk_bytes = disk_bytes(out->n_traces, moho_traces_get_info(source->traces)->n_samples, budget->cells_most);
  out->free_bytes = room_at(options->directory);
  uint64_t outdated = outdated_stores(options->directory, meta, 0, &n_outdated);
  if (out->free_bytes <= UINT64_MAX - outdated) out->free_bytes += outdated;
  return MOHO_OK;
}

moho_status moho_trace_store_make_plan(const moho_trace_source *source, const moho_trace_store_options *given,
                                       moho_trace_store_plan *out) {
  moho_trace_store_options options = settle(given);
  moho_store_meta meta, there;
  moho_store_budget budget;
  MOHO_TRY(plan_for(source, &options, &meta, &budget, out));
  if (moho_store_meta_read(out->path, &there, &out->exists)) out->exists = 0; /* damaged: it will be built */
  return MOHO_OK;
}

static moho_status check_room(const moho_trace_store_plan *plan, const char *place) {
  char needed[32], there[32];
  if (plan->disk_bytes <= plan->free_bytes) return MOHO_OK;
  return moho_fail_at((moho_place){.file = place, .key = "execution.store"},
                      "free some space, or name a directory on another disk: execution.store", MOHO_ERROR_TOO_LARGE,
                      "%s: the trace store takes %s, %s are free", place, moho_bytes_text((double)plan->disk_bytes, needed),
                      moho_bytes_text((double)plan->free_bytes, there));
}

/* ---- building ---- */

static moho_status build_store(const moho_trace_source *source, const moho_trace_store_options *options,
                               const moho_store_budget *budget, const char *path, moho_store_meta *meta) {
  char *temporary;
  MOHO_TRY(moho_directory_begin(path, &temporary));
  moho_status status = moho_store_build(source, options, budget, temporary, meta);
  if (!status) status = moho_directory_sync(temporary); /* its files are; a name that is lost with the power is built again */
  if (!status) return moho_directory_commit(path, &temporary);
  moho_error error = moho_error_take();
  moho_directory_discard(&temporary);
  return moho_error_set(&error);
}

/* The lock is held. What lies there and is of no use goes first; note says so. */
static moho_status build_alone(const moho_trace_source *source, const moho_trace_store_options *options,
                               const moho_store_budget *budget, const moho_trace_store_plan *plan, moho_store_meta *meta,
                               char note[300]) {
  moho_trace_store_plan now = *plan;
  size_t n_outdated;
  char size[32];
  remove_partials(options->directory, meta->identity);
  if (is_there(plan->path)) remove_all(plan->path); /* damaged, or it would have been used */
  uint64_t outdated = outdated_stores(options->directory, meta, 1, &n_outdated);
  if (n_outdated && !note[0])
    snprintf(note, 300, "the trace file changed: %zu %s of what it was removed, %s", n_outdated,
             n_outdated == 1 ? "store" : "stores", moho_bytes_text((double)outdated, size));
  now.free_bytes = room_at(options->directory);
  MOHO_TRY(check_room(&now, options->directory));
  return build_store(source, options, budget, plan->path, meta);
}

static moho_status wait_a_little(const moho_trace_store_options *options, const char *path, long holder, double began) {
  const struct timespec tenth = {.tv_nsec = 100000000};
  nanosleep(&tenth, NULL);
  if (!options->progress) return MOHO_OK;
  moho_progress progress = {.stage = "waiting for the run that builds the trace store", .seconds = moho_seconds() - began};
  if (options->progress(options->progress_user, &progress) == 0) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_INTERRUPTED,
                      "waiting for process %ld, which builds the trace store %s, was interrupted", holder, path);
}

/* MOHO_OK and *out NULL: another one is at it. A damaged store is told in `note`, and built anew. */
static moho_status load_or_build(const moho_trace_source *source, const moho_trace_store_options *options,
                                 const moho_store_budget *budget, const moho_trace_store_plan *plan, moho_store_meta *meta,
                                 char note[300], moho_trace_store **out, long *holder) {
  char lock_path[sizeof plan->path + 8];
  moho_file_lock *lock;
  moho_status status = load(plan->path, meta->identity, out);
  if (*out) (*out)->info.reused = 1;
  if (*out || (status && status != MOHO_ERROR_FORMAT)) return status;
  snprintf(lock_path, sizeof lock_path, "%s.lock", plan->path);
  MOHO_TRY(moho_file_lock_try(lock_path, &lock, holder));
  if (!lock) return MOHO_OK;
  status = load(plan->path, meta->identity, out); /* whole by now, where another one had the lock before */
  if (*out) (*out)->info.reused = 1;
  if (status == MOHO_ERROR_FORMAT) snprintf(note, 300, "%.200s: it is built again", moho_last_error()->message);
  if (!*out && (!status || status == MOHO_ERROR_FORMAT)) {
    status = build_alone(source, options, budget, plan, meta, note);
    if (!status) status = load(plan->path, meta->identity, out);
  }
  moho_error error = moho_error_take();
  moho_file_lock_release(&lock);
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* A store that was built by another run knows what reading finds. */
static void pass_on_flags(const moho_trace_store *store, moho_traces *traces) {
  const uint8_t found = MOHO_TRACE_DEAD | MOHO_TRACE_BAD;
  const moho_geometry *g = &store->map.geometry;
  for (size_t i = 0; i < g->n; i++)
    if (g->flags[i] & found) moho_traces_found(traces, (size_t)store->map.numbers[i], (uint8_t)(g->flags[i] & found));
  moho_store_map_rest(&store->map);
}

moho_status moho_trace_store_open(const moho_trace_source *source, const moho_trace_store_options *given,
                                  moho_trace_store **out) {
  moho_trace_store_options options = settle(given);
  moho_trace_store_plan plan;
  moho_store_meta meta;
  moho_store_budget budget;
  char note[300] = "";
  double began = moho_seconds();
  long holder = 0;
  *out = NULL;
  MOHO_TRY(plan_for(source, &options, &meta, &budget, &plan));
  MOHO_TRY(moho_directory_make(options.directory));
  while (!*out) {
    MOHO_TRY(load_or_build(source, &options, &budget, &plan, &meta, note, out, &holder));
    if (!*out) MOHO_TRY(wait_a_little(&options, plan.path, holder, began));
  }
  if ((*out)->info.reused) pass_on_flags(*out, source->traces);
  snprintf((*out)->info.note, sizeof(*out)->info.note, "%s", note);
  (*out)->info.seconds = moho_seconds() - began;
  return MOHO_OK;
}

/* ---- queries ---- */

const moho_trace_store_info *moho_trace_store_get_info(const moho_trace_store *store) {
  return &store->info;
}

const moho_geometry *moho_trace_store_get_geometry(const moho_trace_store *store) {
  return &store->map.geometry;
}

const uint64_t *moho_trace_store_get_numbers(const moho_trace_store *store) {
  return store->map.numbers;
}
