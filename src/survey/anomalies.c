/* anomalies.c - the list of odd things in a trace file. */
#include "survey/anomalies.h"

#include <stdarg.h>
#include <stdio.h>

moho_anomaly *moho_anomalies_add(moho_anomalies *anomalies, const char *name, size_t count, size_t first_trace,
                                 const char *format, ...) {
  size_t place = anomalies->n < MOHO_ANOMALY_CAPACITY ? anomalies->n++ : MOHO_ANOMALY_CAPACITY - 1;
  moho_anomaly *added = &anomalies->list[place];
  *added = (moho_anomaly){.name = name, .count = count, .first_trace = first_trace};
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(added->text, sizeof added->text, format, arguments);
  va_end(arguments);
  return added;
}
