/* run_gathers.c - inverse move-out and outer mute of finished gathers. */
#include "job/run_gathers.h"

moho_status moho_run_finish_gathers(const moho_run *r, const moho_window *window, moho_image *image) {
  const moho_job_value *mute = &r->job->values[MOHO_KEY_GATHERS_MUTE];
  double offset_m[256], time_s[256];
  size_t n = mute->n_list / 2;
  if (moho_job_number(r->job, MOHO_KEY_GATHERS_INVERSE_NMO) != 0)
    MOHO_TRY(moho_image_inverse_nmo_window(image, &r->inputs.grid, window, r->inputs.velocity));
  if (!mute->n_list) return MOHO_OK;
  for (size_t i = 0; i < n; i++) offset_m[i] = mute->list[2 * i], time_s[i] = mute->list[2 * i + 1];
  return moho_image_mute_gathers(image, offset_m, time_s, n);
}
