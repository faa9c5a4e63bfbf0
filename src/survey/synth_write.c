/* synth_write.c - a whole synthetic survey into a file, batch by batch in bounded memory. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/timer.h"
#include "moho/traces.h"
#include "survey/synth_plan.h"

enum { BATCH_BYTES = 32 << 20 };

/* What the text header says of the survey. */
static void describe(const moho_synth_options *o, const moho_synth_plan *plan, char *text, size_t capacity) {
  char wavelet[80];
  if (o->wavelet == MOHO_WAVELET_RICKER) snprintf(wavelet, sizeof wavelet, "Ricker, %g Hz", o->peak_hz);
  else
    snprintf(wavelet, sizeof wavelet, "Ormsby, %g-%g-%g-%g Hz", o->ormsby_hz[0], o->ormsby_hz[1], o->ormsby_hz[2],
             o->ormsby_hz[3]);
  snprintf(text, capacity,
           "Synthetic survey%s%s, exact travel times\n"
           "Velocity %g m/s + %g 1/s * depth, eta %g\n"
           "%zu diffractors %s, %zu reflectors\n"
           "Wavelet %s\n"
           "%s, spherical spreading %s\n"
           "Noise %g of the largest amplitude, seed %llu\n"
           "%zu x %zu midpoints every %g m, offsets %g to %g m every %g m, %zu azimuths\n"
           "Order: azimuth, offset, inline, crossline (fastest)",
           o->preset ? " " : "", o->preset ? o->preset : "", o->v0_mps, o->gradient_per_s, o->eta, o->n_diffractors,
           o->response == MOHO_RESPONSE_ELEMENT ? "as small reflector elements" : "with the plain wavelet", o->n_reflectors,
           wavelet, plan->two_d ? "2.5D" : "3D", o->spreading ? "in the data" : "corrected", o->noise,
           (unsigned long long)o->seed, plan->n_inline, plan->n_crossline, o->midpoint_spacing_m, o->offset_first_m,
           o->offset_last_m, o->offset_step_m, o->n_azimuths);
}

static moho_status report(moho_progress_function progress, void *user, size_t done, size_t total, double began) {
  moho_progress now = {"writing", "traces", (double)done, (double)total, moho_seconds() - began};
  if (!progress || progress(user, &now) == 0) return MOHO_OK;
  return moho_fail(MOHO_ERROR_INTERRUPTED, "interrupted after %zu of %zu traces", done, total);
}

static moho_status write_batches(const moho_synth_plan *plan, size_t batch, moho_geometry *geometry, float *samples,
                                 moho_traces_writer *writer, moho_progress_function progress, void *user) {
  double began = moho_seconds();
  MOHO_TRY(report(progress, user, 0, plan->n_traces, began));
  for (size_t first = 0; first < plan->n_traces; first += batch) {
    size_t n = plan->n_traces - first < batch ? plan->n_traces - first : batch;
    moho_geometry part = moho_geometry_slice(geometry, 0, n);
    MOHO_TRY(moho_synth_plan_generate(plan, first, n, &part, samples));
    MOHO_TRY(moho_traces_writer_append(writer, &part, samples));
    MOHO_TRY(report(progress, user, first + n, plan->n_traces, began));
  }
  return MOHO_OK;
}

static moho_status write_survey(const moho_synth_plan *plan, const char *path, moho_progress_function progress, void *user) {
  const moho_synth_options *o = plan->options;
  size_t batch = BATCH_BYTES / (o->n_samples * sizeof(float)) + 1;
  if (batch > plan->n_traces) batch = plan->n_traces;
  char text[1200];
  float *samples;
  moho_geometry geometry = {0};
  moho_traces_writer *writer = NULL;
  describe(o, plan, text, sizeof text);
  MOHO_TRY(moho_allocate(batch * o->n_samples, sizeof(float), "a batch of traces", &samples));
  moho_status status = moho_geometry_create(batch, &geometry);
  if (!status) status = moho_traces_writer_create(path, plan->n_traces, o->n_samples, o->dt_s, text, &writer);
  if (!status) status = write_batches(plan, batch, &geometry, samples, writer, progress, user);
  if (!status) status = moho_traces_writer_finish(&writer);
  else moho_traces_writer_discard(&writer);
  moho_geometry_release(&geometry);
  free(samples);
  return status;
}

moho_status moho_synth_write(const moho_synth_options *options, const char *path, moho_progress_function progress, void *user) {
  moho_synth_plan plan;
  MOHO_TRY(moho_synth_plan_create(options, &plan));
  moho_status status = write_survey(&plan, path, progress, user);
  moho_synth_plan_release(&plan);
  return status;
}
