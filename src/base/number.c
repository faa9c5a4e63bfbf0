/* number.c - numbers from text, strictly. */
#include "base/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef __APPLE__
#include <xlocale.h>
#endif

static locale_t c_locale;

static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Decimal digits, sign, point and exponent only: strtod alone also takes "0x1p3", "inf", "nan" and leading blanks. */
static int looks_decimal(const char *text) {
  return *text && text[strspn(text, "0123456789+-.eE")] == '\0';
}

moho_status moho_parse_double(const char *text, const char *what, double *out) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  char *end;
  pthread_once(&once, make_c_locale);
  double value = looks_decimal(text) ? strtod_l(text, &end, c_locale) : NAN;
  if (!isfinite(value) || *end || end == text)
    return moho_fail(MOHO_ERROR_FORMAT, "%s: got \"%s\", expected a plain number such as 12.5 (no unit, no thousands comma)",
                     what, text);
  *out = value;
  return MOHO_OK;
}

moho_status moho_parse_int(const char *text, const char *what, int64_t *out) {
  char *end = NULL;
  errno = 0;
  long long value = *text && text[strspn(text, "0123456789+-")] == '\0' ? strtoll(text, &end, 10) : 0;
  if (!end || *end || end == text || errno)
    return moho_fail(MOHO_ERROR_FORMAT, "%s: got \"%s\", expected a whole number", what, text);
  *out = value;
  return MOHO_OK;
}
