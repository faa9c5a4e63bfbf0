/* trace_geometry.h - from decoded headers to positions in metres: which headers are believed, what is refused, what is told.
 */
#ifndef MOHO_SURVEY_TRACE_GEOMETRY_H
#define MOHO_SURVEY_TRACE_GEOMETRY_H

#include "survey/header_scan.h"

extern const double moho_metres_per_foot;

/* The unit of the file's lengths: as told, else by the binary header. */
moho_units moho_trace_units(const moho_segy_layout *layout, const moho_traces_options *options);
/* Turns scan->geometry into metres in place; units and source tell what was found. */
moho_status moho_trace_geometry_decide(const char *path, const moho_segy_layout *layout, const moho_header_map *map,
                                       const moho_traces_options *options, moho_header_scan *scan, moho_anomalies *anomalies,
                                       moho_units *units, moho_geometry_source *source);

#endif
