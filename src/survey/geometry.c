/* geometry.c - where each trace was shot and recorded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "moho/traces.h"

enum { ARRAYS = 11 };

typedef struct geometry_array {
  void *at; /* the array's pointer */
  size_t size;
} geometry_array;

static void list_arrays(moho_geometry *g, geometry_array arrays[ARRAYS]) {
  const geometry_array all[ARRAYS] = {{&g->source_x, sizeof(double)},
                                      {&g->source_y, sizeof(double)},
                                      {&g->receiver_x, sizeof(double)},
                                      {&g->receiver_y, sizeof(double)},
                                      {&g->first_sample_s, sizeof(double)},
                                      {&g->mute_start_s, sizeof(float)},
                                      {&g->mute_end_s, sizeof(float)},
                                      {&g->cdp, sizeof(int32_t)},
                                      {&g->inline_number, sizeof(int32_t)},
                                      {&g->crossline_number, sizeof(int32_t)},
                                      {&g->flags, 1}};
  memcpy(arrays, all, sizeof all);
}

moho_status moho_geometry_create(size_t n, moho_geometry *out) {
  geometry_array arrays[ARRAYS];
  *out = (moho_geometry){.n = n};
  list_arrays(out, arrays);
  moho_status status = MOHO_OK;
  for (size_t i = 0; !status && i < ARRAYS; i++) status = moho_allocate(n, arrays[i].size, "trace geometry", arrays[i].at);
  if (status) moho_geometry_release(out);
  return status;
}

/* One array after the other, so that never two geometries are held. */
moho_status moho_geometry_keep(moho_geometry *geometry, const size_t *kept, size_t n) {
  geometry_array arrays[ARRAYS];
  list_arrays(geometry, arrays);
  for (size_t a = 0; a < ARRAYS; a++) {
    char *old, *fresh;
    size_t size = arrays[a].size;
    MOHO_TRY(moho_allocate(n, size, "trace geometry", &fresh));
    memcpy(&old, arrays[a].at, sizeof old);
    for (size_t i = 0; i < n; i++) memcpy(fresh + i * size, old + kept[i] * size, size);
    memcpy(arrays[a].at, &fresh, sizeof fresh);
    free(old);
  }
  geometry->n = n;
  return MOHO_OK;
}

void moho_geometry_release(moho_geometry *g) {
  free(g->source_x), free(g->source_y), free(g->receiver_x), free(g->receiver_y), free(g->first_sample_s);
  free(g->mute_start_s), free(g->mute_end_s), free(g->cdp), free(g->inline_number), free(g->crossline_number), free(g->flags);
  *g = (moho_geometry){0};
}

moho_geometry moho_geometry_slice(const moho_geometry *all, size_t first, size_t n) {
  return (moho_geometry){.n = n,
                         .source_x = all->source_x + first,
                         .source_y = all->source_y + first,
                         .receiver_x = all->receiver_x + first,
                         .receiver_y = all->receiver_y + first,
                         .first_sample_s = all->first_sample_s + first,
                         .mute_start_s = all->mute_start_s + first,
                         .mute_end_s = all->mute_end_s + first,
                         .cdp = all->cdp + first,
                         .inline_number = all->inline_number + first,
                         .crossline_number = all->crossline_number + first,
                         .flags = all->flags + first};
}

int moho_geometry_is_live(const moho_geometry *geometry, size_t trace) {
  return (geometry->flags[trace] & ~(unsigned)MOHO_TRACE_BAD) == 0;
}

double moho_geometry_offset(const moho_geometry *geometry, size_t trace) {
  return hypot(geometry->source_x[trace] - geometry->receiver_x[trace], geometry->source_y[trace] - geometry->receiver_y[trace]);
}

double moho_geometry_azimuth_deg(const moho_geometry *geometry, size_t trace) {
  double azimuth =
      atan2(geometry->receiver_x[trace] - geometry->source_x[trace], geometry->receiver_y[trace] - geometry->source_y[trace]) *
      (180.0 / 3.14159265358979323846);
  return azimuth < 0 ? azimuth + 360.0 : azimuth;
}
