/* run_outputs.c - results are staged in a temporary directory within the output directory and renamed in the end. */
#include "job/run_outputs.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "moho/view.h"

/* The files of a run, in the order in which they get their final names: the report says that all the others are there. */
static const char *const results[] = {"image.zarr", "stack.sgy",   "gathers.sgy", "stack.png",
                                      "fold.png",   "gathers.png", "report.json"};
enum { N_RESULTS = sizeof results / sizeof *results };

static const char staging_name[] = "moho-run";

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

/* ---- the directory ---- */

/* "moho-run.partial-123" is left by a run that was killed when no process 123 lives any more: swept away. 1 when it was. */
static int sweep_abandoned(const char *directory, const char *name) {
  char *end, *path;
  size_t length = strlen(staging_name);
  if (strncmp(name, staging_name, length) != 0 || strncmp(name + length, ".partial-", 9) != 0) return 0;
  long process = strtol(name + length + 9, &end, 10);
  if (*end || process <= 0 || process == (long)getpid() || kill((pid_t)process, 0) == 0 || errno != ESRCH) return 0;
  if (join(directory, name, &path)) return 0;
  moho_directory_discard(&path);
  return 1;
}

/* The first entry that is there; "" when the directory is empty. */
static moho_status first_entry(const char *directory, char name[256]) {
  name[0] = '\0';
  DIR *listing = opendir(directory);
  if (!listing) return system_failure(directory, "reading the directory", errno, "check its permissions");
  struct dirent *entry;
  while ((entry = readdir(listing)))
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && !sweep_abandoned(directory, entry->d_name) && !name[0])
      snprintf(name, 256, "%s", entry->d_name);
  closedir(listing);
  return MOHO_OK;
}

static moho_status make_directory(moho_run_outputs *outputs) {
  struct stat status;
  if (stat(outputs->directory, &status) == 0) {
    if (S_ISDIR(status.st_mode)) return MOHO_OK;
    return moho_fail_at((moho_place){.file = outputs->directory, .key = "output.directory"}, "name a directory",
                        MOHO_ERROR_EXISTS, "%s is a file, expected a directory for the results", outputs->directory);
  }
  MOHO_TRY(moho_directory_make(outputs->directory));
  outputs->created = 1;
  return MOHO_OK;
}

static moho_status refuse_other_content(const char *directory) {
  char name[256];
  MOHO_TRY(first_entry(directory, name));
  if (!name[0]) return MOHO_OK;
  return moho_fail_at(
      (moho_place){.file = directory, .key = "output.directory"},
      "name another output.directory; --overwrite replaces earlier results in it (only files of Moho's own names)",
      MOHO_ERROR_EXISTS, "%s is not empty (it holds %s)", directory, name);
}

static int has_format(const moho_job *job, const char *format) {
  return strstr(moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS), format) != NULL;
}

static moho_status open_directory(const moho_job *job, int overwrite, moho_run_outputs *outputs) {
  outputs->directory = strdup(moho_job_text(job, MOHO_KEY_OUTPUT_DIRECTORY));
  if (!outputs->directory) return out_of_memory();
  MOHO_TRY(make_directory(outputs));
  if (!overwrite) MOHO_TRY(refuse_other_content(outputs->directory));
  char *inside;
  MOHO_TRY(join(outputs->directory, staging_name, &inside));
  moho_status status = moho_directory_begin(inside, &outputs->staging); /* fails now where nothing can be written later */
  free(inside);
  return status;
}

moho_status moho_run_outputs_open(const moho_job *job, int overwrite, moho_run_outputs *out) {
  *out = (moho_run_outputs){
      .zarr = has_format(job, "zarr"), .segy = has_format(job, "segy"), .png = moho_job_number(job, MOHO_KEY_OUTPUT_PNG) != 0};
  moho_status status = open_directory(job, overwrite, out);
  if (!status) return MOHO_OK;
  moho_error error = moho_error_take();
  moho_run_outputs_close(out);
  moho_error_set(&error);
  return moho_fail_add_place(moho_job_place(job, MOHO_KEY_OUTPUT_DIRECTORY), NULL);
}

void moho_run_outputs_close(moho_run_outputs *outputs) {
  if (outputs->staging) moho_directory_discard(&outputs->staging);
  if (outputs->created) rmdir(outputs->directory); /* stays where anything is in it */
  free(outputs->directory);
  *outputs = (moho_run_outputs){0};
}

/* ---- pictures ---- */

static moho_view_axis column_axis(const moho_grid *grid, int along_inline) {
  if (along_inline)
    return (moho_view_axis){.label = moho_grid_is_line(grid) ? "CDP" : "crossline",
                            .unit = "",
                            .first = grid->crossline_first,
                            .step = grid->crossline_step};
  return (moho_view_axis){.label = "inline", .unit = "", .first = grid->inline_first, .step = grid->inline_step};
}

static moho_view_axis time_axis(const moho_grid *grid) {
  return (moho_view_axis){.label = "time", .unit = "s", .first = grid->first_s, .step = grid->step_s};
}

/* The middle inline, or the only crossline when each inline has but one node. */
static moho_status draw_stack(const moho_image *image, const char *path, const char *title) {
  const moho_grid *grid = &image->grid;
  moho_view_options options = moho_view_options_default();
  int along = grid->n_crossline > 1 || grid->n_inline == 1;
  size_t middle = along ? grid->n_inline / 2 : 0, across = along ? grid->n_crossline : grid->n_inline;
  char subtitle[80];
  snprintf(subtitle, sizeof subtitle, "inline %d", (int)(grid->inline_first + (int32_t)middle * grid->inline_step));
  options.title = title;
  options.subtitle = along && !moho_grid_is_line(grid) ? subtitle : NULL;
  options.value_label = "amplitude";
  options.across = column_axis(grid, along);
  options.down = time_axis(grid);
  return moho_view_write_png(path, image->stack + middle * grid->n_crossline * grid->n_time, across, grid->n_time, grid->n_time,
                             1, &options);
}

/* Fold per column: its maximum over time. */
static void fold_map(const moho_image *image, float *map) {
  const moho_grid *grid = &image->grid;
  for (size_t c = 0; c < grid->n_inline * grid->n_crossline; c++) {
    int32_t most = 0;
    for (size_t k = 0; k < grid->n_time; k++) {
      int32_t fold = image->fold[c * grid->n_time + k];
      most = fold > most ? fold : most;
    }
    map[c] = (float)most;
  }
}

static moho_status draw_fold(const moho_image *image, const char *path) {
  const moho_grid *grid = &image->grid;
  size_t columns = grid->n_inline * grid->n_crossline;
  int line = moho_grid_is_line(grid);
  float *values;
  MOHO_TRY(moho_allocate(line ? columns * grid->n_time : columns, sizeof *values, "fold picture", &values));
  moho_view_options options = moho_view_options_default();
  options.title = line ? "Fold" : "Fold (largest over time)";
  options.value_label = "traces";
  options.colours = MOHO_VIEW_SEQUENTIAL;
  options.symmetric = 0;
  options.across = column_axis(grid, grid->n_crossline > 1 || !line);
  options.down = line ? time_axis(grid) : column_axis(grid, 0);
  moho_status status;
  if (line) {
    for (size_t i = 0; i < columns * grid->n_time; i++) values[i] = (float)image->fold[i];
    status = moho_view_write_png(path, values, columns, grid->n_time, grid->n_time, 1, &options);
  } else {
    fold_map(image, values);
    status = moho_view_write_png(path, values, grid->n_crossline, grid->n_inline, 1, grid->n_crossline, &options);
  }
  free(values);
  return status;
}

/* ---- writing and renaming ---- */

typedef struct output_task {
  const moho_image *image;
  const char *description, *gathers_description, *title;
} output_task;

static moho_status write_result(const output_task *task, int which, const char *path) {
  switch (which) {
  case 0: return moho_image_write_zarr(task->image, path);
  case 1: return moho_image_write_segy(task->image, path, task->description);
  case 2: return moho_image_write_gathers_segy(task->image, path, task->gathers_description);
  case 3: return draw_stack(task->image, path, task->title);
  case 4: return draw_fold(task->image, path);
  default: return moho_draw_gathers(task->image, path, "Image gathers");
  }
}

moho_status moho_run_outputs_write(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                   const char *gathers_description, const char *title) {
  output_task task = {image, description, gathers_description, title};
  int has_gathers = image->gathers != NULL;
  const int wanted[] = {outputs->zarr, outputs->segy, outputs->segy && has_gathers,
                        outputs->png,  outputs->png,  outputs->png && has_gathers};
  for (int i = 0; i + 1 < N_RESULTS; i++) {
    char *path;
    if (!wanted[i]) continue;
    MOHO_TRY(join(outputs->staging, results[i], &path));
    moho_status status = write_result(&task, i, path);
    free(path);
    if (status) return status;
  }
  return MOHO_OK;
}

/* One result from the staging directory to its final name; those that this run did not write are passed over. */
static moho_status give_final_name(const moho_run_outputs *outputs, const char *name) {
  char *staged = NULL, *final = NULL;
  struct stat there;
  moho_status status = join(outputs->staging, name, &staged);
  if (!status) status = join(outputs->directory, name, &final);
  if (!status && lstat(staged, &there) == 0) {
    if (S_ISDIR(there.st_mode)) status = moho_directory_commit(final, &staged);
    else if (rename(staged, final))
      status = system_failure(final, "renaming to its final name", errno, "move away what is there");
  }
  free(staged);
  free(final);
  return status;
}

moho_status moho_run_outputs_write_now(moho_run_outputs *outputs, const moho_image *image, const char *description,
                                       const char *title, const char *zarr_stem, const char *stem) {
  const struct {
    const char *stem, *ending;
    int wanted, which; /* of results */
  } files[] = {{zarr_stem, "zarr", outputs->zarr, 0}, {stem, "sgy", outputs->segy, 1}, {stem, "png", outputs->png, 3}};
  output_task task = {image, description, NULL, title};
  for (int i = 0; i < 3; i++) {
    char name[40], *path;
    if (!files[i].wanted) continue;
    snprintf(name, sizeof name, "%s.%s", files[i].stem, files[i].ending);
    MOHO_TRY(join(outputs->staging, name, &path));
    moho_status status = write_result(&task, files[i].which, path);
    free(path);
    if (!status) status = give_final_name(outputs, name);
    if (status) return status;
  }
  return MOHO_OK;
}

moho_status moho_run_outputs_commit(moho_run_outputs *outputs, const char *report) {
  char *path;
  MOHO_TRY(join(outputs->staging, "report.json", &path));
  moho_status status = moho_file_write_all(path, report, strlen(report));
  free(path);
  for (int i = 0; !status && i < N_RESULTS; i++) status = give_final_name(outputs, results[i]);
  return status;
}

MOHO_API moho_status moho_write_text(const char *path, const char *text) {
  return moho_file_write_all(path, text, strlen(text));
}
