/* run_outputs.c - the results of a run in all their forms. */
#include "job/run_outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "survey/image_pictures.h"

/* The files of a run, in the order in which they get their final names: the report says that all the others are there. */
static const char *const results[] = {"image.zarr", "stack.sgy",   "gathers.sgy", "stack.png",
                                      "fold.png",   "gathers.png", "report.html", "report.json"};
enum { N_RESULTS = sizeof results / sizeof *results };

static moho_status join(const char *directory, const char *name, char **out) {
  if (asprintf(out, "%s/%s", directory, name) >= 0) return MOHO_OK;
  *out = NULL;
  return moho_fail(MOHO_ERROR_MEMORY, "output: out of memory");
}

static int has_format(const moho_job *job, const char *format) {
  return strstr(moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS), format) != NULL;
}

moho_status moho_run_outputs_open(const moho_job *job, int overwrite, moho_run_outputs *out) {
  *out = (moho_run_outputs){
      .zarr = has_format(job, "zarr"), .segy = has_format(job, "segy"), .png = moho_job_number(job, MOHO_KEY_OUTPUT_PNG) != 0};
  if (moho_run_directory_open(moho_job_text(job, MOHO_KEY_OUTPUT_DIRECTORY), overwrite, &out->place))
    return moho_fail_add_place(moho_job_place(job, MOHO_KEY_OUTPUT_DIRECTORY), NULL);
  out->directory = out->place.path, out->staging = out->place.staging;
  return MOHO_OK;
}

void moho_run_outputs_close(moho_run_outputs *outputs) {
  moho_run_directory_close(&outputs->place);
  *outputs = (moho_run_outputs){0};
}

/* ---- writing ---- */

typedef struct output_task {
  const moho_image *image; /* NULL: of a run of blocks, whose image is a Zarr group already */
  moho_image_rows rows;
  const char *description, *gathers_description, *title;
} output_task;

static moho_status write_result(const output_task *task, int which, const char *path) {
  switch (which) {
  case 0: return task->image ? moho_image_write_zarr(task->image, path) : MOHO_OK;
  case 1: return moho_image_rows_write_segy(&task->rows, path, task->description);
  case 2: return moho_image_rows_write_gathers_segy(&task->rows, path, task->gathers_description);
  case 3: return moho_draw_stack(&task->rows, path, task->title);
  case 4: return moho_draw_fold(&task->rows, path);
  default: return moho_draw_gathers(&task->rows, path, "Image gathers");
  }
}

static moho_status write_results(const moho_run_outputs *outputs, const output_task *task, int has_gathers) {
  const int wanted[] = {outputs->zarr, outputs->segy, outputs->segy && has_gathers,
                        outputs->png,  outputs->png,  outputs->png && has_gathers};
  for (int i = 0; i < (int)(sizeof wanted / sizeof *wanted); i++) {
    char *path;
    if (!wanted[i]) continue;
    MOHO_TRY(join(outputs->staging, results[i], &path));
    moho_status status = write_result(task, i, path);
    free(path);
    if (status) return status;
  }
  return MOHO_OK;
}

moho_status moho_run_outputs_write(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                   const char *gathers_description, const char *title) {
  output_task task = {image, moho_image_rows_of(image), description, gathers_description, title};
  return write_results(outputs, &task, image->gathers != NULL);
}

moho_status moho_run_outputs_write_saved(moho_run_outputs *outputs, const moho_image_file *file, size_t memory_bytes,
                                         const char *description, const char *gathers_description, const char *title) {
  output_task task = {NULL, {0}, description, gathers_description, title};
  MOHO_TRY(moho_image_file_open_rows(file, memory_bytes, &task.rows));
  moho_status status = write_results(outputs, &task, task.rows.bins->kind != MOHO_GATHERS_NONE);
  moho_image_rows_close(&task.rows);
  return status;
}

moho_status moho_run_outputs_write_now(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                       const char *title, const char *zarr_stem, const char *stem) {
  const struct {
    const char *stem, *ending;
    int wanted, which; /* of results */
  } files[] = {{zarr_stem, "zarr", outputs->zarr, 0}, {stem, "sgy", outputs->segy, 1}, {stem, "png", outputs->png, 3}};
  output_task task = {image, moho_image_rows_of(image), description, NULL, title};
  for (int i = 0; i < 3; i++) {
    char name[40], *path;
    if (!files[i].wanted) continue;
    snprintf(name, sizeof name, "%s.%s", files[i].stem, files[i].ending);
    MOHO_TRY(join(outputs->staging, name, &path));
    moho_status status = write_result(&task, files[i].which, path);
    free(path);
    if (!status) status = moho_run_directory_give_name(&outputs->place, name);
    if (status) return status;
  }
  return MOHO_OK;
}

/* ---- the end ---- */

/* Those that were made; image.zarr also where it is the growing image of a run of blocks. */
static moho_status is_made(const moho_run_outputs *outputs, const char *name, int *made) {
  char *path, *partial;
  MOHO_TRY(join(outputs->staging, name, &path));
  MOHO_TRY(join(outputs->directory, MOHO_PARTIAL_IMAGE, &partial));
  *made = access(path, F_OK) == 0 || (outputs->zarr && strcmp(name, results[0]) == 0 && access(partial, F_OK) == 0);
  free(path), free(partial);
  return MOHO_OK;
}

moho_status moho_run_outputs_commit(moho_run_outputs *outputs, const char *report) {
  char *path;
  const char *made[N_RESULTS];
  size_t n = 0;
  MOHO_TRY(join(outputs->staging, "report.json", &path));
  moho_status status = moho_file_write_all(path, report, strlen(report));
  free(path);
  for (int i = 0; !status && i < N_RESULTS; i++) {
    int is = 0;
    status = is_made(outputs, results[i], &is);
    if (is) made[n++] = results[i];
  }
  return status ? status : moho_run_directory_commit(&outputs->place, made, n);
}

MOHO_API moho_status moho_write_text(const char *path, const char *text) {
  return moho_file_write_all(path, text, strlen(text));
}

MOHO_API moho_status moho_write_bytes(const char *path, const void *data, size_t bytes) {
  if (!path || (!data && bytes)) return moho_fail(MOHO_ERROR_ARGUMENT, "write: a path and data, got NULL");
  return moho_file_write_all(path, data, bytes);
}
