/* device_tables.h - what kernels/migrate_device.h says that kernels are given, made from the migration's doubles.
 *
 * A value that decides about the fold is split: high + low, the two floats nearest to the double (some 48 bits).
 */
#ifndef MOHO_MIGRATE_DEVICE_TABLES_H
#define MOHO_MIGRATE_DEVICE_TABLES_H

#include "kernels/migrate_device.h"
#include "migrate/migration_internal.h"

static inline void moho_split(double x, float *high, float *low) {
  *high = (float)x;
  *low = (float)(x - (double)*high);
}

/* Entries of the table that a law has for a sample, and nodes of leg times (curved_ray). */
size_t moho_device_law_entries(const moho_travel_law *law);
size_t moho_device_law_nodes(const moho_travel_law *law);

/* axis [n_time], nodes [law nodes] */
void moho_device_fill_axis(const moho_migration *m, migrate_sample *axis, migrate_node *nodes);
/* One grid node; row: of image, fold and table. */
migrate_column moho_device_column(const moho_grid *grid, const moho_window *window, uint32_t flat, uint32_t row);
/* The tables of `n` columns, flat[i] the grid's number: out [n, n_time, law entries], in parallel. */
moho_status moho_device_fill_slowness(const moho_migration *m, const uint32_t *flat, size_t n, migrate_slowness *out);
/* What `live` says of a trace besides 0, dead: it takes part; or it would, but falls into no bin of the gathers. */
enum { MOHO_PLACE_LIVE = 1, MOHO_PLACE_UNBINNED = 2 };

/* Traces of rows first_row .. as kernels see them; rows [n, stride] are looked at for the scale of half storage. */
void moho_device_fill_traces(const moho_migration *m, const moho_geometry *geometry, const uint8_t *live, const float *rows,
                             size_t first_row, migrate_trace *out);
/* Everything that no launch changes. */
migrate_device_parameters moho_device_parameters(const moho_migration *m, int is_uniform, unsigned storage, size_t chunks);

#endif
