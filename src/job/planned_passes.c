/* planned_passes.c - the migrations that a job makes: levels before the image, zones, a coarse pass, iterations. */
#include "job/planned_passes.h"

#include "base/memory.h"
#include "job/run_adaptive.h"
#include "job/run_least_squares.h"
#include "job/run_levels.h"
#include "job/run_zones.h"

static int times_of(const moho_planned_pass *pass) {
  return pass->times ? pass->times : 1;
}

moho_status moho_plan_passes(const moho_job *job, const moho_run_inputs *in, moho_planned_passes *out) {
  *out = (moho_planned_passes){0};
  MOHO_TRY(moho_run_levels_plan(job, in, out));
  if (moho_run_has_zones(job)) {
    MOHO_TRY(moho_run_zones_plan(job, in, out));
  } else if (moho_run_is_adaptive(job)) {
    MOHO_TRY(moho_run_adaptive_plan(job, in, out));
  } else {
    moho_planned_pass *image = &out->passes[out->n++];
    snprintf(image->name, sizeof image->name, "image");
    image->plan = in->plan;
    /* The image, then the traces that it explains and their image, each iteration. */
    if (moho_run_has_iterations(job)) image->times = 1 + 2 * (int)moho_job_number(job, MOHO_KEY_ITERATIONS);
  }
  for (size_t i = 0; i < out->n; i++) out->contributions += out->passes[i].plan.contributions * times_of(&out->passes[i]);
  return MOHO_OK;
}

static int is_plain(const moho_planned_passes *passes) {
  return passes->n == 1 && times_of(&passes->passes[0]) == 1 && !passes->are_at_once;
}

void moho_planned_passes_print(const moho_planned_passes *passes, double rate, FILE *out) {
  if (is_plain(passes)) return;
  fprintf(out, "  passes        %s\n", passes->are_at_once ? "at once, over the traces once" : "one after another");
  for (size_t i = 0; i < passes->n; i++) {
    const moho_planned_pass *pass = &passes->passes[i];
    double contributions = pass->plan.contributions * times_of(pass);
    char memory[32], times[40] = "";
    if (times_of(pass) > 1) snprintf(times, sizeof times, ", %d times over the traces", times_of(pass));
    fprintf(out, "    %-24s contributions %.3g, %.3g s, memory %s%s\n", pass->name, contributions, contributions / rate,
            moho_bytes_text((double)pass->plan.memory_bytes + (double)pass->plan.device_bytes, memory), times);
  }
}

json_t *moho_planned_passes_json(const moho_planned_passes *passes, double rate) {
  json_t *list = json_array();
  for (size_t i = 0; i < passes->n; i++) {
    const moho_planned_pass *pass = &passes->passes[i];
    double contributions = pass->plan.contributions * times_of(pass);
    json_array_append_new(list,
                          json_pack("{s:s, s:i, s:f, s:b, s:f, s:I, s:I}", "name", pass->name, "times", times_of(pass),
                                    "contributions", contributions, "is_upper_bound", pass->is_upper_bound, "seconds_expected",
                                    contributions / rate, "memory_bytes", (json_int_t)pass->plan.memory_bytes, "device_bytes",
                                    (json_int_t)pass->plan.device_bytes));
  }
  return list;
}
