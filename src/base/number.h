/* number.h - numbers from text, strictly: the whole text must be the number ("3 km" and "3,000" are errors, not 3). */
#ifndef MOHO_BASE_NUMBER_H
#define MOHO_BASE_NUMBER_H

#include "base/fail.h"

/* Finite decimal numbers; MOHO_ERROR_FORMAT with the text and what was expected. `what` names the value. Locale-independent. */
moho_status moho_parse_double(const char *text, const char *what, double *out);
moho_status moho_parse_int(const char *text, const char *what, int64_t *out);

#endif
