/* statics.c - the shifts of traces to the datum: asked for, worked out trace by trace, told. */
#include "survey/statics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

static const char *const shift_names[MOHO_SHIFT_COUNT] = {
    "source static", "receiver static", "total static", "source elevation", "receiver elevation", "uphole", "lag", "constant"};

static const struct {
  const char *name, *unit;
  moho_header_field field;
} values[MOHO_LAND_COUNT] = {
#define VALUE(id, name, unit) {name, unit, MOHO_HEADER_##id},
    MOHO_LAND_TABLE(VALUE)
#undef VALUE
};

const char *moho_land_name(moho_land_value value) {
  return (unsigned)value < MOHO_LAND_COUNT ? values[value].name : NULL;
}

const char *moho_land_unit(moho_land_value value) {
  return (unsigned)value < MOHO_LAND_COUNT ? values[value].unit : NULL;
}

moho_statics moho_statics_default(void) {
  return (moho_statics){0};
}

const char *moho_shift_name(moho_shift_kind kind) {
  return shift_names[kind];
}

/* ---- what is asked for ---- */

static void list_asked(const moho_statics *s, int asked[MOHO_SHIFT_COUNT]) {
  int heights = s->elevation != MOHO_STATICS_ELEVATION_NONE;
  asked[MOHO_SHIFT_SOURCE_STATIC] = asked[MOHO_SHIFT_RECEIVER_STATIC] = s->header == MOHO_STATICS_SOURCE_RECEIVER;
  asked[MOHO_SHIFT_TOTAL_STATIC] = s->header == MOHO_STATICS_TOTAL || s->header == MOHO_STATICS_UNDO_TOTAL;
  asked[MOHO_SHIFT_SOURCE_ELEVATION] = asked[MOHO_SHIFT_RECEIVER_ELEVATION] = heights;
  asked[MOHO_SHIFT_UPHOLE] = s->elevation == MOHO_STATICS_SURFACE && s->source_depth == MOHO_STATICS_DEPTH_UPHOLE;
  asked[MOHO_SHIFT_LAG] = s->lag;
  asked[MOHO_SHIFT_CONSTANT] = s->shift_s != 0;
}

static moho_status check(const moho_statics *s, const char *path, int has_headers) {
  int reads = s->header != MOHO_STATICS_HEADER_NONE || s->elevation != MOHO_STATICS_ELEVATION_NONE || s->lag;
  if (reads && !has_headers)
    return moho_fail_at((moho_place){.file = path, .key = "input.statics"},
                        "write first_sample_s of each trace with the shifts in it, or give SEG-Y or SU", MOHO_ERROR_NOT_AVAILABLE,
                        "%s is a Zarr file: it keeps no elevations, statics or lags", path);
  if (!isfinite(s->shift_s))
    return moho_fail_at((moho_place){.key = "input.statics.shift_s"}, NULL, MOHO_ERROR_RANGE, "the constant shift is not finite");
  if (s->elevation == MOHO_STATICS_ELEVATION_NONE) return MOHO_OK;
  if (s->elevation == MOHO_STATICS_FLOATING_DATUM && s->datum_from_header)
    return moho_fail_at((moho_place){.key = "input.statics.datum_m"}, "give the elevation of the final datum in metres",
                        MOHO_ERROR_ARGUMENT, "from the floating datum of the headers to the datum of the headers is no way");
  if (!s->datum_from_header && !isfinite(s->datum_m))
    return moho_fail_at((moho_place){.key = "input.statics.datum_m"}, NULL, MOHO_ERROR_RANGE, "the datum is not finite");
  if (!s->replacement_from_header && !(s->replacement_mps > 0 && isfinite(s->replacement_mps)))
    return moho_fail_at((moho_place){.key = "input.statics.replacement_mps"}, "1500 to 4000 m/s is usual", MOHO_ERROR_RANGE,
                        "the replacement velocity is %g m/s, expected above 0", s->replacement_mps);
  return MOHO_OK;
}

size_t moho_statics_trace_bytes(const moho_statics *statics) {
  int asked[MOHO_SHIFT_COUNT];
  size_t bytes = 0;
  if (!statics) return 0;
  list_asked(statics, asked);
  for (int k = 0; k < MOHO_SHIFT_COUNT; k++) bytes += asked[k] ? sizeof(double) : 0;
  return bytes;
}

moho_status moho_statics_begin(const moho_statics *statics, const char *path, int has_headers, double unit_m, size_t n_traces,
                               moho_statics_scan *out) {
  int asked[MOHO_SHIFT_COUNT];
  *out = (moho_statics_scan){.asked = statics ? *statics : moho_statics_default(), .unit_m = unit_m, .n = n_traces};
  MOHO_TRY(check(&out->asked, path, has_headers));
  list_asked(&out->asked, asked);
  moho_status status = MOHO_OK;
  for (int k = 0; !status && k < MOHO_SHIFT_COUNT; k++)
    if (asked[k]) status = moho_allocate(n_traces, sizeof(double), "statics", &out->shifts[k]);
  if (status) moho_statics_release(out);
  for (size_t i = 0; out->shifts[MOHO_SHIFT_CONSTANT] && i < n_traces; i++)
    out->shifts[MOHO_SHIFT_CONSTANT][i] = out->asked.shift_s;
  return status;
}

void moho_statics_release(moho_statics_scan *scan) {
  for (int k = 0; k < MOHO_SHIFT_COUNT; k++) free(scan->shifts[k]), scan->shifts[k] = NULL;
}

/* ---- a trace ---- */

static void odd(moho_land_block *block, moho_odd_kind kind, size_t trace, double value) {
  moho_odd *o = &block->odd[kind];
  if (o->count++ == 0) o->first = trace, o->value = value;
}

static int is_power_of_ten(double scalar) {
  double size = fabs(scalar);
  return size == 1 || size == 10 || size == 100 || size == 1000 || size == 10000;
}

/* SEG-Y's rule for all scalars: positive multiplies, negative divides, 0 is 1. */
static double scaled(double value, double scalar) {
  if (scalar > 0) return value * scalar;
  return scalar < 0 ? value / -scalar : value;
}

static double elevation_scalar(const moho_statics_scan *scan, const uint8_t *header, const moho_header_map *map, int little,
                               size_t trace, int has_heights, moho_land_block *block) {
  double scalar = moho_header_get(header, map, MOHO_HEADER_ELEVATION_SCALAR, little);
  if (!isfinite(scalar)) scalar = 0;
  if (!has_heights) return scalar;
  if (scalar == 0 && map->places[MOHO_HEADER_ELEVATION_SCALAR].byte) odd(block, MOHO_ODD_SCALAR_ZERO, trace, 0);
  if (scalar == 0) scalar = 1;
  if (!is_power_of_ten(scalar)) odd(block, MOHO_ODD_SCALAR_UNUSUAL, trace, scalar);
  if (scalar != scan->scalar_first) odd(block, MOHO_ODD_SCALAR_OTHER, trace, scalar);
  return scalar;
}

/* In metres, metres a second, seconds; what is no number is 0, as an empty header is. */
static void decode_values(const moho_statics_scan *scan, const uint8_t *header, const moho_header_map *map, int little,
                          double time_scalar, size_t trace, moho_land_block *block, double v[MOHO_LAND_COUNT]) {
  int has_heights = 0;
  for (int i = 0; i < MOHO_LAND_COUNT; i++) {
    v[i] = moho_header_get(header, map, values[i].field, little);
    if (!isfinite(v[i])) v[i] = 0;
    has_heights |= i <= MOHO_LAND_RECEIVER_DATUM && v[i] != 0;
  }
  double scalar = elevation_scalar(scan, header, map, little, trace, has_heights, block);
  for (int i = 0; i < MOHO_LAND_COUNT; i++) {
    if (i <= MOHO_LAND_RECEIVER_DATUM) v[i] = scaled(v[i], scalar);
    if (i <= MOHO_LAND_RECEIVER_DATUM && fabs(v[i]) > 30000) odd(block, MOHO_ODD_ELEVATION, trace, v[i]);
    v[i] = i <= MOHO_LAND_SUBWEATHERING ? v[i] * scan->unit_m : scaled(v[i], time_scalar) / 1000;
  }
}

static void widen(moho_land_block *block, const double v[MOHO_LAND_COUNT]) {
  int first = block->seen++ == 0;
  for (int i = 0; i < MOHO_LAND_COUNT; i++) {
    moho_header_range *r = &block->ranges[i];
    r->filled += v[i] != 0;
    if (first || v[i] < r->least) r->least = v[i];
    if (first || v[i] > r->most) r->most = v[i];
  }
}

/* What contradicts itself, or what is asked for. */
static void look_for_odd(const moho_statics *asked, const double v[MOHO_LAND_COUNT], double delay, size_t trace,
                         moho_land_block *block) {
  double total = v[MOHO_LAND_TOTAL_STATIC], both = v[MOHO_LAND_SOURCE_STATIC] + v[MOHO_LAND_RECEIVER_STATIC];
  if (v[MOHO_LAND_SOURCE_DEPTH] < 0) odd(block, MOHO_ODD_DEPTH, trace, v[MOHO_LAND_SOURCE_DEPTH]);
  if (total != 0 && (v[MOHO_LAND_SOURCE_STATIC] != 0 || v[MOHO_LAND_RECEIVER_STATIC] != 0) && fabs(total - both) > 0.00101)
    odd(block, MOHO_ODD_TOTAL, trace, total - both);
  int adds = asked->header == MOHO_STATICS_SOURCE_RECEIVER ||
             (asked->elevation == MOHO_STATICS_SURFACE && asked->header != MOHO_STATICS_UNDO_TOTAL);
  if (adds && total != 0) odd(block, MOHO_ODD_ALREADY, trace, total);
  if (asked->header == MOHO_STATICS_UNDO_TOTAL && total == 0 && both != 0) odd(block, MOHO_ODD_NOT_APPLIED, trace, both);
  int is_uphole = asked->elevation == MOHO_STATICS_SURFACE && asked->source_depth == MOHO_STATICS_DEPTH_UPHOLE;
  if (is_uphole && v[MOHO_LAND_SOURCE_DEPTH] > 0 && v[MOHO_LAND_SOURCE_UPHOLE] == 0)
    odd(block, MOHO_ODD_NO_UPHOLE, trace, v[MOHO_LAND_SOURCE_DEPTH]);
  if (asked->lag && delay != 0 && v[MOHO_LAND_LAG_A] + v[MOHO_LAND_LAG_B] != 0) odd(block, MOHO_ODD_LAG_AND_DELAY, trace, delay);
}

/* Time from where the source or receiver stands down to the datum, taken away. */
static double to_datum(double elevation, double datum, double velocity) {
  return velocity > 0 ? (datum - elevation) / velocity : NAN;
}

static void find_shifts(const moho_statics_scan *scan, const double v[MOHO_LAND_COUNT], double shifts[MOHO_SHIFT_COUNT]) {
  const moho_statics *s = &scan->asked;
  int floating = s->elevation == MOHO_STATICS_FLOATING_DATUM;
  double velocity = s->replacement_from_header ? v[MOHO_LAND_SUBWEATHERING] : s->replacement_mps;
  double source = floating ? v[MOHO_LAND_SOURCE_DATUM] : v[MOHO_LAND_SOURCE_ELEVATION];
  double receiver = floating ? v[MOHO_LAND_RECEIVER_DATUM] : v[MOHO_LAND_RECEIVER_ELEVATION];
  if (!floating && s->source_depth == MOHO_STATICS_DEPTH_HEADER) source -= v[MOHO_LAND_SOURCE_DEPTH];
  shifts[MOHO_SHIFT_SOURCE_STATIC] = v[MOHO_LAND_SOURCE_STATIC];
  shifts[MOHO_SHIFT_RECEIVER_STATIC] = v[MOHO_LAND_RECEIVER_STATIC];
  shifts[MOHO_SHIFT_TOTAL_STATIC] = (s->header == MOHO_STATICS_UNDO_TOTAL ? -1 : 1) * v[MOHO_LAND_TOTAL_STATIC];
  shifts[MOHO_SHIFT_SOURCE_ELEVATION] = to_datum(source, s->datum_from_header ? v[MOHO_LAND_SOURCE_DATUM] : s->datum_m, velocity);
  shifts[MOHO_SHIFT_RECEIVER_ELEVATION] =
      to_datum(receiver, s->datum_from_header ? v[MOHO_LAND_RECEIVER_DATUM] : s->datum_m, velocity);
  shifts[MOHO_SHIFT_UPHOLE] = v[MOHO_LAND_SOURCE_UPHOLE];
  shifts[MOHO_SHIFT_LAG] = -(v[MOHO_LAND_LAG_A] + v[MOHO_LAND_LAG_B]);
  shifts[MOHO_SHIFT_CONSTANT] = s->shift_s;
}

void moho_statics_decode(const moho_statics_scan *scan, const uint8_t *header, const moho_header_map *map, int little,
                         double time_scalar, size_t trace, int is_seismic, moho_land_block *block) {
  double v[MOHO_LAND_COUNT], shifts[MOHO_SHIFT_COUNT];
  moho_land_block ignored = {0};
  decode_values(scan, header, map, little, time_scalar, trace, is_seismic ? block : &ignored, v);
  if (is_seismic) {
    widen(block, v);
    look_for_odd(&scan->asked, v, moho_header_get(header, map, MOHO_HEADER_DELAY, little), trace, block);
  }
  find_shifts(scan, v, shifts);
  for (int k = 0; k < MOHO_SHIFT_COUNT; k++)
    if (scan->shifts[k]) scan->shifts[k][trace] = shifts[k];
}

void moho_statics_merge(moho_statics_scan *scan, const moho_land_block *block) {
  moho_land_block *file = &scan->file;
  for (int i = 0; block->seen && i < MOHO_LAND_COUNT; i++) {
    moho_header_range *into = &file->ranges[i];
    const moho_header_range *from = &block->ranges[i];
    into->filled += from->filled;
    if (!file->seen || from->least < into->least) into->least = from->least;
    if (!file->seen || from->most > into->most) into->most = from->most;
  }
  file->seen += block->seen;
  for (int k = 0; k < MOHO_ODD_COUNT; k++) {
    if (block->odd[k].count && !file->odd[k].count)
      file->odd[k].first = block->odd[k].first, file->odd[k].value = block->odd[k].value;
    file->odd[k].count += block->odd[k].count;
  }
}

/* ---- what is told ---- */

void moho_statics_tell(const moho_statics_scan *scan, moho_anomalies *anomalies) {
  static const struct {
    moho_odd_kind kind;
    const char *name, *text; /* text: one %g for the first value */
    double factor;
  } words[MOHO_ODD_COUNT] = {
      {MOHO_ODD_SCALAR_ZERO, "elevation_scalar_zero", "elevation scalar (bytes 69-70) is %g: read as 1", 1},
      {MOHO_ODD_SCALAR_UNUSUAL, "elevation_scalar_unusual",
       "elevation scalar (bytes 69-70) %g is no power of ten: applied as it stands", 1},
      {MOHO_ODD_SCALAR_OTHER, "elevation_scalar_mixed",
       "elevation scalars differ (%g here, another in trace 1): each trace has its own", 1},
      {MOHO_ODD_ELEVATION, "elevation_unlikely",
       "an elevation or depth (bytes 41-60) of %g is not on this planet: check the scalar in bytes 69-70", 1},
      {MOHO_ODD_DEPTH, "source_depth_negative", "source depth (bytes 49-52) is %g m, above the surface: used as it stands", 1},
      {MOHO_ODD_TOTAL, "statics_conflict",
       "the total static (bytes 103-104) differs from source plus receiver static (bytes 99-102) by %g ms", 1000},
      {MOHO_ODD_ALREADY, "statics_applied_before",
       "bytes 103-104 say that a static of %g ms has been applied already: shifted again, as told", 1000},
      {MOHO_ODD_NOT_APPLIED, "statics_not_applied",
       "statics are undone, but bytes 103-104 say that none was applied (source plus receiver static: %g ms)", 1000},
      {MOHO_ODD_NO_UPHOLE, "uphole_missing", "a source %g m deep has no uphole time (bytes 95-96): read as 0", 1},
      {MOHO_ODD_LAG_AND_DELAY, "lag_and_delay",
       "lags (bytes 105-108) and a delay of %g (bytes 109-110): a delay counts from the source already; both applied, as told",
       1}};
  for (int k = 0; k < MOHO_ODD_COUNT; k++) {
    const moho_odd *o = &scan->file.odd[words[k].kind];
    char text[240];
    snprintf(text, sizeof text, words[k].text, o->value * words[k].factor);
    if (o->count) moho_anomalies_add(anomalies, words[k].name, o->count, o->first, "%s", text);
  }
}
