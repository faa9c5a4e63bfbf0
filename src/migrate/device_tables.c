/* device_tables.c - what kernels are given, made from the migration's doubles. */
#include "migrate/device_tables.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/antialias.h"
#include "migrate/aperture.h"
#include "migrate/column_table.h"
#include "migrate/offset_mute.h"

_Static_assert(sizeof(migrate_terms) == (MIGRATE_LAW_ENTRIES - 1) * sizeof(migrate_slowness), "terms fill their entries");

/* Half storage: the largest value of a row becomes 2^13 .. 2^14, so that differences of neighbours stay below 65504. */
enum { HALF_EXPONENT = 14 };

size_t moho_device_law_nodes(const moho_travel_law *law) {
  return law->leg_times ? law->leg_times->n_nodes : 0;
}

size_t moho_device_law_entries(const moho_travel_law *law) {
  if (law->kind == MOHO_TRAVELTIME_STRAIGHT) return 1;
  return MIGRATE_LAW_ENTRIES + moho_pieces(moho_device_law_nodes(law), sizeof(migrate_slowness) / sizeof(float));
}

void moho_device_fill_axis(const moho_migration *m, migrate_sample *axis, migrate_node *nodes) {
  /* moho_is_stretched() of straight rays without root and division: h^2 s2 > ((1+s)^2 (1+4e-6)^2 - 1) t1^2 is muted. */
  double factor = (1 + m->options.stretch_mute) * (1 + 4e-6);
  for (size_t i = 0; i < m->axis.n; i++) {
    double t1 = m->axis.t1_first + (double)i * m->axis.t1_step;
    moho_split(m->axis.t1sq[i], &axis[i].t1sq, &axis[i].t1sq_low);
    moho_split(m->options.stretch_mute >= 0 ? (factor * factor - 1) * t1 * t1 : 1e30, &axis[i].mute, &axis[i].mute_low);
  }
  for (size_t k = 0; k < moho_device_law_nodes(&m->law); k++) {
    moho_split(m->law.leg_times->node_d2[k], &nodes[k].d2, &nodes[k].d2_low);
    moho_split(m->law.leg_times->inverse_step[k], &nodes[k].inverse_step, &nodes[k].inverse_low);
  }
}

migrate_column moho_device_column(const moho_grid *grid, const moho_window *window, uint32_t flat, uint32_t row) {
  migrate_column column = {.row = row};
  size_t i = window->inline_first + flat / window->n_crossline, j = window->crossline_first + flat % window->n_crossline;
  double x, y, along[2], across[2];
  moho_grid_node(grid, i, j, &x, &y);
  moho_antialias_axes(grid, i, j, along, across);
  moho_split(x - grid->origin_x_m, &column.x, &column.x_low);
  moho_split(y - grid->origin_y_m, &column.y, &column.y_low);
  column.along_x = (float)along[0], column.along_y = (float)along[1];
  column.across_x = (float)across[0], column.across_y = (float)across[1];
  return column;
}

/* Legs that grow from sample i on: those below a squared length, of leg times below a place between the nodes. */
static double growing_legs(const moho_travel_law *law, const moho_column_table *table, size_t i) {
  if (!law->leg_times) return table->leg2_limit[i];
  size_t node = 0;
  while (node < law->leg_times->n_nodes && table->node_grows[node] <= (int32_t)i) node++;
  return node ? (double)node - 1 : 0;
}

static void fill_terms(const moho_migration *m, const moho_column_table *table, size_t i, migrate_slowness *entry) {
  const moho_leg_terms *from = &table->legs.terms[i];
  migrate_terms terms = {.grows2 = (float)(fmin(growing_legs(&m->law, table, i), 1e30) * (1 - 1e-6))};
  moho_split(from->base, &terms.base, &terms.base_low);
  moho_split(from->a, &terms.a, &terms.a_low);
  moho_split(from->b, &terms.b, &terms.b_low);
  moho_split(table->h2_limit ? fmin(table->h2_limit[i], 1e30) : 1e30, &terms.mute2, &terms.mute2_low);
  memcpy(entry + 1, &terms, sizeof terms);
  float *squares = (float *)(entry + MIGRATE_LAW_ENTRIES);
  for (size_t k = 0; k < moho_device_law_nodes(&m->law); k++) squares[k] = table->legs.rows[k * m->law.leg_times->row_stride + i];
}

static moho_status fill_one(const moho_migration *m, moho_column_table *table, uint32_t flat, migrate_slowness *out) {
  double x, y;
  moho_migration_node(m, flat, &x, &y);
  MOHO_TRY(moho_column_table_fill(table, &m->law, &m->options, x, y));
  size_t entries = moho_device_law_entries(&m->law);
  for (size_t i = 0; i < m->axis.n; i++) {
    migrate_slowness *entry = out + i * entries;
    moho_split(table->legs.terms[i].s2, &entry->s2, &entry->s2_low);
    moho_split(table->radius[i] * table->radius[i], &entry->radius2, &entry->radius2_low);
    if (entries > 1) fill_terms(m, table, i, entry);
  }
  return MOHO_OK;
}

moho_status moho_device_fill_slowness(const moho_migration *m, const uint32_t *flat, size_t n, migrate_slowness *out) {
  moho_status status = MOHO_OK;
  moho_error error = {0};
#pragma omp parallel num_threads(m->threads)
  {
    moho_column_table table = {0};
    moho_status own = moho_column_table_create(&m->law, m->options.stretch_mute >= 0, &table);
#pragma omp for schedule(dynamic, 8)
    for (size_t c = 0; c < n; c++)
      if (!own) own = fill_one(m, &table, flat[c], out + c * m->axis.n * moho_device_law_entries(&m->law));
    if (own) {
#pragma omp critical(moho_migration_error)
      if (!status) status = own, error = moho_error_take();
    }
    moho_column_table_release(&table);
  }
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* A power of two, so that dividing by it is exact. */
static float half_scale(const float *row, size_t n) {
  float largest = 0;
  for (size_t i = 0; i < n; i++) largest = fmaxf(largest, fabsf(row[i]));
  if (!(largest > 0) || !isfinite(largest)) return 1;
  int exponent;
  frexpf(largest, &exponent);
  return ldexpf(1, exponent - HALF_EXPONENT);
}

static migrate_trace place_trace(const moho_migration *m, const moho_geometry *g, size_t i) {
  migrate_trace t = {.scale = 1};
  double offset = moho_geometry_offset(g, i), origin_x = m->grid.origin_x_m, origin_y = m->grid.origin_y_m;
  moho_split(g->source_x[i] - origin_x, &t.source_x, &t.source_x_low);
  moho_split(g->source_y[i] - origin_y, &t.source_y, &t.source_y_low);
  moho_split(g->receiver_x[i] - origin_x, &t.receiver_x, &t.receiver_x_low);
  moho_split(g->receiver_y[i] - origin_y, &t.receiver_y, &t.receiver_y_low);
  moho_split(g->first_sample_s[i] / m->layout.dt_s, &t.shift, &t.shift_low);
  moho_split(offset * offset / 4, &t.half_offset2, &t.half_offset2_low);
  t.spacing = (float)(m->options.antialias_factor * m->classes.spacing_m[moho_offset_class_of_trace(&m->classes, g, i)]);
  return t;
}

void moho_device_fill_traces(const moho_migration *m, const moho_geometry *geometry, const uint8_t *live, const float *rows,
                             size_t first_row, migrate_trace *out) {
#pragma omp parallel for num_threads(m->threads) schedule(static)
  for (long k = 0; k < (long)geometry->n; k++) {
    size_t i = (size_t)k;
    /* A trace that does not count may lie anywhere: kernels never look at it. */
    out[i] = live[i] ? place_trace(m, geometry, i) : (migrate_trace){.scale = 1};
    out[i].row = (unsigned)(first_row + i);
    out[i].live = live[i] == MOHO_PLACE_LIVE;
    moho_mute_window window = moho_mute_window_of(&m->options, moho_geometry_offset(geometry, i));
    int32_t first, end;
    moho_mute_samples(&window, m->axis.first_s, m->axis.step_s, (int32_t)m->axis.n, &first, &end);
    out[i].first = (unsigned)first, out[i].end = (unsigned)end;
    if (live[i] && m->options.storage == MOHO_STORAGE_HALF)
      out[i].scale = half_scale(rows + i * m->layout.stride, m->layout.stride);
  }
}

/* A leg of at least so many samples is interpolated to 0.0025 samples by v3's polynomial of degree 3 over a range of 32*chunks
 * samples: with nodes near +-0.38 h and +-0.93 h of [-h, h] (NODE_NEAR, NODE_FAR) the error is at most 0.14 h^4/4!
 * max|d^4t/dt1^4|, and that is at most 3/a^3 for t = sqrt(t1^2 + d^2) of a or more. */
static double leg_bound(const moho_migration *m, size_t chunks) {
  double h = 16.0 * (double)chunks * m->axis.t1_step;
  return cbrt(0.14 / 24 * 3 / 0.0025 * h * h * h * h);
}

migrate_device_parameters moho_device_parameters(const moho_migration *m, int is_uniform, unsigned storage, size_t chunks) {
  double taper = m->options.aperture_taper, band = moho_record_band(m->layout.n_samples);
  migrate_device_parameters p = {.n_time = (unsigned)m->axis.n,
                                 .image_stride = (unsigned)m->axis.stride,
                                 .table_stride = is_uniform ? 0 : (unsigned)(m->axis.n * moho_device_law_entries(&m->law)),
                                 .row_stride = (unsigned)m->layout.stride,
                                 .x0 = (unsigned)m->layout.x0,
                                 .c0 = (unsigned)m->layout.c0,
                                 .n_samples = (unsigned)m->layout.n_samples,
                                 .k_max = (unsigned)m->layout.k_max,
                                 .low = (float)-band,
                                 .taper_inv_fraction = taper > 0 ? (float)(1 / taper) : 0.0f,
                                 .taper_begin = taper > 0 ? (float)(1 - taper) : 2.0f,
                                 .shortest_time = (float)m->options.refine,
                                 .leg_bound = (float)leg_bound(m, chunks),
                                 .interpolation = (unsigned)m->options.interpolation,
                                 .antialias = (unsigned)m->options.antialias,
                                 .weight_power = (unsigned)m->t_part,
                                 .has_mute = m->options.stretch_mute >= 0,
                                 .storage = storage,
                                 .has_window = m->options.outer_mute.n || m->options.inner_mute.n,
                                 .law = (unsigned)m->law.kind,
                                 .law_entries = (unsigned)moho_device_law_entries(&m->law),
                                 .law_nodes = (unsigned)moho_device_law_nodes(&m->law),
                                 .bank_stride = (unsigned)m->layout.bank_stride,
                                 .n_limits = m->bins.kind == MOHO_GATHERS_ANGLE ? (unsigned)m->n_bins + 1 : 0,
                                 .v_dt_stride = is_uniform ? 0 : (unsigned)m->axis.n};
  if (m->layout.bank.n) {
    p.bank_inverse = (float)(1 / m->layout.bank.narrowest);
    p.bank_per_octave = (float)m->layout.bank.per_octave, p.bank_last = (float)m->layout.bank.last;
  }
  if (m->law.kind == MOHO_TRAVELTIME_CURVED_LINEAR) moho_split(m->law.c2, &p.law_c2, &p.law_c2_low);
  moho_split((double)m->layout.n_samples - 1 + band, &p.high, &p.high_low);
  return p;
}
