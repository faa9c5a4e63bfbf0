/* velocity_write_text.c - velocity functions as text: columns under a heading that names them, and SU's lists. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "survey/velocity_columns.h"
#include "survey/velocity_write.h"

const char *moho_velocity_number(double value, int decimals, char text[40]) {
  int n = snprintf(text, 40, "%.*f", decimals, value);
  if (n >= 40 || !strchr(text, '.')) return text;
  while (text[n - 1] == '0') text[--n] = '\0';
  if (text[n - 1] == '.') text[n - 1] = '\0';
  return strcmp(text, "-0") == 0 ? strcpy(text, "0") : text;
}

static const char *kind_name(moho_velocity_kind kind) {
  return kind == MOHO_VELOCITY_RMS ? "Vrms" : kind == MOHO_VELOCITY_INTERVAL ? "Vint" : "Vavg";
}

static moho_status lacks(const char *path, const char *format, const char *what, const char *hint) {
  return moho_fail_at((moho_place){.file = path}, hint, MOHO_ERROR_ARGUMENT, "%s: format %s needs %s, which the functions lack",
                      path, format, what);
}

/* ---- columns ---- */

static moho_status check_places(const moho_velocity_functions *f, const char *path, const char *format, const moho_columns *c) {
  if ((c->x >= 0 || c->y >= 0) && !f->x_m)
    return lacks(path, format, "x and y", "give the grid that turns numbers into positions: --grid image.zarr");
  if ((c->inline_number >= 0 || c->crossline_number >= 0) && !f->inline_number)
    return lacks(path, format, "inline and crossline numbers", "give the grid: --grid image.zarr, or write x and y");
  if (c->cdp >= 0 && !f->cdp)
    return lacks(path, format, "CDP numbers",
                 "CDPs are for lines: give the line's grid (--grid image.zarr), or write opendtect, segy or zarr");
  return MOHO_OK;
}

static void put(double value, int decimals, const char **field, char text[40]) {
  *field = moho_velocity_number(value, decimals, text);
}

static void write_row(FILE *out, const moho_velocity_functions *f, const moho_columns *c, size_t p, size_t k) {
  const char *field[MOHO_COLUMNS];
  char text[MOHO_COLUMNS][40];
  for (size_t i = 0; i < c->n; i++) field[i] = "0"; /* "skip" */
  if (c->x >= 0) put(f->x_m[p], MOHO_POSITION_DECIMALS, &field[c->x], text[c->x]);
  if (c->y >= 0) put(f->y_m[p], MOHO_POSITION_DECIMALS, &field[c->y], text[c->y]);
  if (c->inline_number >= 0) put(f->inline_number[p], MOHO_POSITION_DECIMALS, &field[c->inline_number], text[c->inline_number]);
  if (c->crossline_number >= 0)
    put(f->crossline_number[p], MOHO_POSITION_DECIMALS, &field[c->crossline_number], text[c->crossline_number]);
  if (c->cdp >= 0) put(f->cdp[p], MOHO_POSITION_DECIMALS, &field[c->cdp], text[c->cdp]);
  int ms = c->time_scale < 1 ? 3 : 0;
  put(f->time_s[k] / c->time_scale, MOHO_VELOCITY_TIME_DECIMALS - ms, &field[c->time], text[c->time]);
  put(f->v_mps[k] / c->velocity_scale, MOHO_VELOCITY_DECIMALS + (c->velocity_scale < 1), &field[c->velocity], text[c->velocity]);
  for (size_t i = 0; i < c->n; i++) fprintf(out, "%s%s", i ? " " : "", field[i]);
  fputc('\n', out);
}

static void write_rows(FILE *out, const moho_velocity_functions *f, const moho_columns *c) {
  for (size_t p = 0; p < f->n; p++)
    for (size_t k = f->start[p]; k < f->start[p + 1]; k++) write_row(out, f, c, p, k);
}

/* Declared columns have no heading: a reader that is told them again takes any. */
static moho_status write_declared(FILE *out, const moho_velocity_functions *f, const char *path, const char *declaration) {
  moho_columns c;
  if (!declaration)
    return moho_fail_at((moho_place){.key = "columns"}, "--columns x,y,time_ms,velocity", MOHO_ERROR_KEY,
                        "velocity format columns: the columns are not declared");
  MOHO_TRY(moho_columns_declared(declaration, &c));
  MOHO_TRY(check_places(f, path, "columns", &c));
  write_rows(out, f, &c);
  return MOHO_OK;
}

/* The heading is a comment that names the columns: readers take the kind of velocity from it. */
static moho_status write_headed(FILE *out, const moho_velocity_functions *f, const char *path, const char *format,
                                const char *declaration, const char *heading) {
  moho_columns c;
  MOHO_TRY(moho_columns_declared(declaration, &c));
  MOHO_TRY(check_places(f, path, format, &c));
  fprintf(out, "# %s %s\n", heading, kind_name(f->kind));
  write_rows(out, f, &c);
  return MOHO_OK;
}

static moho_status write_opendtect(FILE *out, const moho_velocity_functions *f, const char *path) {
  if (f->x_m && f->inline_number)
    return write_headed(out, f, path, "opendtect", "inline,crossline,x,y,time_ms,velocity",
                        "Inline Crossline CDP-X CDP-Y Time(ms)");
  if (f->x_m) return write_headed(out, f, path, "opendtect", "x,y,time_ms,velocity", "CDP-X CDP-Y Time(ms)");
  if (f->inline_number)
    return write_headed(out, f, path, "opendtect", "inline,crossline,time_ms,velocity", "Inline Crossline Time(ms)");
  if (f->cdp) return write_headed(out, f, path, "opendtect", "cdp,time_ms,velocity", "CDP Time(ms)");
  if (f->n == 1) return write_headed(out, f, path, "opendtect", "time_ms,velocity", "Time(ms)");
  return lacks(path, "opendtect", "positions", "give the grid: --grid image.zarr");
}

/* ---- the file ---- */

static void write_description(FILE *out, const char *description) {
  while (description && *description) {
    size_t length = strcspn(description, "\n");
    fprintf(out, "# %.*s\n", (int)length, description);
    description += length + (description[length] == '\n');
  }
}

static moho_status write_format(FILE *out, const moho_velocity_functions *f, const char *path, moho_velocity_format format,
                                const moho_velocity_write_options *options) {
  write_description(out, options->description);
  switch (format) {
  case MOHO_VELOCITY_SU: return moho_velocity_write_su(f, path, out);
  case MOHO_VELOCITY_CDP_TIME_VELOCITY:
    return write_headed(out, f, path, "cdp_time_velocity", "cdp,time_s,velocity", "CDP Time(s)");
  case MOHO_VELOCITY_COLUMNS: return write_declared(out, f, path, options->columns);
  default: return write_opendtect(out, f, path);
  }
}

moho_status moho_velocity_write_text(const moho_velocity_functions *f, const char *path, moho_velocity_format format,
                                     const moho_velocity_write_options *options) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  moho_status status = write_format(out, f, path, format, options);
  int failed = fclose(out) != 0 || !text;
  moho_file_writer *file = NULL;
  if (!status && failed) status = moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!status) status = moho_file_writer_open(path, &file);
  if (!status) status = moho_file_writer_write(file, text, size);
  if (!status) status = moho_file_writer_commit(&file);
  else moho_file_writer_discard(&file);
  free(text);
  return status;
}
