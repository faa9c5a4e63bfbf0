/* journal.c - what a run of many blocks has done so far. */
#include "job/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/file_append.h"
#include "base/file_writer.h"
#include "base/memory.h"

enum { FORMAT = 1, DIGITS = 16 };
#define JOURNAL_LIMIT ((size_t)4 << 30)

struct moho_journal {
  char *path;
  moho_file_append *file;
  uint64_t check;   /* of the last line */
  json_t *identity; /* of the first line */
  json_t *plan;
  json_t **facts; /* [n_blocks] NULL: not done */
  size_t n_blocks, done, sittings;
};

static moho_status out_of_memory(void) {
  return moho_fail(MOHO_ERROR_MEMORY, "journal: out of memory");
}

static moho_status damaged(const char *path, int line, const char *what) {
  return moho_fail_at((moho_place){.file = path, .line = line},
                      "the disk lost or changed something: execution.resume=never starts over", MOHO_ERROR_FORMAT,
                      "%s:%d: the journal is damaged: %s", path, line, what);
}

static moho_status journal_path(const char *output, char **path) {
  if (asprintf(path, "%s/.moho/journal", output) >= 0) return MOHO_OK;
  *path = NULL;
  return out_of_memory();
}

int moho_journal_exists(const char *output) {
  char *path;
  if (journal_path(output, &path)) return 0;
  int exists = access(path, F_OK) == 0;
  free(path);
  return exists;
}

/* ---- writing ---- */

/* TAKE: event. The line is on disk when this returns. */
static moho_status append(moho_journal *j, json_t *event) {
  char *json = event ? json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17)) : NULL, *line = NULL;
  json_decref(event);
  if (!json) return out_of_memory();
  uint64_t check = moho_checksum(json, strlen(json), j->check);
  int length = asprintf(&line, "%016" PRIx64 " %s\n", check, json);
  free(json);
  if (length < 0) return out_of_memory();
  moho_status status = moho_file_append_write(j->file, line, (size_t)length);
  free(line);
  if (!status) j->check = check;
  return status;
}

/* ---- events, as they are read and as they are written ---- */

static moho_status take_plan(moho_journal *j, json_t *plan, size_t n_blocks) {
  json_t **facts;
  MOHO_TRY(moho_allocate(n_blocks ? n_blocks : 1, sizeof *facts, "journal", &facts));
  j->facts = facts;
  j->n_blocks = n_blocks;
  j->plan = json_incref(plan);
  return MOHO_OK;
}

static void set_facts(moho_journal *j, size_t block, json_t *facts) {
  j->done = j->done + (size_t)(facts != NULL) - (size_t)(j->facts[block] != NULL);
  json_decref(j->facts[block]);
  j->facts[block] = json_incref(facts);
}

/* NULL: well; else what is wrong. */
static const char *take_event(moho_journal *j, json_t *event, int line) {
  const char *kind = json_string_value(json_object_get(event, "event"));
  json_t *block = json_object_get(event, "block"), *facts = json_object_get(event, "facts");
  size_t n = (size_t)json_integer_value(block);
  if (!kind) return "a line names no event";
  if ((line == 1) != (strcmp(kind, "identity") == 0)) return "the identity is not its first line";
  if (strcmp(kind, "identity") == 0) {
    if (json_integer_value(json_object_get(event, "format")) != FORMAT) return "it is of another version of Moho";
    j->identity = json_incref(json_object_get(event, "identity"));
    return json_is_object(j->identity) ? NULL : "the identity is missing";
  }
  if (strcmp(kind, "sitting") == 0) {
    j->sittings++;
    return NULL;
  }
  if (strcmp(kind, "plan") == 0) {
    if (j->plan) return "there are two plans";
    json_int_t blocks = json_integer_value(json_object_get(event, "blocks"));
    if (blocks < 0 || !json_object_get(event, "plan")) return "the plan is missing";
    return take_plan(j, json_object_get(event, "plan"), (size_t)blocks) ? "out of memory" : NULL;
  }
  if (!json_is_integer(block) || json_integer_value(block) < 0 || n >= j->n_blocks) return "a block that the plan does not have";
  if (strcmp(kind, "done") == 0) {
    if (!json_is_object(facts)) return "a block without facts";
    set_facts(j, n, facts);
    return NULL;
  }
  if (strcmp(kind, "undone") != 0) return "an event that is not known";
  set_facts(j, n, NULL);
  return NULL;
}

/* ---- reading ---- */

/* The line's JSON, when its digits are right; NULL otherwise. */
static json_t *parse_line(const char *line, size_t length, uint64_t *check) {
  char digits[DIGITS + 1] = "";
  if (length < DIGITS + 2 || line[DIGITS] != ' ') return NULL;
  memcpy(digits, line, DIGITS);
  const char *text = line + DIGITS + 1;
  uint64_t told = strtoull(digits, NULL, 16), found = moho_checksum(text, length - DIGITS - 1, *check);
  if (told != found) return NULL;
  *check = found;
  return json_loadb(text, length - DIGITS - 1, 0, NULL);
}

/* *keep: bytes of whole lines. What follows the last newline was torn; so was the very last line when its bytes are not those
 * that were written (a file may have got its length before its bytes); any other wrong line is damage. */
static moho_status read_lines(moho_journal *j, const char *data, size_t bytes, uint64_t *keep) {
  size_t at = 0;
  *keep = 0;
  for (int line = 1; at < bytes; line++) {
    const char *end = memchr(data + at, '\n', bytes - at);
    if (!end) return MOHO_OK;
    size_t length = (size_t)(end - (data + at)), next = at + length + 1;
    json_t *event = parse_line(data + at, length, &j->check);
    if (!event) return next == bytes ? MOHO_OK : damaged(j->path, line, "the line is not what was written");
    const char *wrong = take_event(j, event, line);
    json_decref(event);
    if (wrong) return damaged(j->path, line, wrong);
    at = next;
    *keep = at;
  }
  return MOHO_OK;
}

static moho_status read_journal(moho_journal *j, uint64_t *keep) {
  char *data;
  size_t bytes;
  *keep = 0;
  if (access(j->path, F_OK)) return MOHO_OK;
  MOHO_TRY(moho_file_read_all(j->path, JOURNAL_LIMIT, &data, &bytes));
  moho_status status = read_lines(j, data, bytes, keep);
  free(data);
  return status;
}

/* ---- is it the same run? ---- */

static void value_text(const json_t *value, char text[120]) {
  char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
  const char *shown = json_is_string(value) ? json_string_value(value) : dumped;
  snprintf(text, 120, "%.100s%s", shown ? shown : "not there", shown && strlen(shown) > 100 ? "..." : "");
  free(dumped);
}

static moho_status changed(const moho_journal *j, const char *key, const json_t *then, const json_t *now, size_t others) {
  char was[120], is[120], more[60] = "";
  value_text(then, was), value_text(now, is);
  if (others) snprintf(more, sizeof more, " (and %zu more)", others);
  return moho_fail_at(
      (moho_place){.file = j->path, .key = key},
      "give the job as it was to go on; another output.directory to keep both; execution.resume=never to drop what "
      "is there and start over",
      MOHO_ERROR_EXISTS,
      "the run that was stopped here is of another job or input: %s was %s, is now %s%s; %zu of its %zu blocks "
      "are done",
      key, was, is, more, j->done, j->n_blocks);
}

/* Names the first key that differs, in the order of the new identity, then of the old one. */
static moho_status compare_identity(const moho_journal *j, const json_t *identity) {
  const char *key, *first = NULL;
  json_t *value;
  size_t differing = 0;
  json_object_foreach((json_t *)(uintptr_t)identity, key, value) {
    if (json_equal(value, json_object_get(j->identity, key))) continue;
    if (!differing++) first = key;
  }
  json_object_foreach(j->identity, key, value) {
    if (json_object_get(identity, key)) continue;
    if (!differing++) first = key;
  }
  if (!differing) return MOHO_OK;
  return changed(j, first, json_object_get(j->identity, first), json_object_get(identity, first), differing - 1);
}

/* ---- opening ---- */

static moho_status begin_new(moho_journal *j, const json_t *identity) {
  j->check = 0;
  MOHO_TRY(moho_file_append_open(j->path, 0, &j->file));
  return append(j, json_pack("{s:s, s:i, s:s, s:O}", "event", "identity", "format", FORMAT, "version", moho_version(), "identity",
                             identity));
}

/* The first line may have been torn, or the run have been refused before it had a plan: then nothing was begun, and whatever job
 * comes may begin. */
static moho_status go_on(moho_journal *j, const json_t *identity, uint64_t keep) {
  if (!j->identity) return begin_new(j, identity);
  if (!j->plan && compare_identity(j, identity)) {
    moho_error_take();
    json_decref(j->identity), j->identity = NULL, j->sittings = 0;
    return begin_new(j, identity);
  }
  MOHO_TRY(compare_identity(j, identity));
  return moho_file_append_open(j->path, keep, &j->file);
}

static moho_status open_journal(moho_journal *j, const char *output, const json_t *identity, moho_resume policy) {
  uint64_t keep = 0;
  MOHO_TRY(journal_path(output, &j->path));
  if (policy == MOHO_RESUME_NEVER) {
    MOHO_TRY(begin_new(j, identity));
  } else {
    MOHO_TRY(read_journal(j, &keep));
    MOHO_TRY(go_on(j, identity, keep));
  }
  j->sittings++;
  return append(j, json_pack("{s:s}", "event", "sitting"));
}

moho_status moho_journal_open(const char *output, const json_t *identity, moho_resume policy, moho_journal **out) {
  *out = calloc(1, sizeof **out);
  if (!*out) return out_of_memory();
  moho_status status = open_journal(*out, output, identity, policy);
  if (status) moho_journal_close(out);
  return status;
}

void moho_journal_close(moho_journal **journal) {
  moho_journal *j = *journal;
  if (!j) return;
  moho_file_append_close(&j->file);
  for (size_t i = 0; i < j->n_blocks; i++) json_decref(j->facts[i]);
  json_decref(j->identity), json_decref(j->plan);
  free(j->facts), free(j->path), free(j);
  *journal = NULL;
}

/* ---- what it says ---- */

const json_t *moho_journal_get_plan(const moho_journal *j) {
  return j->plan;
}

moho_status moho_journal_set_plan(moho_journal *j, const json_t *plan, size_t n_blocks) {
  if (j->plan) return moho_fail(MOHO_ERROR_INTERNAL, "%s: the run has a plan already", j->path);
  MOHO_TRY(append(j, json_pack("{s:s, s:I, s:O}", "event", "plan", "blocks", (json_int_t)n_blocks, "plan", plan)));
  json_t *copy = json_deep_copy(plan);
  if (!copy) return out_of_memory();
  moho_status status = take_plan(j, copy, n_blocks);
  json_decref(copy);
  return status;
}

static moho_status no_such_block(const moho_journal *j, size_t block) {
  return moho_fail(MOHO_ERROR_INTERNAL, "%s: block %zu of %zu", j->path, block, j->n_blocks);
}

moho_status moho_journal_finish_block(moho_journal *j, size_t block, const json_t *facts) {
  if (block >= j->n_blocks) return no_such_block(j, block);
  json_t *copy = json_deep_copy(facts);
  if (!copy) return out_of_memory();
  moho_status status = append(j, json_pack("{s:s, s:I, s:O}", "event", "done", "block", (json_int_t)block, "facts", copy));
  if (!status) set_facts(j, block, copy);
  json_decref(copy);
  return status;
}

moho_status moho_journal_undo_block(moho_journal *j, size_t block) {
  if (block >= j->n_blocks) return no_such_block(j, block);
  MOHO_TRY(append(j, json_pack("{s:s, s:I}", "event", "undone", "block", (json_int_t)block)));
  set_facts(j, block, NULL);
  return MOHO_OK;
}

int moho_journal_is_done(const moho_journal *j, size_t block) {
  return block < j->n_blocks && j->facts[block] != NULL;
}

const json_t *moho_journal_get_facts(const moho_journal *j, size_t block) {
  return block < j->n_blocks ? j->facts[block] : NULL;
}

size_t moho_journal_done(const moho_journal *j) {
  return j->done;
}

size_t moho_journal_sittings(const moho_journal *j) {
  return j->sittings;
}
