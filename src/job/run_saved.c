/* run_saved.c - what is saved of a run of many blocks while it goes on. */
#include "job/run_saved.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "job/journal.h"
#include "job/run_identity.h"
#include "job/run_report.h"

struct moho_run_saved {
  moho_journal *journal;
  moho_image_file *image;
  const moho_run_directory *place; /* BORROW */
  char *image_path, *attributes;
  const moho_run_inputs *inputs; /* BORROW */
  moho_window *windows;          /* [n] */
  size_t n, damaged;
};

static moho_status out_of_memory(void) {
  return moho_fail(MOHO_ERROR_MEMORY, "saving the run: out of memory");
}

/* ---- JSON ---- */

static json_t *window_json(const moho_window *w) {
  return json_pack("[I, I, I, I]", (json_int_t)w->inline_first, (json_int_t)w->n_inline, (json_int_t)w->crossline_first,
                   (json_int_t)w->n_crossline);
}

static moho_window window_from(const json_t *json) {
  size_t v[4];
  for (size_t i = 0; i < 4; i++) v[i] = (size_t)json_integer_value(json_array_get(json, i));
  return (moho_window){.inline_first = v[0], .n_inline = v[1], .crossline_first = v[2], .n_crossline = v[3]};
}

/* 64 bits do not fit JSON's integers everywhere: as digits. */
static json_t *mark_json(const moho_image_mark *mark) {
  return json_pack("{s:I, s:o}", "bytes", (json_int_t)mark->bytes, "checksum",
                   json_sprintf("%016llx", (unsigned long long)mark->checksum));
}

static moho_image_mark mark_from(const json_t *json) {
  const char *digits = json_string_value(json_object_get(json, "checksum"));
  return (moho_image_mark){.bytes = (uint64_t)json_integer_value(json_object_get(json, "bytes")),
                           .checksum = digits ? strtoull(digits, NULL, 16) : 0};
}

/* ---- opening ---- */

static moho_status take_windows(moho_run_saved *s) {
  const json_t *list = json_object_get(moho_journal_get_plan(s->journal), "windows");
  size_t n = json_array_size(list);
  MOHO_TRY(moho_allocate(n ? n : 1, sizeof *s->windows, "blocks", &s->windows));
  s->n = n;
  for (size_t i = 0; i < n; i++) {
    s->windows[i] = window_from(json_array_get(list, i));
    MOHO_TRY(moho_grid_check_window(&s->inputs->grid, &s->windows[i]));
  }
  return MOHO_OK;
}

/* A disk that did not keep what it said was synced, or someone who deleted files: such blocks are done again. */
static moho_status check_blocks(moho_run_saved *s) {
  for (size_t i = 0; i < s->n; i++) {
    if (!moho_journal_is_done(s->journal, i)) continue;
    moho_image_mark mark = mark_from(json_object_get(moho_journal_get_facts(s->journal, i), "mark"));
    int is_whole;
    MOHO_TRY(moho_image_file_check(s->image, &s->windows[i], &mark, &is_whole));
    if (is_whole) continue;
    MOHO_TRY(moho_journal_undo_block(s->journal, i));
    s->damaged++;
  }
  return MOHO_OK;
}

static moho_status go_on(moho_run_saved *s) {
  MOHO_TRY(take_windows(s));
  MOHO_TRY(moho_image_file_open(s->image_path, &s->inputs->grid, &s->inputs->bins, &s->image));
  return check_blocks(s);
}

static moho_status open_saved(moho_run_saved *s, const moho_job *job, const moho_run_outputs *outputs) {
  json_t *identity;
  moho_resume policy = moho_job_is(job, MOHO_KEY_RESUME, "never") ? MOHO_RESUME_NEVER : MOHO_RESUME_AUTO;
  s->place = &outputs->place;
  if (asprintf(&s->image_path, "%s/" MOHO_PARTIAL_IMAGE, outputs->directory) < 0) {
    s->image_path = NULL;
    return out_of_memory();
  }
  MOHO_TRY(moho_report_attributes(job, s->inputs, NULL, &s->attributes));
  MOHO_TRY(moho_run_identity(job, s->inputs, &identity));
  if (policy == MOHO_RESUME_NEVER) MOHO_TRY(moho_run_directory_drop_stopped(s->place));
  moho_status status = moho_run_directory_keep(s->place);
  if (!status) status = moho_journal_open(outputs->directory, identity, policy, &s->journal);
  json_decref(identity);
  if (status) return moho_fail_add_place(moho_job_place(job, MOHO_KEY_OUTPUT_DIRECTORY), NULL);
  return moho_journal_get_plan(s->journal) ? go_on(s) : MOHO_OK;
}

moho_status moho_run_saved_open(const moho_job *job, const moho_run_inputs *inputs, const moho_run_outputs *outputs,
                                moho_run_saved **out) {
  *out = calloc(1, sizeof **out);
  if (!*out) return out_of_memory();
  (*out)->inputs = inputs;
  moho_status status = open_saved(*out, job, outputs);
  if (status) moho_run_saved_close(out);
  return status;
}

void moho_run_saved_close(moho_run_saved **saved) {
  moho_run_saved *s = *saved;
  if (!s) return;
  moho_image_file_close(&s->image);
  moho_journal_close(&s->journal);
  free(s->image_path), free(s->attributes), free(s->windows), free(s);
  *saved = NULL;
}

/* ---- beginning ---- */

size_t moho_run_saved_get_windows(const moho_run_saved *s, const moho_window **windows) {
  if (windows) *windows = s->windows;
  return s->n;
}

const json_t *moho_run_saved_get_plan(const moho_run_saved *s) {
  return json_object_get(moho_journal_get_plan(s->journal), "plan");
}

static json_t *plan_json(const moho_window *windows, size_t n, const json_t *plan) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < n; i++)
    if (json_array_append_new(list, window_json(&windows[i]))) {
      json_decref(list);
      return NULL;
    }
  return json_pack("{s:o, s:O?}", "windows", list, "plan", plan);
}

/* The image first: where there is a plan there is an image. One of an earlier run, without a plan, is replaced. */
moho_status moho_run_saved_begin(moho_run_saved *s, const moho_window *windows, size_t n, const json_t *plan) {
  json_t *json = plan_json(windows, n, plan);
  if (!json) return out_of_memory();
  moho_status status = moho_image_file_create(s->image_path, &s->inputs->grid, &s->inputs->bins, s->attributes, &s->image);
  if (!status) status = moho_directory_sync(s->place->path);
  if (!status) status = moho_journal_set_plan(s->journal, json, n);
  json_decref(json);
  return status ? status : take_windows(s);
}

/* ---- blocks ---- */

int moho_run_saved_is_done(const moho_run_saved *s, size_t block) {
  return moho_journal_is_done(s->journal, block);
}

size_t moho_run_saved_done(const moho_run_saved *s) {
  return moho_journal_done(s->journal);
}

moho_status moho_run_saved_put(moho_run_saved *s, size_t block, const moho_image *image, const json_t *counts) {
  moho_image_mark mark;
  if (block >= s->n) return moho_fail(MOHO_ERROR_INTERNAL, "block %zu of %zu", block, s->n);
  MOHO_TRY(moho_image_file_write(s->image, &s->windows[block], image, &mark));
  json_t *facts = json_pack("{s:o, s:O?}", "mark", mark_json(&mark), "counts", counts);
  if (!facts) return out_of_memory();
  /* What the caller keeps beside the journal for this block must be there too before the journal says so. */
  moho_status status = moho_directory_sync(s->place->hidden);
  if (!status) status = moho_journal_finish_block(s->journal, block, facts);
  json_decref(facts);
  return status;
}

const json_t *moho_run_saved_get_counts(const moho_run_saved *s, size_t block) {
  return json_object_get(moho_journal_get_facts(s->journal, block), "counts");
}

size_t moho_run_saved_sittings(const moho_run_saved *s) {
  return moho_journal_sittings(s->journal);
}

size_t moho_run_saved_damaged(const moho_run_saved *s) {
  return s->damaged;
}

/* ---- the end ---- */

moho_status moho_run_saved_finish(moho_run_saved *s, const char *attributes) {
  if (moho_journal_done(s->journal) != s->n)
    return moho_fail(MOHO_ERROR_INTERNAL, "%zu of %zu blocks are done", moho_journal_done(s->journal), s->n);
  return moho_image_file_finish(s->image, attributes);
}

const moho_image_file *moho_run_saved_image(const moho_run_saved *s) {
  return s->image;
}
