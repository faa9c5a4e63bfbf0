/* opening_angle.c - bins of the opening angle as limits of its cosine, and what a column adds. */
#include "migrate/opening_angle.h"

#include <stdlib.h>

#include "base/memory.h"
#include "migrate/angle_kernel.h"

/* An edge takes cosines up to so much above its own: angles that are exactly on it in one frame are not below it in another. */
#define EDGE_BAND 1e-12

/* Past the last edge the first goes on, which never is passed where it is 0. */
static void fill_edge(moho_opening_angles *angles, size_t k) {
  double cosine = k <= angles->n ? angles->limits[k] : 2, squared = 2 - 2 * cosine, sine2 = fmax(1 - cosine * cosine, 1e-6);
  float *row = angles->edges + k;
  row[MOHO_ANGLE_EDGE_SQUARED * angles->edge_stride] = (float)squared;
  row[MOHO_ANGLE_EDGE_CHORD * angles->edge_stride] = (float)sqrt(fmax(squared, 0));
  row[MOHO_ANGLE_EDGE_INVERSE * angles->edge_stride] = (float)(1 / sqrt(fmax(squared, 1e-12)));
  row[MOHO_ANGLE_EDGE_SINE2 * angles->edge_stride] = (float)sine2;
  row[MOHO_ANGLE_EDGE_SIGN * angles->edge_stride] = cosine < 0 ? -1.0f : 1.0f;
  row[MOHO_ANGLE_EDGE_Q * angles->edge_stride] = (float)(1 - cosine * cosine);
}

moho_status moho_opening_angles_create(const moho_gather_bins *bins, moho_opening_angles *out) {
  *out = (moho_opening_angles){0};
  if (bins->kind != MOHO_GATHERS_ANGLE) return MOHO_OK;
  MOHO_TRY(moho_allocate(bins->n_edges, sizeof *out->limits, "opening angles", &out->limits));
  out->edge_stride = moho_round_up(bins->n_edges, MOHO_ANGLE_WIDEST);
  moho_status status = moho_allocate(MOHO_ANGLE_EDGE_ROWS * out->edge_stride, sizeof *out->edges, "opening angles", &out->edges);
  if (status) {
    moho_opening_angles_release(out);
    return status;
  }
  out->n = bins->n_edges - 1;
  for (size_t k = 0; k <= out->n; k++)
    out->limits[k] = bins->edges[k] > 0 ? cos(bins->edges[k] * (3.14159265358979323846 / 180)) + EDGE_BAND : 2;
  for (size_t k = 0; k < out->edge_stride; k++) fill_edge(out, k);
  return MOHO_OK;
}

void moho_opening_angles_release(moho_opening_angles *angles) {
  free(angles->limits), free(angles->edges);
  *angles = (moho_opening_angles){0};
}

moho_status moho_opening_velocity(const moho_travel_law *law, double x_m, double y_m, double *v_dt) {
  MOHO_TRY(moho_velocity_interval(law->velocity, x_m, y_m, law->first_s, law->step_s, law->n, v_dt));
  for (size_t i = 0; i < law->n; i++) v_dt[i] *= law->dt_s;
  return MOHO_OK;
}
