/* trace_select.c - traces taken by offset, azimuth, offset vector and a condition on headers; blocks of traces side by side. */
#include "survey/trace_select.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "moho/gathers.h"

static const double edge_m = 1e-6, edge_deg = 1e-7; /* what rounding may push off an end */

/* ---- names ---- */

typedef enum {
  OFFSET_M,
  AZIMUTH_DEG,
  SOURCE_X_M,
  SOURCE_Y_M,
  RECEIVER_X_M,
  RECEIVER_Y_M,
  MIDPOINT_X_M,
  MIDPOINT_Y_M,
  FIRST_SAMPLE_S,
  TRACE,
  DERIVED_COUNT
} derived;

static const char *const derived_names[DERIVED_COUNT] = {"offset_m",       "azimuth_deg",  "source_x_m",   "source_y_m",
                                                         "receiver_x_m",   "receiver_y_m", "midpoint_x_m", "midpoint_y_m",
                                                         "first_sample_s", "trace"};

static const char *find_name(const char *name) {
  for (int i = 0; i < DERIVED_COUNT; i++)
    if (strcasecmp(name, derived_names[i]) == 0) return derived_names[i];
  return moho_header_known(name);
}

static size_t list_names(const char **names, size_t capacity) {
  size_t count = moho_header_names(names, capacity);
  for (int i = 0; i < DERIVED_COUNT && count < capacity; i++) names[count++] = derived_names[i];
  return count;
}

const moho_where_vocabulary moho_trace_vocabulary = {find_name, list_names};

static int derived_of(const char *name) {
  for (int i = 0; i < DERIVED_COUNT; i++)
    if (name == derived_names[i]) return i;
  return -1;
}

/* ---- create ---- */

moho_selection moho_selection_default(void) {
  return (moho_selection){.ovt_inline_m = {-INFINITY, INFINITY}, .ovt_crossline_m = {-INFINITY, INFINITY}};
}

moho_status moho_selection_check_where(const char *where) {
  moho_where *parsed;
  MOHO_TRY(moho_where_parse(where, &moho_trace_vocabulary, &parsed));
  moho_where_destroy(&parsed);
  return MOHO_OK;
}

static moho_status check_range(const char *key, const double range[2]) {
  if (range[0] <= range[1]) return MOHO_OK;
  return moho_fail_at((moho_place){.key = key}, "the smaller number stands first", MOHO_ERROR_RANGE,
                      "%s is [%.15g, %.15g], which holds nothing", key, range[0], range[1]);
}

static moho_status check_sectors(const moho_selection *s) {
  double most = s->azimuth_folded ? 180 : 360;
  for (size_t i = 0; i < s->n_azimuths; i++)
    for (int end = 0; end < 2; end++)
      if (!(s->azimuth_deg[i][end] >= 0 && s->azimuth_deg[i][end] <= most))
        return moho_fail_at((moho_place){.key = "input.select.azimuth_deg"},
                            s->azimuth_folded ? "azimuths are folded: 190 is 10" : "-10 is 350; [350, 10] goes through north",
                            MOHO_ERROR_RANGE, "input.select.azimuth_deg holds %.15g, expected 0 to %g%s", s->azimuth_deg[i][end],
                            most, s->azimuth_folded ? " as azimuth_folded is set" : "");
  return MOHO_OK;
}

moho_status moho_trace_selector_create(const moho_selection *selection, moho_trace_selector *out) {
  *out = (moho_trace_selector){.selection = selection};
  if (!selection) return MOHO_OK;
  if (selection->by_offset) MOHO_TRY(check_range("input.select.offset_m", selection->offset_m));
  if (selection->by_offset && selection->offset_m[0] < 0)
    return moho_fail_at((moho_place){.key = "input.select.offset_m"},
                        "offset_m is the distance |s-r|; by the sign of the header: where: \"offset < 0\"", MOHO_ERROR_RANGE,
                        "input.select.offset_m begins at %g m, expected 0 or more", selection->offset_m[0]);
  MOHO_TRY(check_sectors(selection));
  if (selection->by_ovt) {
    MOHO_TRY(check_range("input.select.ovt.inline_m", selection->ovt_inline_m));
    MOHO_TRY(check_range("input.select.ovt.crossline_m", selection->ovt_crossline_m));
  }
  return selection->where ? moho_where_parse(selection->where, &moho_trace_vocabulary, &out->where) : MOHO_OK;
}

void moho_trace_selector_release(moho_trace_selector *selector) {
  moho_where_destroy(&selector->where);
}

moho_status moho_trace_selector_want(const moho_trace_selector *selector, moho_header_columns *columns) {
  size_t column;
  for (size_t i = 0; selector->where && i < moho_where_count(selector->where); i++)
    if (derived_of(moho_where_name(selector->where, i)) < 0)
      MOHO_TRY(moho_header_columns_want(columns, moho_where_name(selector->where, i), &column));
  return MOHO_OK;
}

/* ---- where the values of a name come from ---- */

typedef struct value_source {
  int derived; /* -1: not */
  size_t column;
  const int32_t *whole; /* of the geometry, where there are no headers */
  const double *real;
  int is_whole;
} value_source;

typedef struct select_run {
  const moho_trace_selector *selector;
  const moho_geometry *geometry;
  const moho_header_columns *columns;
  size_t n_sources;
  value_source sources[MOHO_WHERE_NAMES];
  uint8_t *holds; /* [trace] 1 when taken */
} select_run;

/* Zarr files keep a trace's geometry and numbers, and no other headers. */
static moho_status find_in_geometry(const select_run *run, const char *path, const char *name, value_source *out) {
  const moho_geometry *g = run->geometry;
  const struct {
    const char *name;
    const int32_t *whole;
    const double *real;
  } arrays[] = {{"cdp", g->cdp, NULL},
                {"inline", g->inline_number, NULL},
                {"crossline", g->crossline_number, NULL},
                {"source_x", NULL, g->source_x},
                {"source_y", NULL, g->source_y},
                {"receiver_x", NULL, g->receiver_x},
                {"receiver_y", NULL, g->receiver_y}};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    if (strcmp(name, arrays[i].name) == 0) {
      out->whole = arrays[i].whole, out->real = arrays[i].real, out->is_whole = arrays[i].whole != NULL;
      return MOHO_OK;
    }
  return moho_fail_at((moho_place){.file = path, .key = "input.select.where"},
                      "it has cdp, inline, crossline, source_x, receiver_x, ...; offset_m and azimuth_deg are worked out",
                      MOHO_ERROR_NOT_AVAILABLE, "%s is a Zarr file: it keeps no trace header %s", path, name);
}

static moho_status find_sources(select_run *run, const char *path) {
  moho_where *where = run->selector->where;
  moho_where_type types[MOHO_WHERE_NAMES];
  run->n_sources = where ? moho_where_count(where) : 0;
  for (size_t i = 0; i < run->n_sources; i++) {
    const char *name = moho_where_name(where, i);
    value_source *source = &run->sources[i];
    int64_t least = INT32_MIN, most = INT32_MAX;
    *source = (value_source){.derived = derived_of(name)};
    if (source->derived == TRACE) source->is_whole = 1, least = 1, most = (int64_t)run->geometry->n;
    else if (source->derived < 0 && !run->columns) MOHO_TRY(find_in_geometry(run, path, name, source));
    else if (source->derived < 0) {
      while (run->columns->names[source->column] != name) source->column++;
      source->is_whole = moho_header_columns_is_whole(run->columns, source->column, &least, &most);
    }
    types[i] = (moho_where_type){source->is_whole, least, most};
  }
  return where ? moho_where_bind(where, types) : MOHO_OK;
}

static double derived_value(const moho_geometry *g, derived what, size_t i) {
  switch (what) {
  case OFFSET_M: return moho_geometry_offset(g, i);
  case AZIMUTH_DEG: return moho_geometry_azimuth_deg(g, i);
  case SOURCE_X_M: return g->source_x[i];
  case SOURCE_Y_M: return g->source_y[i];
  case RECEIVER_X_M: return g->receiver_x[i];
  case RECEIVER_Y_M: return g->receiver_y[i];
  case MIDPOINT_X_M: return (g->source_x[i] + g->receiver_x[i]) / 2;
  case MIDPOINT_Y_M: return (g->source_y[i] + g->receiver_y[i]) / 2;
  default: return g->first_sample_s[i];
  }
}

/* A block of a name's values; places unknown are NaN, which compares with nothing. */
static void fill_column(const select_run *run, const value_source *source, size_t first, size_t n, int64_t *whole, double *real) {
  const moho_geometry *g = run->geometry;
  if (source->derived == TRACE) {
    for (size_t i = 0; i < n; i++) whole[i] = (int64_t)(first + i) + 1;
  } else if (source->derived >= 0) {
    for (size_t i = 0; i < n; i++)
      real[i] = g->flags[first + i] & MOHO_TRACE_NO_POSITION && source->derived != FIRST_SAMPLE_S
                    ? NAN
                    : derived_value(g, (derived)source->derived, first + i);
  } else if (source->whole) {
    for (size_t i = 0; i < n; i++) whole[i] = source->whole[first + i];
  } else if (source->real) {
    memcpy(real, source->real + first, n * sizeof *real);
  } else if (source->is_whole) {
    moho_header_columns_whole(run->columns, source->column, first, n, whole);
  } else {
    moho_header_columns_real(run->columns, source->column, first, n, real);
  }
}

/* ---- a block ---- */

typedef struct block_counts {
  size_t offset, azimuth, ovt, where, selected;
} block_counts;

typedef struct workspace {
  int64_t *values; /* [n_sources][MOHO_WHERE_BLOCK], whole or double */
  void *registers;
} workspace;

static int in_range(double value, const double range[2]) {
  return value >= range[0] - edge_m && value <= range[1] + edge_m;
}

static int holds_offset(const select_run *run, size_t i) {
  return in_range(moho_geometry_offset(run->geometry, i), run->selector->selection->offset_m);
}

/* From..to clockwise; an azimuth just below the full turn is one just below 0 too. */
static int in_sector(double azimuth, const double sector[2], double turn) {
  double from = sector[0], to = sector[1] >= sector[0] ? sector[1] : sector[1] + turn;
  for (double a = azimuth - turn; a <= azimuth + turn; a += turn)
    if (a >= from - edge_deg && a <= to + edge_deg) return 1;
  return 0;
}

static int holds_azimuth(const select_run *run, size_t i) {
  const moho_selection *s = run->selector->selection;
  const moho_geometry *g = run->geometry;
  if (g->source_x[i] == g->receiver_x[i] && g->source_y[i] == g->receiver_y[i]) return 0;
  double turn = s->azimuth_folded ? 180 : 360, azimuth = fmod(moho_geometry_azimuth_deg(g, i), turn);
  for (size_t k = 0; k < s->n_azimuths; k++)
    if (in_sector(azimuth, s->azimuth_deg[k], turn)) return 1;
  return 0;
}

static int holds_ovt(const select_run *run, size_t i) {
  const moho_selection *s = run->selector->selection;
  const moho_grid axes = {.inline_azimuth_deg = s->inline_azimuth_deg, .flip = s->flip};
  double along, across;
  moho_grid_offset_vector(&axes, run->geometry, i, &along, &across);
  if (in_range(along, s->ovt_inline_m) && in_range(across, s->ovt_crossline_m)) return 1;
  return s->ovt_folded && in_range(-along, s->ovt_inline_m) && in_range(-across, s->ovt_crossline_m);
}

/* holds &= criterion, counting those that hold it by themselves. */
static void apply(const select_run *run, size_t first, size_t n, int (*criterion)(const select_run *, size_t), size_t *count) {
  for (size_t i = first; i < first + n; i++) {
    uint8_t one = (run->geometry->flags[i] & MOHO_TRACE_NO_POSITION) ? 0 : (uint8_t)criterion(run, i);
    *count += one;
    run->holds[i] &= one;
  }
}

static moho_status apply_where(const select_run *run, const workspace *w, size_t first, size_t n, size_t *count) {
  moho_where_column columns[MOHO_WHERE_NAMES];
  uint8_t one[MOHO_WHERE_BLOCK];
  size_t failed = 0;
  for (size_t k = 0; k < run->n_sources; k++) {
    int64_t *whole = w->values + k * MOHO_WHERE_BLOCK;
    fill_column(run, &run->sources[k], first, n, whole, (double *)whole);
    columns[k].whole = whole;
  }
  if (moho_where_evaluate(run->selector->where, w->registers, columns, n, one, &failed)) {
    const moho_error error = moho_error_take();
    return moho_fail_at((moho_place){.key = error.key, .trace = (int64_t)(first + failed) + 1}, error.hint, error.code,
                        "trace %zu: %s", first + failed + 1, error.message);
  }
  for (size_t i = 0; i < n; i++) *count += one[i], run->holds[first + i] &= one[i];
  return MOHO_OK;
}

static moho_status select_block(const select_run *run, const workspace *w, size_t first, size_t n, block_counts *counts) {
  const moho_selection *s = run->selector->selection;
  memset(run->holds + first, 1, n);
  if (s->by_offset) apply(run, first, n, holds_offset, &counts->offset);
  if (s->n_azimuths) apply(run, first, n, holds_azimuth, &counts->azimuth);
  if (s->by_ovt) apply(run, first, n, holds_ovt, &counts->ovt);
  if (run->selector->where) MOHO_TRY(apply_where(run, w, first, n, &counts->where));
  for (size_t i = first; i < first + n; i++) counts->selected += run->holds[i];
  return MOHO_OK;
}

static moho_status workspace_create(const select_run *run, workspace *w) {
  *w = (workspace){0};
  if (!run->selector->where) return MOHO_OK;
  MOHO_TRY(moho_allocate((run->n_sources + 1) * MOHO_WHERE_BLOCK, sizeof *w->values, "condition", &w->values));
  return moho_allocate(moho_where_scratch_bytes(run->selector->where), 1, "condition", &w->registers);
}

/* Of several errors the one of the first trace is told, however the threads ran. */
static moho_status select_blocks(const select_run *run, moho_selection_counts *counts) {
  size_t n = run->geometry->n, blocks = moho_pieces(n, MOHO_WHERE_BLOCK), error_block = SIZE_MAX;
  moho_error error = {0};
#pragma omp parallel if (blocks > 16)
  {
    workspace w;
    block_counts mine = {0};
    moho_status ready = workspace_create(run, &w);
#pragma omp for schedule(dynamic, 16)
    for (size_t block = 0; block < blocks; block++) {
      size_t first = block * MOHO_WHERE_BLOCK;
      if (ready || select_block(run, &w, first, moho_smaller(n - first, MOHO_WHERE_BLOCK), &mine)) {
#pragma omp critical(moho_trace_select_error)
        if (block < error_block) error = moho_error_take(), error_block = block;
      }
    }
#pragma omp critical(moho_trace_select_counts)
    counts->offset += mine.offset, counts->azimuth += mine.azimuth, counts->ovt += mine.ovt, counts->where += mine.where,
        counts->selected += mine.selected;
    free(w.values);
    free(w.registers);
  }
  return error_block == SIZE_MAX ? MOHO_OK : moho_error_set(&error);
}

/* ---- the whole file ---- */

static moho_status refuse_none(const select_run *run, const char *path, const moho_selection_counts *c) {
  const moho_geometry *g = run->geometry;
  double least = INFINITY, most = 0;
  char each[200] = "";
  const struct {
    int asked;
    const char *name;
    size_t count;
  } criteria[] = {{c->by_offset, "offset_m", c->offset},
                  {c->by_azimuth, "azimuth_deg", c->azimuth},
                  {c->by_ovt, "ovt", c->ovt},
                  {c->by_where, "where", c->where}};
  for (size_t i = 0, used = 0; i < 4; i++)
    if (criteria[i].asked)
      used += (size_t)snprintf(each + used, sizeof each - used, "%s%s takes %zu", used ? ", " : "", criteria[i].name,
                               criteria[i].count);
  for (size_t i = 0; i < g->n; i++) {
    if (g->flags[i] & MOHO_TRACE_NO_POSITION) continue;
    double offset = moho_geometry_offset(g, i);
    least = fmin(least, offset), most = fmax(most, offset);
  }
  char hint[200] = "moho info shows what the traces hold";
  if (least <= most) snprintf(hint, sizeof hint, "offsets are %.6g to %.6g m; moho info shows more", least, most);
  return moho_fail_at((moho_place){.file = path, .key = "input.select"}, hint, MOHO_ERROR_RANGE,
                      "%s: no trace is selected: of %zu traces %s", path, c->total, each);
}

static moho_status list_taken(const select_run *run, size_t selected, size_t **taken) {
  MOHO_TRY(moho_allocate(selected, sizeof **taken, "selected traces", taken));
  size_t n = 0;
  for (size_t i = 0; i < run->geometry->n; i++)
    if (run->holds[i]) (*taken)[n++] = i;
  return MOHO_OK;
}

moho_status moho_trace_selector_run(const moho_trace_selector *selector, const char *path, const moho_geometry *geometry,
                                    const moho_header_columns *columns, moho_selection_counts *counts, size_t **taken) {
  const moho_selection *s = selector->selection;
  select_run run = {.selector = selector, .geometry = geometry, .columns = columns};
  *taken = NULL;
  *counts = (moho_selection_counts){.total = geometry->n,
                                    .by_offset = s->by_offset,
                                    .by_azimuth = s->n_azimuths != 0,
                                    .by_ovt = s->by_ovt,
                                    .by_where = s->where != NULL};
  MOHO_TRY(find_sources(&run, path));
  MOHO_TRY(moho_allocate(geometry->n, 1, "selected traces", &run.holds));
  moho_status status = select_blocks(&run, counts);
  if (!s->by_offset) counts->offset = counts->total;
  if (!s->n_azimuths) counts->azimuth = counts->total;
  if (!s->by_ovt) counts->ovt = counts->total;
  if (!s->where) counts->where = counts->total;
  if (!status && !counts->selected) status = refuse_none(&run, path, counts);
  if (!status) status = list_taken(&run, counts->selected, taken);
  free(run.holds);
  return status;
}
