/* velocity_write_su.c - velocity functions as the parameters of Seismic Unix's sunmo. */
#include <stdlib.h>

#include "base/memory.h"
#include "survey/velocity_write.h"

typedef struct cdp_order {
  double cdp;
  size_t function;
} cdp_order;

static int by_cdp(const void *a, const void *b) {
  const cdp_order *p = a, *q = b;
  return (p->cdp > q->cdp) - (p->cdp < q->cdp);
}

static void write_list(FILE *out, const char *key, const double *values, size_t n, int decimals) {
  char text[40];
  fprintf(out, "%s=", key);
  for (size_t k = 0; k < n; k++) fprintf(out, "%s%s", k ? "," : "", moho_velocity_number(values[k], decimals, text));
  fputc('\n', out);
}

static void write_function(FILE *out, const moho_velocity_functions *f, size_t p) {
  size_t first = f->start[p], n = f->start[p + 1] - first;
  write_list(out, "tnmo", f->time_s + first, n, MOHO_VELOCITY_TIME_DECIMALS);
  write_list(out, "vnmo", f->v_mps + first, n, MOHO_VELOCITY_DECIMALS);
}

/* sunmo wants ascending CDPs; one function needs none. */
moho_status moho_velocity_write_su(const moho_velocity_functions *f, const char *path, FILE *out) {
  cdp_order *order;
  if (!f->cdp && f->n == 1) {
    write_function(out, f, 0);
    return MOHO_OK;
  }
  if (!f->cdp)
    return moho_fail_at((moho_place){.file = path},
                        "SU's lists are for lines: give the line's grid (--grid image.zarr), or write opendtect, segy or zarr",
                        MOHO_ERROR_ARGUMENT, "%s: format su needs CDP numbers, which the functions lack", path);
  MOHO_TRY(moho_allocate(f->n, sizeof *order, "velocity functions", &order));
  for (size_t p = 0; p < f->n; p++) order[p] = (cdp_order){f->cdp[p], p};
  qsort(order, f->n, sizeof *order, by_cdp);
  fputs("cdp=", out);
  for (size_t p = 0; p < f->n; p++) {
    char text[40];
    fprintf(out, "%s%s", p ? "," : "", moho_velocity_number(order[p].cdp, MOHO_VELOCITY_DECIMALS, text));
  }
  fputc('\n', out);
  for (size_t p = 0; p < f->n; p++) write_function(out, f, order[p].function);
  free(order);
  return MOHO_OK;
}
