/* geometry.c - where each trace was shot and recorded. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "moho/traces.h"

moho_status moho_geometry_create(size_t n, moho_geometry *out) {
  *out = (moho_geometry){.n = n};
  struct {
    void *array;
    size_t size;
  } arrays[] = {{&out->source_x, sizeof(double)},
                {&out->source_y, sizeof(double)},
                {&out->receiver_x, sizeof(double)},
                {&out->receiver_y, sizeof(double)},
                {&out->first_sample_s, sizeof(double)},
                {&out->mute_start_s, sizeof(float)},
                {&out->mute_end_s, sizeof(float)},
                {&out->cdp, sizeof(int32_t)},
                {&out->inline_number, sizeof(int32_t)},
                {&out->crossline_number, sizeof(int32_t)},
                {&out->flags, 1}};
  moho_status status = MOHO_OK;
  for (size_t i = 0; !status && i < sizeof arrays / sizeof *arrays; i++)
    status = moho_allocate(n, arrays[i].size, "trace geometry", arrays[i].array);
  if (status) moho_geometry_release(out);
  return status;
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
