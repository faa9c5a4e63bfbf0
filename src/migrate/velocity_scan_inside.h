/* velocity_scan_inside.h - what the sources of the velocity scan share. */
#ifndef MOHO_MIGRATE_VELOCITY_SCAN_INSIDE_H
#define MOHO_MIGRATE_VELOCITY_SCAN_INSIDE_H

#include <jansson.h>

#include "migrate/scan_picks.h"
#include "moho/velocity_scan.h"
#include "survey/zarr_store.h"

typedef struct moho_scan_option {
  const char *name, *unit;
  size_t offset; /* in moho_velocity_scan_options */
  int whole;     /* an int, else a double */
  double low, high;
  const char *meaning;
} moho_scan_option;

enum { MOHO_SCAN_OPTIONS = 22 };
extern const moho_scan_option moho_scan_options[MOHO_SCAN_OPTIONS];
double moho_scan_option_value(const moho_velocity_scan_options *options, const moho_scan_option *option);
moho_status moho_scan_options_check(const moho_velocity_scan_options *options);

/* ---- scan_gathers.c: offset gathers on disk ---- */

typedef struct moho_scan_gathers {
  char *path;
  moho_grid grid;
  size_t n_offsets;
  double *offset_m; /* [n_offsets] r.m.s. offset of the traces in a bin where the file tells it, else its centre */
  moho_zarr_array *values, *fold;
} moho_scan_gathers;

moho_status moho_scan_gathers_open(const char *path, moho_scan_gathers *out);
void moho_scan_gathers_close(moho_scan_gathers *gathers);
/* Inlines [first, first + n): [n, crossline, offset, time]; NaN where nothing fell. free() it. */
moho_status moho_scan_gathers_read(const moho_scan_gathers *gathers, size_t first, size_t n, float **out);

/* ---- velocity_scan.c ---- */

/* A scan being made: the gathers, what it is made with, where. */
typedef struct moho_scan {
  const moho_velocity *velocity;
  const moho_velocity_scan_options *options;
  moho_scan_gathers gathers;
  moho_semblance_axes axes;
  moho_travel_law law;
  double *half_offset_m; /* [n_offsets] */
  uint8_t *used;         /* [n_offsets] */
} moho_scan;

moho_status moho_scan_open(const char *image, const moho_velocity *velocity, const moho_velocity_scan_options *options,
                           moho_scan *out);
void moho_scan_close(moho_scan *scan);
/* What one thread makes panels with. */
typedef struct moho_scan_worker {
  moho_moveout_column column;
  moho_semblance *sums;
  float *panel, *power; /* [factor, time] */
} moho_scan_worker;

moho_status moho_scan_worker_create(const moho_scan *scan, moho_scan_worker *out);
void moho_scan_worker_release(moho_scan_worker *worker);
/* The column of node (i, j) into worker->column. */
moho_status moho_scan_column(const moho_scan *scan, size_t i, size_t j, moho_scan_worker *worker);
/* The panel of node (i, j) and its neighbours into panel and power; `block` holds n_block inlines from first_inline on. */
moho_status moho_scan_panel(const moho_scan *scan, const float *block, size_t first_inline, size_t n_block, size_t i, size_t j,
                            moho_scan_worker *worker);
/* Inlines that the panels of inline i need. */
void moho_scan_inlines(const moho_scan *scan, size_t i, size_t *first, size_t *n);
/* The smoothed factor at a time: linear between picks, constant outside. */
double moho_scan_factor_at(const moho_velocity_scan_result *result, size_t location, double time_s);

/* ---- velocity_scan_report.c ---- */

moho_status moho_scan_report(const moho_scan *scan, moho_velocity_scan_result *result, size_t at_limit, size_t outliers,
                             size_t limited, double semblance_before);

#endif
