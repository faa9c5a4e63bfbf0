/* time_zones.c - parts of an image's time axis that need only every second, fourth or eighth sample, and the way back. */
#include "job/time_zones.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define PI 3.14159265358979323846

/* Half the taps of the way back; samples over which one zone goes into the next, half on either side; the shortest zone. */
enum { HALF = 16, TAPS = 2 * HALF, OVERLAP = 8, SHORTEST = 128, MOST_FACTOR = 8 };
/* Kaiser window: with 32 taps 80 dB from 0.84 of the Nyquist frequency on (Kaiser & Schafer 1980). */
static const double kaiser_beta = 7.86, passed = 0.8;

/* ---- zones ---- */

static size_t factor_for(const moho_grid *grid, double f_max_hz) {
  size_t factor = MOST_FACTOR;
  while (factor > 1 && !(f_max_hz <= passed * 0.5 / ((double)factor * grid->step_s))) factor /= 2;
  return factor;
}

/* A zone that is too short joins its finer neighbour, or the only one; its own samples must not become coarser. */
static size_t merge_short(moho_time_zone *zones, size_t n) {
  for (size_t i = 0; n > 1 && i < n;) {
    if (zones[i].end - zones[i].first >= SHORTEST) {
      i++;
      continue;
    }
    size_t into = i == 0 ? 1 : i + 1 == n || zones[i - 1].factor < zones[i + 1].factor ? i - 1 : i + 1;
    size_t low = into < i ? into : i;
    if (zones[i].factor < zones[into].factor) zones[low].factor = zones[i].factor;
    else zones[low].factor = zones[into].factor;
    zones[low].end = zones[low + 1].end;
    for (size_t k = low + 1; k + 1 < n; k++) zones[k] = zones[k + 1];
    n--;
    i = 0;
  }
  return n;
}

static size_t join_equal(moho_time_zone *zones, size_t n) {
  size_t kept = 0;
  for (size_t i = 1; i < n; i++) {
    if (zones[i].factor == zones[kept].factor) zones[kept].end = zones[i].end;
    else zones[++kept] = zones[i];
  }
  return kept + 1;
}

/* More samples at either end, for the taps and the overlap. They may lie past the axis' end, not before time 0. */
static void widen(const moho_grid *grid, moho_time_zone *zone, int is_first, int is_last) {
  size_t beside = zone->factor == 1 ? OVERLAP : OVERLAP + HALF * zone->factor;
  size_t before = is_first && zone->factor == 1 ? 0 : beside < zone->first ? beside : zone->first;
  size_t last = zone->end - 1 + (is_last && zone->factor == 1 ? 0 : beside);
  zone->origin = zone->first - before;
  zone->n = (last - zone->origin + zone->factor - 1) / zone->factor + 1;
  zone->high_cut_hz = zone->factor > 1 ? 0.5 / ((double)zone->factor * grid->step_s) : 0;
}

size_t moho_time_zones_make(const moho_grid *grid, const double *f_max_hz, moho_time_zone zones[MOHO_MOST_ZONES]) {
  size_t n = 1;
  zones[0] = (moho_time_zone){.first = 0, .end = grid->n_time, .factor = factor_for(grid, f_max_hz[0])};
  for (size_t k = 1; k < grid->n_time; k++) {
    size_t factor = factor_for(grid, f_max_hz[k]);
    if (factor == zones[n - 1].factor) continue;
    if (n == MOHO_MOST_ZONES) { /* no room: the last one goes on, at the finer of the two */
      if (factor < zones[n - 1].factor) zones[n - 1].factor = factor;
      continue;
    }
    zones[n - 1].end = k;
    zones[n++] = (moho_time_zone){.first = k, .end = grid->n_time, .factor = factor};
  }
  n = join_equal(zones, merge_short(zones, n));
  for (size_t i = 0; i < n; i++) widen(grid, &zones[i], i == 0, i + 1 == n);
  return n;
}

moho_status moho_time_zone_grid(const moho_time_zone *zone, const moho_grid *grid, moho_grid *out) {
  MOHO_TRY(moho_grid_copy(grid, out));
  out->first_s = grid->first_s + (double)zone->origin * grid->step_s;
  out->step_s = (double)zone->factor * grid->step_s;
  out->n_time = zone->n;
  return MOHO_OK;
}

/* ---- the way back ---- */

static double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-18 * sum; k++) sum += term *= x * x / 4 / ((double)k * (double)k);
  return sum;
}

/* weights[f][j]: of the sample j - HALF + 1 after the one before the place, f/factor of a step beyond it. */
static void fill_weights(size_t factor, double (*weights)[TAPS]) {
  for (size_t f = 0; f < factor; f++) {
    double sum = 0;
    for (int j = 0; j < TAPS; j++) {
      double x = j - HALF + 1 - (double)f / (double)factor, edge = fmax(0, 1 - x * x / (HALF * HALF));
      weights[f][j] = x == 0 ? 1 : f == 0 ? 0 : sin(PI * x) / (PI * x) * bessel_i0(kaiser_beta * sqrt(edge));
      if (x != 0) weights[f][j] /= bessel_i0(kaiser_beta);
      sum += weights[f][j];
    }
    for (int j = 0; j < TAPS; j++) weights[f][j] /= sum;
  }
}

/* Uniform sample k from the zone's column. */
static double value_at(const moho_time_zone *zone, const double (*weights)[TAPS], const float *column, size_t k) {
  size_t place = (k - zone->origin) / zone->factor, f = (k - zone->origin) % zone->factor;
  if (f == 0) return (double)column[place];
  double sum = 0;
  for (int j = 0; j < TAPS; j++) {
    ptrdiff_t at = (ptrdiff_t)place + j - HALF + 1;
    if (at >= 0 && at < (ptrdiff_t)zone->n) sum += weights[f][j] * (double)column[at];
  }
  return sum;
}

/* Share of zone i at sample k: 1 within, falling over 2*OVERLAP samples around a border. */
static double share(const moho_time_zone *zones, size_t n, size_t i, size_t k) {
  double up = i == 0 ? 1 : ((double)k - (double)zones[i].first + OVERLAP + 0.5) / (2 * OVERLAP);
  double down = i + 1 == n ? 1 : ((double)zones[i].end - (double)k + OVERLAP - 0.5) / (2 * OVERLAP);
  return fmin(1, fmax(0, fmin(up, down)));
}

/* One column, of the stack or of a bin: zone i onto the uniform axis, added to what the others left. */
static void join_column(const moho_time_zone *zones, size_t n, size_t i, const double (*weights)[TAPS], const float *from,
                        const int32_t *from_fold, size_t n_time, float *to, int32_t *to_fold) {
  const moho_time_zone *zone = &zones[i];
  size_t first = i == 0 ? 0 : zone->first - OVERLAP, end = i + 1 == n ? n_time : zone->end + OVERLAP;
  for (size_t k = first; k < end && k < n_time; k++) {
    to[k] += (float)(share(zones, n, i, k) * value_at(zone, weights, from, k));
    if (k < zone->first || k >= zone->end || !to_fold) continue;
    size_t nearest = (k - zone->origin + zone->factor / 2) / zone->factor;
    to_fold[k] = from_fold[nearest < zone->n ? nearest : zone->n - 1];
  }
}

moho_status moho_time_zones_join(const moho_time_zone *zones, const moho_image *parts, size_t n, moho_image *image) {
  size_t n_time = image->grid.n_time, columns = image->grid.n_inline * image->grid.n_crossline;
  size_t bins = image->gathers ? moho_gather_bins_count(&image->bins) : 0;
  double(*weights)[MOST_FACTOR][TAPS];
  MOHO_TRY(moho_allocate(n, sizeof *weights, "resampling", &weights));
  for (size_t i = 0; i < n; i++) fill_weights(zones[i].factor, weights[i]);
#pragma omp parallel for schedule(static)
  for (size_t c = 0; c < columns; c++)
    for (size_t i = 0; i < n; i++) {
      const double(*own)[TAPS] = (const double(*)[TAPS])weights[i];
      join_column(zones, n, i, own, parts[i].stack + c * zones[i].n, parts[i].fold + c * zones[i].n, n_time,
                  image->stack + c * n_time, image->fold ? image->fold + c * n_time : NULL);
      for (size_t row = c * bins; row < (c + 1) * bins; row++)
        join_column(zones, n, i, own, parts[i].gathers + row * zones[i].n, parts[i].gathers_fold + row * zones[i].n, n_time,
                    image->gathers + row * n_time, image->gathers_fold + row * n_time);
    }
  free(weights);
  return MOHO_OK;
}
