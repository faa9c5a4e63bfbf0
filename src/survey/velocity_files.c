/* velocity_files.c - which format a velocity file is in, or shall be written in. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "survey/velocity_functions_inside.h"
#include "survey/velocity_write.h"

/* ---- reading ---- */

static int ends_in(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  return n > m && strcasecmp(path + n - m, end) == 0;
}

/* A text file holds no NUL; the headers of SEG-Y do. */
static int holds_bytes(const char *path) {
  char head[4096];
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  size_t n = fread(head, 1, sizeof head, file);
  fclose(file);
  return memchr(head, 0, n) != NULL;
}

static int is_cube(const char *path) {
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return 1;
  return ends_in(path, ".sgy") || ends_in(path, ".segy") || ends_in(path, ".zarr") || holds_bytes(path);
}

moho_status moho_velocity_functions_read(const char *path, const moho_velocity_options *options, moho_velocity_functions *out) {
  moho_velocity_options defaults = moho_velocity_options_default();
  if (!options) options = &defaults;
  int as_text = options->format || options->columns;
  if (!as_text && is_cube(path)) return moho_velocity_cube_read_functions(path, options, out);
  return moho_velocity_table_read_functions(path, options, out);
}

/* ---- writing ---- */

moho_velocity_write_options moho_velocity_write_options_default(void) {
  return (moho_velocity_write_options){0};
}

static moho_status choose_format(const char *path, const moho_velocity_write_options *o, moho_velocity_format *out) {
  static const char *const names[] = {"opendtect", "su", "cdp_time_velocity", "columns", "segy", "zarr"};
  enum { N = sizeof names / sizeof *names };
  *out = o->columns                                        ? MOHO_VELOCITY_COLUMNS
         : ends_in(path, ".sgy") || ends_in(path, ".segy") ? MOHO_VELOCITY_SEGY
         : ends_in(path, ".zarr")                          ? MOHO_VELOCITY_ZARR
         : ends_in(path, ".su") || ends_in(path, ".par")   ? MOHO_VELOCITY_SU
                                                           : MOHO_VELOCITY_OPENDTECT;
  if (!o->format) return MOHO_OK;
  for (int i = 0; i < N; i++)
    if (strcmp(o->format, names[i]) == 0) {
      *out = (moho_velocity_format)i;
      return MOHO_OK;
    }
  const char *nearest = moho_nearest_name(o->format, names, N);
  return moho_fail_at((moho_place){.key = "format"}, "formats: opendtect, su, cdp_time_velocity, columns, segy, zarr",
                      MOHO_ERROR_KEY, "velocity format \"%.100s\" is not known%s%s", o->format, nearest ? "; did you mean " : "",
                      nearest ? nearest : "");
}

static moho_status check_functions(const moho_velocity_functions *f) {
  if (f->n == 0) return moho_fail(MOHO_ERROR_ARGUMENT, "no velocity functions to write");
  for (size_t p = 0; p < f->n; p++) {
    if (f->start[p + 1] <= f->start[p]) return moho_fail(MOHO_ERROR_ARGUMENT, "velocity function %zu has no knots", p + 1);
    for (size_t k = f->start[p]; k < f->start[p + 1]; k++)
      if (!(f->time_s[k] >= 0) || !(f->v_mps[k] > 0) || (k > f->start[p] && !(f->time_s[k] > f->time_s[k - 1])))
        return moho_functions_fail(f, k, "times ascend from 0, velocities are above 0", MOHO_ERROR_ARGUMENT,
                                   "no knot to write: %g s, %g m/s", f->time_s[k], f->v_mps[k]);
  }
  return MOHO_OK;
}

moho_status moho_velocity_functions_write(const moho_velocity_functions *f, const char *path,
                                          const moho_velocity_write_options *options) {
  moho_velocity_write_options defaults = moho_velocity_write_options_default();
  moho_velocity_format format;
  if (!options) options = &defaults;
  MOHO_TRY(choose_format(path, options, &format));
  MOHO_TRY(check_functions(f));
  if (format == MOHO_VELOCITY_SEGY) return moho_velocity_write_segy(f, path, options);
  if (format == MOHO_VELOCITY_ZARR) return moho_velocity_write_zarr(f, path, options);
  return moho_velocity_write_text(f, path, format, options);
}
