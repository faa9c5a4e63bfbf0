/* trace_header_write.c - one trace's 240 header bytes from its geometry (SEG-Y rev 1, 2002; SU's keys are the same to byte 180).
 */
#include "survey/trace_header_write.h"

#include <math.h>
#include <string.h>

static void put2(uint8_t *header, int byte, int value, int little) {
  header[byte - 1] = (uint8_t)(little ? value : value >> 8);
  header[byte] = (uint8_t)(little ? value >> 8 : value);
}

static void put4(uint8_t *header, int byte, int32_t value, int little) {
  for (int i = 0; i < 4; i++) header[byte - 1 + i] = (uint8_t)((uint32_t)value >> (little ? 8 * i : 24 - 8 * i));
}

static int is_whole(double value) {
  return fabs(value - nearbyint(value)) <= 1e-6; /* far below what a header can say, above rounding of x * 10000 */
}

static int all_whole(const moho_geometry *g, double factor) {
  const double *columns[] = {g->source_x, g->source_y, g->receiver_x, g->receiver_y};
  for (int c = 0; c < 4; c++)
    for (size_t i = 0; i < g->n; i++)
      if (!is_whole(columns[c][i] * factor)) return 0;
  return 1;
}

int moho_trace_header_divisor(const moho_geometry *g) {
  const double *columns[] = {g->source_x, g->source_y, g->receiver_x, g->receiver_y};
  double largest = 1;
  for (int c = 0; c < 4; c++)
    for (size_t i = 0; i < g->n; i++) largest = fmax(largest, fabs(columns[c][i]));
  int finest = 1;
  while (finest < 10000 && largest * 2 * finest * 10 <= INT32_MAX) finest *= 10;
  /* Centimetres at least, when they do: later traces may be less round than these. */
  for (int divisor = finest < 100 ? finest : 100; divisor < finest; divisor *= 10)
    if (all_whole(g, divisor)) return divisor;
  return finest;
}

static moho_status put_position(const moho_trace_header_style *style, uint8_t *header, int byte, double metres, uint64_t number) {
  double value = nearbyint(metres * style->coordinate_divisor);
  if (!(fabs(value) <= INT32_MAX))
    return moho_fail_at((moho_place){.trace = (int64_t)number}, "write .zarr instead, or give coordinates from a nearer origin",
                        MOHO_ERROR_RANGE, "trace %llu: coordinate %.10g m does not fit into a trace header with scalar -%d",
                        (unsigned long long)number, metres, style->coordinate_divisor);
  put4(header, byte, (int32_t)value, style->su);
  return MOHO_OK;
}

/* Delay and mutes share one scalar: the coarsest that keeps the delay exact, else the finest that fits. */
static moho_status put_times(const moho_trace_header_style *style, uint8_t *header, const moho_geometry *g, size_t trace,
                             uint64_t number) {
  double first_ms = g->first_sample_s[trace] * 1000, start_ms = (double)g->mute_start_s[trace] * 1000,
         end_ms = (double)g->mute_end_s[trace] * 1000;
  if (!(end_ms > 0)) start_ms = end_ms = 0;
  double largest = fmax(fabs(first_ms), fmax(fabs(start_ms), fabs(end_ms)));
  int divisor = 1;
  while (!is_whole(first_ms * divisor) && divisor < 1000 && largest * divisor * 10 <= INT16_MAX) divisor *= 10;
  if (!(largest * divisor <= INT16_MAX))
    return moho_fail_at((moho_place){.trace = (int64_t)number}, "write .zarr instead", MOHO_ERROR_RANGE,
                        "trace %llu: a delay or mute time of %g ms does not fit into a trace header", (unsigned long long)number,
                        largest);
  if (style->su && divisor > 1)
    return moho_fail_at((moho_place){.trace = (int64_t)number}, "write .sgy or .zarr instead", MOHO_ERROR_RANGE,
                        "trace %llu: the first sample is at %g ms, SU headers hold whole milliseconds",
                        (unsigned long long)number, first_ms);
  put2(header, 109, (int)nearbyint(first_ms * divisor), style->su);
  put2(header, 111, (int)nearbyint(start_ms * divisor), style->su);
  put2(header, 113, (int)nearbyint(end_ms * divisor), style->su);
  if (!style->su) put2(header, 215, divisor > 1 ? -divisor : 1, 0);
  return MOHO_OK;
}

static int trace_id(uint8_t flags) {
  if (flags & MOHO_TRACE_DEAD) return 2;
  return flags & MOHO_TRACE_NOT_SEISMIC ? 3 : 1; /* 3: dummy */
}

moho_status moho_trace_header_write(const moho_trace_header_style *style, const moho_geometry *g, size_t trace, uint64_t number,
                                    uint8_t header[240]) {
  int little = style->su;
  int32_t count = number <= INT32_MAX ? (int32_t)number : 0;
  memset(header, 0, 240);
  put4(header, 1, count, little);
  put4(header, 5, count, little);
  put4(header, 9, style->stacked ? g->inline_number[trace] : 1, little);
  put4(header, 13, style->stacked ? 1 : count, little);
  put4(header, 21, g->cdp[trace], little);
  size_t in_ensemble = style->ensemble ? (size_t)((number - 1) % style->ensemble) : 0;
  put4(header, 25, (int32_t)in_ensemble + 1, little);
  put2(header, 29, trace_id(g->flags[trace]), little);
  put2(header, 31, 1, little);
  put2(header, 33, 1, little);
  put2(header, 35, 1, little);
  put4(header, 37,
       style->ensemble_offsets ? style->ensemble_offsets[in_ensemble]
                               : (int32_t)nearbyint(fmin(moho_geometry_offset(g, trace), INT32_MAX)),
       little);
  put2(header, 69, 1, little);
  put2(header, 71, style->coordinate_divisor > 1 ? -style->coordinate_divisor : 1, little);
  MOHO_TRY(put_position(style, header, 73, g->source_x[trace], number));
  MOHO_TRY(put_position(style, header, 77, g->source_y[trace], number));
  MOHO_TRY(put_position(style, header, 81, g->receiver_x[trace], number));
  MOHO_TRY(put_position(style, header, 85, g->receiver_y[trace], number));
  put2(header, 89, 1, little);
  MOHO_TRY(put_times(style, header, g, trace, number));
  put2(header, 115, style->n_samples, little);
  put2(header, 117, style->dt_us, little);
  if (style->su) return MOHO_OK; /* SU keeps d1, f1, ... in the bytes from 181 on */
  MOHO_TRY(put_position(style, header, 181, 0.5 * (g->source_x[trace] + g->receiver_x[trace]), number));
  MOHO_TRY(put_position(style, header, 185, 0.5 * (g->source_y[trace] + g->receiver_y[trace]), number));
  put4(header, 189, g->inline_number[trace], 0);
  put4(header, 193, g->crossline_number[trace], 0);
  return MOHO_OK;
}
