/* run_directory.c - the output directory of a run. */
#include "job/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/file_writer.h"

static const char image_name[] = "image.zarr";

static moho_status out_of_memory(void) {
  return moho_fail(MOHO_ERROR_MEMORY, "output: out of memory");
}

static moho_status join(const char *directory, const char *name, char **out) {
  if (asprintf(out, "%s/%s", directory, name) >= 0) return MOHO_OK;
  *out = NULL;
  return out_of_memory();
}

static moho_status system_failure(const char *path, const char *verb, int error_number, const char *hint) {
  return moho_fail_at((moho_place){.file = path, .key = "output.directory"}, hint, MOHO_ERROR_IO, "%s: %s failed: %s", path, verb,
                      strerror(error_number));
}

static int is_there(const char *directory, const char *name) {
  char *path;
  struct stat status;
  if (join(directory, name, &path)) return 0;
  int there = lstat(path, &status) == 0;
  free(path);
  return there;
}

/* A file or a tree; nothing where there is none. */
static moho_status drop(const char *directory, const char *name) {
  char *path;
  MOHO_TRY(join(directory, name, &path));
  moho_directory_discard(&path);
  return is_there(directory, name) ? system_failure(directory, "removing an older file", EIO, "remove it by hand") : MOHO_OK;
}

/* ---- making and locking ---- */

static moho_status make_directory(moho_run_directory *d) {
  struct stat status;
  if (stat(d->path, &status) == 0) {
    if (S_ISDIR(status.st_mode)) return MOHO_OK;
    return moho_fail_at((moho_place){.file = d->path, .key = "output.directory"}, "name a directory", MOHO_ERROR_EXISTS,
                        "%s is a file, expected a directory for the results", d->path);
  }
  MOHO_TRY(moho_directory_make(d->path));
  d->created = 1;
  return MOHO_OK;
}

/* Another run that ends removes .moho: it may be gone between the two steps. */
static moho_status take_lock(moho_run_directory *d) {
  char *path;
  long holder = 0;
  moho_status status = MOHO_OK;
  MOHO_TRY(join(d->hidden, "lock", &path));
  for (int tries = 0; tries < 100; tries++) {
    status = moho_directory_make(d->hidden);
    if (!status) status = moho_file_lock_try(path, &d->lock, &holder);
    if (!status || access(d->hidden, F_OK) == 0) break;
  }
  free(path);
  if (status || d->lock) return status;
  return moho_fail_at((moho_place){.file = d->path, .key = "output.directory"},
                      "wait until it has ended, stop it, or name another output.directory", MOHO_ERROR_EXISTS,
                      "another run, process %ld, is writing into %s", holder, d->path);
}

/* ---- moves ---- */

static moho_status move(const char *from_directory, const char *from, const char *to_directory, const char *to) {
  char *source = NULL, *target = NULL;
  struct stat there;
  moho_status status = join(from_directory, from, &source);
  if (!status) status = join(to_directory, to, &target);
  if (!status && lstat(source, &there) == 0) {
    if (S_ISDIR(there.st_mode)) status = moho_directory_commit(target, &source);
    else if (moho_disk_rename(source, target))
      status = system_failure(target, "renaming to its final name", errno, "move away what is there");
  }
  free(source), free(target);
  return status;
}

moho_status moho_run_directory_give_name(const moho_run_directory *d, const char *name) {
  return move(d->staging, name, d->path, name);
}

/* The growing image is moved only where no other was staged. */
static moho_status give_listed_name(const moho_run_directory *d, const char *name) {
  if (strcmp(name, image_name) == 0 && !is_there(d->staging, name)) return move(d->path, MOHO_PARTIAL_IMAGE, d->path, name);
  return moho_run_directory_give_name(d, name);
}

/* The journal first: without it what else is kept for a stopped run means nothing. */
static moho_status drop_kept(const moho_run_directory *d) {
  MOHO_TRY(drop(d->hidden, "journal"));
  MOHO_TRY(moho_directory_sync(d->hidden));
  DIR *listing = opendir(d->hidden);
  struct dirent *entry;
  moho_status status = MOHO_OK;
  while (listing && !status && (entry = readdir(listing)))
    if (entry->d_name[0] != '.' && strcmp(entry->d_name, "lock") && strcmp(entry->d_name, "commit") &&
        strcmp(entry->d_name, "results"))
      status = drop(d->hidden, entry->d_name);
  if (listing) closedir(listing);
  return status ? status : drop(d->path, MOHO_PARTIAL_IMAGE);
}

/* As the list says; each step may have been made before. The list goes last: as long as it is there, a journal that is there too
 * is of a run that has ended. */
static moho_status finish_moves(moho_run_directory *d) {
  char *path, *list, *rest;
  size_t bytes;
  MOHO_TRY(join(d->hidden, "commit", &path));
  moho_status status = moho_file_read_all(path, 1 << 20, &list, &bytes);
  free(path);
  if (status) return status == MOHO_ERROR_NOT_FOUND ? MOHO_OK : status;
  for (char *name = strtok_r(list, "\n", &rest); name && !status; name = strtok_r(NULL, "\n", &rest))
    status = give_listed_name(d, name);
  free(list);
  if (!status) status = moho_directory_sync(d->path);
  if (!status) status = drop_kept(d);
  if (!status) status = drop(d->hidden, "commit");
  d->has_ended = !status;
  return status;
}

moho_status moho_run_directory_commit(moho_run_directory *d, const char *const *names, size_t n) {
  char list[1000] = "", *path;
  for (size_t i = 0, at = 0; i < n; i++) at += (size_t)snprintf(list + at, sizeof list - at, "%s\n", names[i]);
  MOHO_TRY(moho_directory_sync(d->staging));
  MOHO_TRY(join(d->hidden, "commit", &path));
  moho_status status = moho_file_write_all(path, list, strlen(list));
  free(path);
  if (!status) status = moho_directory_sync(d->hidden);
  return status ? status : finish_moves(d);
}

/* ---- what stopped runs left ---- */

moho_status moho_run_directory_keep(const moho_run_directory *d) {
  char *path;
  if (!d->overwrite) return MOHO_OK;
  MOHO_TRY(join(d->hidden, "overwrite", &path));
  moho_status status = moho_file_write_all(path, "1\n", 2);
  free(path);
  return status ? status : moho_directory_sync(d->hidden);
}

moho_status moho_run_directory_drop_stopped(const moho_run_directory *d) {
  return drop_kept(d);
}

static int begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* "image.zarr.old-123" and "image.partial.zarr.partial-123" are ours: we hold the lock, so that nobody works on them. */
static moho_status sweep(const moho_run_directory *d) {
  DIR *listing = opendir(d->path);
  struct dirent *entry;
  moho_status status = MOHO_OK;
  while (listing && !status && (entry = readdir(listing)))
    if (begins_with(entry->d_name, "image.zarr.old-") || begins_with(entry->d_name, MOHO_PARTIAL_IMAGE "."))
      status = drop(d->path, entry->d_name);
  if (listing) closedir(listing);
  moho_directory_sweep(d->hidden);
  /* An image without its journal is of a run that was stopped while it began. */
  if (!status && !is_there(d->hidden, "journal")) status = drop(d->path, MOHO_PARTIAL_IMAGE);
  return status ? status : drop(d->hidden, "results");
}

/* The first entry that is not of a stopped run; "" when there is none. */
static moho_status first_other_entry(const char *directory, char name[256]) {
  static const char *const ours[] = {".", "..", ".moho", MOHO_PARTIAL_IMAGE};
  name[0] = '\0';
  DIR *listing = opendir(directory);
  if (!listing) return system_failure(directory, "reading the directory", errno, "check its permissions");
  struct dirent *entry;
  while ((entry = readdir(listing))) {
    int is_ours = 0;
    for (int i = 0; i < 4; i++) is_ours |= strcmp(entry->d_name, ours[i]) == 0;
    if (!is_ours && !name[0]) snprintf(name, 256, "%s", entry->d_name);
  }
  closedir(listing);
  return MOHO_OK;
}

moho_status moho_run_directory_refuse_other(const moho_run_directory *d) {
  const char *directory = d->path;
  char name[256];
  MOHO_TRY(first_other_entry(directory, name));
  if (!name[0]) return MOHO_OK;
  return moho_fail_at(
      (moho_place){.file = directory, .key = "output.directory"},
      "name another output.directory; --overwrite replaces earlier results in it (only files of Moho's own names)",
      MOHO_ERROR_EXISTS, "%s is not empty (it holds %s)", directory, name);
}

/* ---- opening ---- */

static moho_status open_directory(moho_run_directory *d) {
  MOHO_TRY(make_directory(d));
  MOHO_TRY(join(d->path, ".moho", &d->hidden));
  MOHO_TRY(take_lock(d));
  MOHO_TRY(finish_moves(d));
  MOHO_TRY(sweep(d));
  d->overwrite = d->overwrite || is_there(d->hidden, "overwrite");
  if (!d->overwrite && !d->has_ended) MOHO_TRY(moho_run_directory_refuse_other(d));
  MOHO_TRY(join(d->hidden, "results", &d->staging));
  return moho_directory_make(d->staging); /* fails now where nothing can be written later */
}

moho_status moho_run_directory_open(const char *path, int overwrite, moho_run_directory *out) {
  *out = (moho_run_directory){.path = strdup(path), .overwrite = overwrite};
  moho_status status = out->path ? open_directory(out) : out_of_memory();
  if (!status) return MOHO_OK;
  moho_error error = moho_error_take();
  moho_run_directory_close(out);
  return moho_error_set(&error);
}

/* Without the lock nothing in there is ours; rmdir takes but empty directories. */
void moho_run_directory_close(moho_run_directory *d) {
  if (d->lock && d->staging && !is_there(d->hidden, "commit")) moho_directory_discard(&d->staging);
  moho_file_lock_release(&d->lock);
  if (d->hidden) rmdir(d->hidden);
  if (d->created) rmdir(d->path);
  free(d->path), free(d->hidden), free(d->staging);
  *d = (moho_run_directory){0};
}
