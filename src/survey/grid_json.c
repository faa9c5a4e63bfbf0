/* grid_json.c - a grid to and from JSON. */
#include "survey/grid_json.h"

#include <math.h>
#include <stddef.h>

#include "base/memory.h"

typedef enum { REAL, WHOLE, NUMBER32, SIZE } member_kind;

static const struct {
  const char *name;
  member_kind kind;
  size_t offset;
} members[] = {{"origin_x_m", REAL, offsetof(moho_grid, origin_x_m)},
               {"origin_y_m", REAL, offsetof(moho_grid, origin_y_m)},
               {"inline_azimuth_deg", REAL, offsetof(moho_grid, inline_azimuth_deg)},
               {"flip", WHOLE, offsetof(moho_grid, flip)},
               {"inline_first", NUMBER32, offsetof(moho_grid, inline_first)},
               {"inline_step", NUMBER32, offsetof(moho_grid, inline_step)},
               {"crossline_first", NUMBER32, offsetof(moho_grid, crossline_first)},
               {"crossline_step", NUMBER32, offsetof(moho_grid, crossline_step)},
               {"n_inline", SIZE, offsetof(moho_grid, n_inline)},
               {"n_crossline", SIZE, offsetof(moho_grid, n_crossline)},
               {"inline_spacing_m", REAL, offsetof(moho_grid, inline_spacing_m)},
               {"crossline_spacing_m", REAL, offsetof(moho_grid, crossline_spacing_m)},
               {"first_s", REAL, offsetof(moho_grid, first_s)},
               {"step_s", REAL, offsetof(moho_grid, step_s)},
               {"n_time", SIZE, offsetof(moho_grid, n_time)}};
enum { N_MEMBERS = sizeof members / sizeof *members };

static json_t *member_to_json(const moho_grid *grid, size_t m) {
  const void *at = (const char *)grid + members[m].offset;
  if (members[m].kind == REAL) return json_real(*(const double *)at);
  if (members[m].kind == WHOLE) return json_boolean(*(const int *)at);
  if (members[m].kind == NUMBER32) return json_integer(*(const int32_t *)at);
  return json_integer((json_int_t) * (const size_t *)at);
}

static json_t *line_to_json(const double *values, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; i < n; i++) json_array_append_new(list, json_real(values[i]));
  return list;
}

json_t *moho_grid_to_json(const moho_grid *grid) {
  json_t *json = json_object();
  int failed = !json;
  for (size_t m = 0; m < N_MEMBERS; m++) failed |= json_object_set_new(json, members[m].name, member_to_json(grid, m)) != 0;
  if (grid->line_x_m) {
    failed |= json_object_set_new(json, "line_x_m", line_to_json(grid->line_x_m, grid->n_crossline)) != 0;
    failed |= json_object_set_new(json, "line_y_m", line_to_json(grid->line_y_m, grid->n_crossline)) != 0;
  }
  if (!failed) return json;
  json_decref(json);
  return NULL;
}

static moho_status bad_member(const char *file, const char *name, const char *expected) {
  return moho_fail_at((moho_place){.file = file, .key = name}, "write the image again, or remove the attribute \"grid\"",
                      MOHO_ERROR_FORMAT, "%s: attribute grid.%s is missing or not %s", file, name, expected);
}

static moho_status member_from_json(const json_t *value, const char *file, size_t m, moho_grid *grid) {
  void *at = (char *)grid + members[m].offset;
  json_int_t whole = json_integer_value(value);
  if (members[m].kind == REAL) {
    if (!json_is_number(value)) return bad_member(file, members[m].name, "a number");
    *(double *)at = json_number_value(value);
  } else if (members[m].kind == WHOLE) {
    if (!json_is_boolean(value)) return bad_member(file, members[m].name, "true or false");
    *(int *)at = json_is_true(value);
  } else if (members[m].kind == NUMBER32) {
    if (!json_is_integer(value) || whole < INT32_MIN || whole > INT32_MAX)
      return bad_member(file, members[m].name, "a whole number");
    *(int32_t *)at = (int32_t)whole;
  } else {
    if (!json_is_integer(value) || whole < 1) return bad_member(file, members[m].name, "a whole number of at least 1");
    *(size_t *)at = (size_t)whole;
  }
  return MOHO_OK;
}

static moho_status line_from_json(const json_t *list, const char *file, const char *name, size_t n, double **out) {
  if (json_array_size(list) != n) return bad_member(file, name, "a list with a number for every crossline");
  MOHO_TRY(moho_allocate(n, sizeof **out, name, out));
  for (size_t i = 0; i < n; i++) {
    const json_t *value = json_array_get(list, i);
    if (!json_is_number(value)) return bad_member(file, name, "a list of numbers");
    (*out)[i] = json_number_value(value);
  }
  return MOHO_OK;
}

static moho_status fill_from_json(const json_t *json, const char *file, moho_grid *out) {
  for (size_t m = 0; m < N_MEMBERS; m++) MOHO_TRY(member_from_json(json_object_get(json, members[m].name), file, m, out));
  if (json_object_get(json, "line_x_m")) {
    MOHO_TRY(line_from_json(json_object_get(json, "line_x_m"), file, "line_x_m", out->n_crossline, &out->line_x_m));
    MOHO_TRY(line_from_json(json_object_get(json, "line_y_m"), file, "line_y_m", out->n_crossline, &out->line_y_m));
  }
  return moho_grid_check(out);
}

moho_status moho_grid_from_json(const json_t *json, const char *file, moho_grid *out) {
  *out = moho_grid_default();
  moho_status status = fill_from_json(json, file, out);
  if (!status) return MOHO_OK;
  moho_grid_release(out);
  return moho_fail_add_place((moho_place){.file = file, .key = "grid"}, NULL);
}
