/* anomalies.h - the list of odd things in a trace file: decided, counted, told once.
 */
#ifndef MOHO_SURVEY_ANOMALIES_H
#define MOHO_SURVEY_ANOMALIES_H

#include "moho/traces.h"

enum { MOHO_ANOMALY_CAPACITY = 64 }; /* there are fewer kinds; a fixed array keeps borrowed pointers valid */

typedef struct moho_anomalies {
  size_t n;
  moho_anomaly list[MOHO_ANOMALY_CAPACITY];
} moho_anomalies;

/* name: a constant. Returns the entry, for counts that grow later. */
moho_anomaly *moho_anomalies_add(moho_anomalies *anomalies, const char *name, size_t count, size_t first_trace,
                                 const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
