/* disk_calls.c - the system calls that change the disk, with the faults that tests ask for. */
#include "base/disk_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef enum { FAULT_NONE, FAULT_ERROR, FAULT_SHORT, FAULT_KILL, FAULT_TORN, FAULT_POWER, FAULT_WAIT } fault_kind;
typedef enum { CALL_WRITE, CALL_SYNC, CALL_RENAME } call_kind;

/* What has been done and not been synced, while POWER is armed. */
typedef struct unsynced {
  struct unsynced *next; /* the newest first */
  int is_rename;
  char *path, *from; /* absolute; from: of a rename */
  off_t size;        /* of a file before its first write that is not synced */
  char *replaced;    /* of a rename: what stood under the name before; NULL: nothing */
  size_t replaced_bytes;
} unsynced;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
  fault_kind kind;
  int error_number;
  int64_t at_call;    /* > 0: the call; 0: bytes_left counts */
  int64_t bytes_left; /* >= 0: bytes before the fault */
} fault;
static uint64_t calls;
static unsynced *pending;

/* ---- arming ---- */

static void parse_fault(const char *text) {
  static const struct {
    const char *word;
    fault_kind kind;
    int error_number;
  } words[] = {{"ENOSPC", FAULT_ERROR, ENOSPC}, {"EIO", FAULT_ERROR, EIO}, {"SHORT", FAULT_SHORT, 0}, {"KILL", FAULT_KILL, 0},
               {"TORN", FAULT_TORN, 0},         {"POWER", FAULT_POWER, 0}, {"WAIT", FAULT_WAIT, 0}};
  memset(&fault, 0, sizeof fault);
  fault.bytes_left = -1;
  calls = 0;
  size_t length = text ? strcspn(text, "@:") : 0;
  if (!length || !text[length]) return;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strlen(words[i].word) != length || strncmp(text, words[i].word, length) != 0) continue;
    if (text[length] == ':' && words[i].kind != FAULT_ERROR) return;
    fault.kind = words[i].kind, fault.error_number = words[i].error_number;
    if (text[length] == '@') fault.at_call = atoll(text + length + 1);
    else fault.bytes_left = atoll(text + length + 1);
  }
}

static void from_environment(void) {
  parse_fault(getenv("MOHO_TEST_WRITE_FAULT"));
}

static void forget(unsynced **link) {
  unsynced *entry = *link;
  *link = entry->next;
  free(entry->path), free(entry->from), free(entry->replaced), free(entry);
}

void moho_disk_set_fault(const char *text) {
  pthread_once(&once, from_environment);
  pthread_mutex_lock(&lock);
  while (pending) forget(&pending);
  parse_fault(text);
  pthread_mutex_unlock(&lock);
}

uint64_t moho_disk_calls(void) {
  pthread_mutex_lock(&lock);
  uint64_t n = calls;
  pthread_mutex_unlock(&lock);
  return n;
}

/* ---- the power goes ---- */

/* Directory and name, the directory without links: a name is then the same however it was given. malloc. */
static char *absolute(const char *path) {
  const char *slash = strrchr(path, '/');
  char *above = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup("."), *whole = NULL;
  char *real = above ? realpath(above, NULL) : NULL;
  if (!real || asprintf(&whole, "%s/%s", real, slash ? slash + 1 : path) < 0) whole = strdup(path);
  free(above), free(real);
  return whole;
}

/* What a rename is about to replace, to put it back. */
static void keep_replaced(const char *path, unsynced *entry) {
  FILE *file = fopen(path, "rb");
  struct stat there;
  if (file && fstat(fileno(file), &there) == 0 && S_ISREG(there.st_mode)) {
    entry->replaced = malloc((size_t)there.st_size + 1);
    if (entry->replaced) entry->replaced_bytes = fread(entry->replaced, 1, (size_t)there.st_size, file);
  }
  if (file) fclose(file);
}

/* TAKE: from, what it holds. */
static void remember(const char *path, unsynced what) {
  unsynced *entry = malloc(sizeof *entry);
  char *name = absolute(path);
  int is_known = !entry || !name;
  for (const unsynced *e = pending; e && !is_known && !what.is_rename; e = e->next)
    is_known = !e->is_rename && strcmp(e->path, name) == 0; /* its first write says how long it was */
  if (is_known) {
    free(entry), free(name), free(what.from), free(what.replaced);
    return;
  }
  *entry = what;
  entry->path = name, entry->next = pending;
  pending = entry;
}

static int is_within(const char *path, const char *directory) {
  size_t length = strlen(directory);
  return strncmp(path, directory, length) == 0 && path[length] == '/' && !strchr(path + length + 1, '/');
}

static void forget_file(const char *path) {
  char *name = pending ? absolute(path) : NULL;
  for (unsynced **link = &pending; name && *link;)
    if (!(*link)->is_rename && strcmp((*link)->path, name) == 0) forget(link);
    else link = &(*link)->next;
  free(name);
}

static void forget_names(const char *directory) {
  char *name = pending ? realpath(directory, NULL) : NULL;
  for (unsynced **link = &pending; name && *link;)
    if ((*link)->is_rename && is_within((*link)->path, name)) forget(link);
    else link = &(*link)->next;
  free(name);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static void put_back(const unsynced *e) {
  rename(e->path, e->from);
  FILE *file = e->replaced ? fopen(e->path, "wb") : NULL;
  if (file && fwrite(e->replaced, 1, e->replaced_bytes, file) != e->replaced_bytes) unlink(e->path);
  if (file) fclose(file);
}

static void lose_power(void) {
  for (const unsynced *e = pending; e; e = e->next) {
    if (e->is_rename) put_back(e);
    else if (truncate(e->path, e->size)) unlink(e->path);
  }
  die();
}

/* ---- the calls ---- */

typedef struct verdict {
  int error_number; /* 0: no error */
  size_t bytes;     /* of a write, before the error or death */
  int dies;         /* after it */
  int waits;        /* before it */
} verdict;

static void wait_if_told(const verdict *v) {
  if (v->waits) nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
}

/* Under the lock. Does not return where the process is to die before the call. */
static verdict judge(call_kind call, size_t bytes) {
  verdict v = {.bytes = bytes};
  calls++;
  if (fault.kind == FAULT_NONE) return v;
  if (!fault.at_call) {
    if (call == CALL_WRITE && (int64_t)bytes > fault.bytes_left)
      return (verdict){.error_number = fault.error_number, .bytes = (size_t)fault.bytes_left};
    if (call == CALL_WRITE) fault.bytes_left -= (int64_t)bytes;
    return v;
  }
  if ((int64_t)calls < fault.at_call || ((int64_t)calls > fault.at_call && fault.kind != FAULT_SHORT)) return v;
  switch (fault.kind) {
  case FAULT_ERROR: return (verdict){.error_number = fault.error_number, .bytes = bytes / 2};
  case FAULT_SHORT:
    if (call != CALL_WRITE || bytes < 2) return v;
    fault.kind = FAULT_NONE;
    v.bytes = bytes / 2;
    return v;
  case FAULT_TORN:
    v.dies = 1;
    v.bytes = bytes / 2;
    return v;
  case FAULT_WAIT: v.waits = 1; return v;
  case FAULT_POWER: lose_power(); return v;
  default: die(); return v;
  }
}

static ssize_t write_anywhere(int file, const char *path, const void *data, size_t bytes, int has_offset, uint64_t offset) {
  struct stat before;
  pthread_once(&once, from_environment);
  pthread_mutex_lock(&lock);
  verdict v = judge(CALL_WRITE, bytes);
  if (fault.kind == FAULT_POWER && fstat(file, &before) == 0) remember(path, (unsynced){.size = before.st_size});
  pthread_mutex_unlock(&lock);
  wait_if_told(&v);
  ssize_t written = 0;
  if (v.bytes) written = has_offset ? pwrite(file, data, v.bytes, (off_t)offset) : write(file, data, v.bytes);
  if (v.dies) die();
  if (!v.error_number) return written;
  errno = v.error_number;
  return -1;
}

ssize_t moho_disk_write(int file, const char *path, const void *data, size_t bytes) {
  return write_anywhere(file, path, data, bytes, 0, 0);
}

ssize_t moho_disk_write_at(int file, const char *path, const void *data, size_t bytes, uint64_t offset) {
  return write_anywhere(file, path, data, bytes, 1, offset);
}

static verdict judge_name(call_kind call) {
  pthread_once(&once, from_environment);
  pthread_mutex_lock(&lock);
  verdict v = judge(call, 0);
  pthread_mutex_unlock(&lock);
  wait_if_told(&v);
  if (v.error_number) errno = v.error_number;
  return v;
}

/* On macOS fsync leaves the bytes in the drive's own memory; F_FULLFSYNC asks the drive to keep them. */
static int sync_to_the_drive(int file) {
#ifdef F_FULLFSYNC
  if (fcntl(file, F_FULLFSYNC) == 0) return 0;
#endif
  return fsync(file);
}

int moho_disk_sync(int file, const char *path) {
  verdict v = judge_name(CALL_SYNC);
  if (v.error_number) return -1;
  int failed = sync_to_the_drive(file) && errno != EINVAL; /* EINVAL: nothing that could be synced, as a pipe */
  if (!failed) {
    pthread_mutex_lock(&lock);
    forget_file(path);
    pthread_mutex_unlock(&lock);
  }
  if (v.dies) die();
  return failed ? -1 : 0;
}

int moho_disk_rename(const char *from, const char *to) {
  struct stat moved;
  unsynced entry = {.is_rename = 1};
  verdict v = judge_name(CALL_RENAME);
  if (v.error_number) return -1;
  pthread_mutex_lock(&lock);
  int is_watched = fault.kind == FAULT_POWER;
  pthread_mutex_unlock(&lock);
  if (is_watched) entry.from = absolute(from), keep_replaced(to, &entry);
  int failed = rename(from, to);
  if (v.dies) {
    if (!failed && stat(to, &moved) == 0 && S_ISREG(moved.st_mode) && truncate(to, moved.st_size / 2)) die();
    die();
  }
  pthread_mutex_lock(&lock);
  if (!failed && is_watched) remember(to, entry);
  else free(entry.from), free(entry.replaced);
  pthread_mutex_unlock(&lock);
  return failed;
}

int moho_disk_sync_directory(const char *path) {
  verdict v = judge_name(CALL_SYNC);
  if (v.error_number) return -1;
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return -1;
  int failed = sync_to_the_drive(directory) && errno != EINVAL, error_number = errno;
  close(directory);
  pthread_mutex_lock(&lock);
  if (!failed) forget_names(path);
  pthread_mutex_unlock(&lock);
  if (v.dies) die();
  errno = error_number;
  return failed ? -1 : 0;
}
