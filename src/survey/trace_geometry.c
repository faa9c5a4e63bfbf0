/* trace_geometry.c - from decoded headers to positions in metres. */
#include "survey/trace_geometry.h"

#include <math.h>
#include <stdio.h>

#include "survey/line_direction.h"

const double moho_metres_per_foot = 0.3048;

typedef struct box {
  double min_x, max_x, min_y, max_y;
  size_t n;
} box;

static void box_add(box *around, double x, double y) {
  if (!around->n++) *around = (box){x, x, y, y, 1};
  around->min_x = fmin(around->min_x, x), around->max_x = fmax(around->max_x, x);
  around->min_y = fmin(around->min_y, y), around->max_y = fmax(around->max_y, y);
}

/* Points that are not (0, 0): those mostly mean "not filled in". */
static box box_of(const double *x, const double *y, size_t n) {
  box around = {0};
  for (size_t i = 0; i < n; i++)
    if (x[i] != 0 || y[i] != 0) box_add(&around, x[i], y[i]);
  return around;
}

/* ---- what the headers hold ---- */

static int within_degrees(const box *b) {
  return !b->n || (b->min_x >= -180 && b->max_x <= 180 && b->min_y >= -90 && b->max_y <= 90);
}

static moho_status check_geographic(const char *path, const moho_traces_options *options, const moho_tally *tally,
                                    const box *sources, const box *receivers, const box *midpoints, moho_anomalies *anomalies) {
  if (!tally->count) return MOHO_OK;
  int filled = sources->n || receivers->n || midpoints->n;
  if (filled && options->units == MOHO_UNITS_AUTO && within_degrees(sources) && within_degrees(receivers) &&
      within_degrees(midpoints))
    return moho_fail_at(
        (moho_place){.file = path, .trace = (int64_t)tally->first + 1},
        "project the coordinates to metres (UTM or the survey's grid) and write them into the headers; if they are metres "
        "already, set units: m",
        MOHO_ERROR_FORMAT,
        "%s: coordinates are geographic: units code %g (bytes 89-90) in %zu traces, and all lie within +-180 and +-90", path,
        tally->value, tally->count);
  moho_anomalies_add(anomalies, "geographic_units", tally->count, tally->first,
                     "units code %g (bytes 89-90) says geographic coordinates, their values say lengths: read as lengths",
                     tally->value);
  return MOHO_OK;
}

static int offset_agrees(double header, double measured) {
  return fabs(fabs(header) - measured) <= 1.5 + 0.01 * measured;
}

static moho_status no_coordinates(const char *path, const moho_header_map *map, const char *what) {
  char places[160];
  snprintf(places, sizeof places, "source_x %d, receiver_x %d, cdp_x %d", map->places[MOHO_HEADER_SOURCE_X].byte,
           map->places[MOHO_HEADER_RECEIVER_X].byte, map->places[MOHO_HEADER_CDP_X].byte);
  return moho_fail_at(
      (moho_place){.file = path},
      "tell where they are, as headers: {source_x: 73, source_y: 77, receiver_x: 81, receiver_y: 85} or {cdp_x: 181, cdp_y: 185, "
      "offset: 37}; for stacked data whose source position is the CDP: {cdp_x: 73, cdp_y: 77}",
      MOHO_ERROR_FORMAT, "%s: no coordinates: %s (looked at bytes %s; 0: not looked for)", path, what, places);
}

/* Traces whose offset header agrees with |s - r|, in tenths of all. */
static size_t agreeing_tenths(const moho_header_scan *scan) {
  size_t n = scan->geometry.n, agreeing = 0;
  for (size_t i = 0; i < n; i++) agreeing += (size_t)offset_agrees(scan->offset[i], moho_geometry_offset(&scan->geometry, i));
  return n ? agreeing * 10 / n : 0;
}

static moho_status choose_source(const char *path, const moho_header_map *map, moho_geometry_source asked,
                                 const moho_header_scan *scan, const box *sources, const box *receivers, const box *midpoints,
                                 moho_geometry_source *chosen) {
  *chosen = asked;
  if (asked == MOHO_GEOMETRY_MIDPOINT_OFFSET)
    return midpoints->n ? MOHO_OK : no_coordinates(path, map, "cdp_x and cdp_y are zero in all traces");
  if (asked == MOHO_GEOMETRY_SOURCE_RECEIVER)
    return sources->n || receivers->n ? MOHO_OK : no_coordinates(path, map, "source and receiver are zero in all traces");
  *chosen = MOHO_GEOMETRY_SOURCE_RECEIVER;
  if (sources->n && receivers->n) return MOHO_OK;
  *chosen = MOHO_GEOMETRY_MIDPOINT_OFFSET;
  if (midpoints->n) return MOHO_OK;
  if (!sources->n && !receivers->n) return no_coordinates(path, map, "source, receiver and cdp are zero in all traces");
  /* One source or one receiver that truly stands at (0, 0): then the offsets say so. */
  *chosen = MOHO_GEOMETRY_SOURCE_RECEIVER;
  if (agreeing_tenths(scan) >= 9) return MOHO_OK;
  return no_coordinates(path, map,
                        sources->n ? "receivers are zero in all traces, and so are cdp_x and cdp_y"
                                   : "sources are zero in all traces, and so are cdp_x and cdp_y");
}

/* ---- positions ---- */

static void place_about_midpoints(moho_header_scan *scan, moho_anomalies *anomalies) {
  moho_geometry *g = &scan->geometry;
  moho_line_direction line = moho_line_direction_find(scan->cdp_x, scan->cdp_y, g->n);
  size_t apart = 0, first = 0;
  const double same_place = 1; /* some programs write offset 1 into every trace of a stack */
  for (size_t i = 0; i < g->n; i++) {
    double half = fabs(scan->offset[i]) > same_place ? 0.5 * scan->offset[i] : 0, ux, uy;
    if (scan->azimuth_deg) {
      double azimuth = scan->azimuth_deg[i] * (3.14159265358979323846 / 180);
      if (!isfinite(azimuth)) azimuth = 0, g->flags[i] |= MOHO_TRACE_NO_POSITION;
      ux = sin(azimuth), uy = cos(azimuth);
    } else {
      moho_line_direction_at(&line, scan->cdp_x[i], scan->cdp_y[i], &ux, &uy);
    }
    if (half != 0 && !apart++) first = i;
    g->source_x[i] = scan->cdp_x[i] - half * ux, g->source_y[i] = scan->cdp_y[i] - half * uy;
    g->receiver_x[i] = scan->cdp_x[i] + half * ux, g->receiver_y[i] = scan->cdp_y[i] + half * uy;
  }
  if (!apart)
    moho_anomalies_add(anomalies, "stacked", g->n, 0,
                       "no source and receiver coordinates, offsets are zero or one: stacked data at cdp_x, cdp_y");
  else
    moho_anomalies_add(
        anomalies, "midpoint_offset", apart, first,
        "no source and receiver coordinates: placed about cdp_x, cdp_y by offset and %s%s",
        scan->azimuth_deg ? "azimuth" : "the line's direction",
        !scan->azimuth_deg && line.spread > 0.2 ? "; the midpoints are far from a line: give headers: {azimuth: byte}" : "");
}

/* (0, 0) is a position only where the survey reaches: within its box widened by a tenth. */
static int reaches_origin(const box *b) {
  double margin = 0.1 * hypot(b->max_x - b->min_x, b->max_y - b->min_y) + 1;
  return b->n && b->min_x <= margin && b->max_x >= -margin && b->min_y <= margin && b->max_y >= -margin;
}

static void flag_missing_positions(moho_header_scan *scan, moho_geometry_source source, const box *sources, const box *receivers,
                                   const box *midpoints, moho_anomalies *anomalies) {
  moho_geometry *g = &scan->geometry;
  int source_may = !sources->n || reaches_origin(sources), receiver_may = !receivers->n || reaches_origin(receivers);
  int midpoint_may = reaches_origin(midpoints);
  size_t count = 0, first = 0;
  for (size_t i = 0; i < g->n; i++) {
    int missing;
    if (source == MOHO_GEOMETRY_MIDPOINT_OFFSET) missing = !midpoint_may && scan->cdp_x[i] == 0 && scan->cdp_y[i] == 0;
    else
      missing = (!source_may && g->source_x[i] == 0 && g->source_y[i] == 0) ||
                (!receiver_may && g->receiver_x[i] == 0 && g->receiver_y[i] == 0);
    if (!missing) continue;
    g->flags[i] |= MOHO_TRACE_NO_POSITION;
    if (!count++) first = i;
  }
  if (count)
    moho_anomalies_add(anomalies, "no_position", count, first,
                       "coordinates are (0, 0) far from the others: these traces are left out");
}

static void compare_offsets(const moho_header_scan *scan, moho_anomalies *anomalies) {
  const moho_geometry *g = &scan->geometry;
  size_t count = 0, first = 0, filled = 0;
  for (size_t i = 0; i < g->n; i++) {
    filled += scan->offset[i] != 0;
    if (offset_agrees(scan->offset[i], moho_geometry_offset(g, i)) || g->flags[i]) continue;
    if (!count++) first = i;
  }
  if (!count || !filled) return;
  moho_anomalies_add(anomalies, "offset_conflict", count, first,
                     "offset headers contradict the coordinates (trace %zu: header %g, coordinates %.6g): coordinates are used",
                     first + 1, scan->offset[first], moho_geometry_offset(g, first));
}

static void scale_positions(moho_header_scan *scan, double factor) {
  moho_geometry *g = &scan->geometry;
  double *columns[] = {g->source_x, g->source_y, g->receiver_x, g->receiver_y};
  for (int c = 0; c < 4; c++)
    for (size_t i = 0; i < g->n; i++) columns[c][i] *= factor;
}

/* ---- what is told ---- */

static void tell_headers(const moho_segy_layout *layout, const moho_header_scan *scan, moho_anomalies *anomalies) {
  const moho_tally *t = &scan->tallies[MOHO_TALLY_SAMPLES];
  const char *other = layout->su ? "trace 1" : "the binary header";
  if (t->count)
    moho_anomalies_add(anomalies, "ns_conflict", t->count, t->first,
                       "trace headers say %g samples, %s %zu: %zu is used, it fits the file", t->value, other, layout->n_samples,
                       layout->n_samples);
  t = &scan->tallies[MOHO_TALLY_INTERVAL];
  if (t->count)
    moho_anomalies_add(anomalies, "dt_conflict", t->count, t->first, "trace headers say dt %g us, %s %g us: %g us is used",
                       t->value, other, layout->dt_s * 1e6, layout->dt_s * 1e6);
  t = &scan->tallies[MOHO_TALLY_SCALAR_ZERO];
  if (t->count)
    moho_anomalies_add(anomalies, "scalar_zero", t->count, t->first, "coordinate scalar (bytes 71-72) is 0: read as 1");
  t = &scan->tallies[MOHO_TALLY_SCALAR_OTHER];
  if (t->count)
    moho_anomalies_add(anomalies, "scalar_mixed", t->count, t->first,
                       "coordinate scalars differ (%g in trace 1, %g in trace %zu): each trace has its own", scan->scalar_first,
                       t->value, t->first + 1);
  t = &scan->tallies[MOHO_TALLY_SCALAR_UNUSUAL];
  if (t->count)
    moho_anomalies_add(anomalies, "scalar_unusual", t->count, t->first,
                       "coordinate scalar %g is no power of ten: applied as it stands", t->value);
  t = &scan->tallies[MOHO_TALLY_TIME_SCALAR];
  if (t->count)
    moho_anomalies_add(anomalies, "time_scalar_unusual", t->count, t->first,
                       "time scalar (bytes 215-216) is %g, no power of ten: read as 1", t->value);
}

static void tell_traces(const moho_header_scan *scan, moho_anomalies *anomalies) {
  const moho_tally *t = &scan->tallies[MOHO_TALLY_DEAD];
  if (t->count)
    moho_anomalies_add(anomalies, "dead", t->count, t->first, "trace identification (bytes 29-30) is 2: dead traces, left out");
  t = &scan->tallies[MOHO_TALLY_NOT_SEISMIC];
  if (t->count)
    moho_anomalies_add(
        anomalies, "not_seismic", t->count, t->first,
        "trace identification (bytes 29-30) is %g, not seismic: left out (headers: {trace_id: none} takes them all)", t->value);
  t = &scan->tallies[MOHO_TALLY_MUTE_UNTRUE];
  if (t->count)
    moho_anomalies_add(anomalies, "mute_untrue", t->count, t->first,
                       "mute (bytes 111-114) ends at %g ms, not after its start: no mute", t->value);
  t = &scan->tallies[MOHO_TALLY_NOT_FINITE];
  if (t->count)
    moho_anomalies_add(anomalies, "not_finite_position", t->count, t->first,
                       "coordinates are NaN, infinite or beyond 1e12: these traces are left out");
  t = &scan->tallies[MOHO_TALLY_WRAPPED];
  if (t->count && !scan->beyond_int16)
    moho_anomalies_add(
        anomalies, "wrapped_coordinates", t->count, t->first,
        "coordinates jump by 65536: they went through 16 bits and wrapped; positions there are wrong, mend the headers");
}

moho_units moho_trace_units(const moho_segy_layout *layout, const moho_traces_options *options) {
  if (options->units != MOHO_UNITS_AUTO) return options->units;
  return layout->measurement == 2 ? MOHO_UNITS_FT : MOHO_UNITS_M;
}

static moho_units find_units(const moho_segy_layout *layout, const moho_traces_options *options, moho_anomalies *anomalies,
                             size_t n) {
  moho_units units = moho_trace_units(layout, options);
  if (units == MOHO_UNITS_FT)
    moho_anomalies_add(anomalies, "feet", n, 0, "lengths are in feet (%s): converted to metres",
                       options->units == MOHO_UNITS_FT ? "as told" : "binary header, bytes 3255-3256");
  else if (layout->measurement == 2)
    moho_anomalies_add(anomalies, "units_conflict", 1, 0,
                       "the binary header (bytes 3255-3256) says feet: read as metres, as told");
  else if (layout->measurement != 0 && layout->measurement != 1)
    moho_anomalies_add(anomalies, "units_unknown", 1, 0, "measurement system %d (bytes 3255-3256) is unknown: read as metres",
                       layout->measurement);
  return units;
}

moho_status moho_trace_geometry_decide(const char *path, const moho_segy_layout *layout, const moho_header_map *map,
                                       const moho_traces_options *options, moho_header_scan *scan, moho_anomalies *anomalies,
                                       moho_units *units, moho_geometry_source *source) {
  const moho_geometry *g = &scan->geometry;
  box sources = box_of(g->source_x, g->source_y, g->n), receivers = box_of(g->receiver_x, g->receiver_y, g->n);
  box midpoints = box_of(scan->cdp_x, scan->cdp_y, g->n);
  tell_headers(layout, scan, anomalies);
  tell_traces(scan, anomalies);
  MOHO_TRY(choose_source(path, map, options->geometry, scan, &sources, &receivers, &midpoints, source));
  int about_midpoints = *source == MOHO_GEOMETRY_MIDPOINT_OFFSET;
  box none = {0};
  MOHO_TRY(check_geographic(path, options, &scan->tallies[MOHO_TALLY_GEOGRAPHIC], about_midpoints ? &none : &sources,
                            about_midpoints ? &none : &receivers, about_midpoints ? &midpoints : &none, anomalies));
  *units = find_units(layout, options, anomalies, g->n);
  if (about_midpoints) place_about_midpoints(scan, anomalies);
  flag_missing_positions(scan, *source, &sources, &receivers, &midpoints, anomalies);
  if (!about_midpoints) compare_offsets(scan, anomalies);
  if (*units == MOHO_UNITS_FT) scale_positions(scan, moho_metres_per_foot);
  return MOHO_OK;
}
