/* run_warnings.c - what looks wrong with a job and its input, although it can run. */
#include "job/run_warnings.h"

#include <math.h>
#include <stdarg.h>

#include "base/memory.h"
#include "job/moveout_check.h"
#include "job/run_statics.h"

static void warn(json_t *warnings, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void warn(json_t *warnings, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  json_array_append_new(warnings, json_vsprintf(format, arguments));
  va_end(arguments);
}

static void warn_of_sampling(json_t *warnings, const moho_run_inputs *in) {
  if (in->plan.grid_alias_hz < in->f_max_hz)
    warn(warnings,
         "the grid aliases: dips of %g degrees show without alias up to v/(4 dx sin dip) = %.1f Hz, the data reach %.1f Hz; "
         "use a spacing of %.3g m or a smaller max_dip_deg",
         in->options.aperture_max_dip_deg, in->plan.grid_alias_hz, in->f_max_hz,
         fmax(in->grid.inline_spacing_m * (double)(in->grid.n_inline > 1), in->grid.crossline_spacing_m) *
             in->plan.grid_alias_hz / in->f_max_hz);
  if (in->grid.step_s * in->f_max_hz > 0.5)
    warn(warnings, "the image's time step of %g s holds up to %.1f Hz, the data reach %.1f Hz", in->grid.step_s,
         0.5 / in->grid.step_s, in->f_max_hz);
  if (in->options.refine < in->refine_needed)
    warn(warnings,
         "linear interpolation at this sampling weakens high frequencies: input.resample: %d or auto, or interpolation: sinc8",
         in->refine_needed);
}

static void warn_of_traces(json_t *warnings, const moho_run_inputs *in) {
  size_t outside = moho_run_inputs_outside(in);
  if (outside == in->n_live) warn(warnings, "every trace is outside the grid: migrate will refuse this job");
  else if (outside)
    warn(warnings, "about %zu of %zu traces lie farther than the aperture from the grid and are not used", outside, in->n_live);
  if (in->n_live < in->geometry->n)
    warn(warnings, "%zu of %zu traces take no part: dead, not seismic or without coordinates", in->geometry->n - in->n_live,
         in->geometry->n);
  moho_warn_of_statics(warnings, in);
  for (size_t i = 0; i < in->info->n_anomalies; i++)
    warn(warnings, "%s (%zu traces, the first is %zu)", in->info->anomalies[i].text, in->info->anomalies[i].count,
         in->info->anomalies[i].first_trace + 1);
}

static void warn_of_moveout(json_t *warnings, const moho_run_inputs *in) {
  const moho_moveout_check *c = &in->moveout;
  if (!moho_moveout_check_is_flat(c)) return;
  warn(warnings,
       "the input looks NMO-corrected%s: in %zu gathers events line up without move-out (semblance %.2f) and not along that of "
       "the velocity (%.2f); %s",
       in->nmo_velocity ? " still" : "", c->gathers, c->flat, c->moved,
       in->nmo_velocity ? "check input.nmo.applied_with: more than that was taken off"
                        : "give input.nmo: {applied_with: FILE}, or check the velocity if NMO was not applied");
}

static void warn_of_gathers(json_t *warnings, const moho_run_inputs *in) {
  size_t unbinned = in->plan.unbinned_traces;
  if (unbinned == in->n_live) warn(warnings, "every trace is outside the bins of the gathers: the image would be empty");
  else if (unbinned)
    warn(warnings, "%zu of %zu traces are outside the bins of the gathers: they are in neither gathers nor stack", unbinned,
         in->n_live);
}

json_t *moho_run_warnings(const moho_run_inputs *in) {
  json_t *warnings = json_array();
  if (!warnings) return NULL;
  warn_of_sampling(warnings, in);
  warn_of_traces(warnings, in);
  warn_of_gathers(warnings, in);
  warn_of_moveout(warnings, in);
  return warnings;
}
