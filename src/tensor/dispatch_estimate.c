/* dispatch_estimate.c - seconds of a call on a device, from the curves measured there; and where two devices cross over. */
#include <math.h>

#include "tensor/dispatcher.h"

/* ---- curves ---- */

double dispatch_curve_at(const dispatch_curve *curve, const double *seconds, double size) {
  int last = curve->n - 1, i = 1;
  if (last < 0) return NAN;
  if (size <= curve->size[0]) return seconds[0];
  if (size >= curve->size[last]) return seconds[last] * (size / curve->size[last]);
  while (curve->size[i] < size) i++;
  double share = log(size / curve->size[i - 1]) / log(curve->size[i] / curve->size[i - 1]);
  return seconds[i - 1] * pow(seconds[i] / seconds[i - 1], share);
}

int dispatch_figures_complete(const dispatch_figures *figures) {
  int complete = figures->to_device.n && figures->to_host.n;
  for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++) complete = complete && figures->groups[g].n;
  return complete;
}

/* ---- a call ---- */

/* Products are measured where arithmetic decides; one that is thin takes at least the time of its bytes. */
static double work_seconds(const dispatch_figures *figures, const dispatch_need *need, int among_many) {
  const dispatch_curve *own = &figures->groups[need->group], *bytes = &figures->groups[MOHO_DISPATCH_ELEMENTWISE];
  double seconds = dispatch_curve_at(own, among_many ? own->among_many_s : own->alone_s, need->size);
  if (need->group != MOHO_DISPATCH_MATMUL && need->group != MOHO_DISPATCH_TERNARY) return seconds;
  return fmax(seconds, dispatch_curve_at(bytes, among_many ? bytes->among_many_s : bytes->alone_s, need->bytes));
}

static int host_reaches(const dispatch_device *device) {
  return device->report.unified_memory;
}

/* One copy where the host reaches either side, else two through the host's memory. */
static double move_seconds(const dispatch_device *from, const dispatch_device *to, size_t bytes) {
  if (from == to || !bytes) return 0;
  double down = dispatch_curve_at(&from->figures.to_host, from->figures.to_host.alone_s, (double)bytes);
  double up = dispatch_curve_at(&to->figures.to_device, to->figures.to_device.alone_s, (double)bytes);
  if (host_reaches(from) && host_reaches(to)) return fmax(down, up);
  return host_reaches(from) ? up : host_reaches(to) ? down : down + up;
}

static moho_status check_figures(const dispatch_device *device) {
  if (dispatch_figures_complete(&device->figures)) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "call moho_dispatcher_measure() or moho_dispatcher_give() first", MOHO_ERROR_NOT_FOUND,
                      "dispatch: there are no figures of %s", device->report.uri);
}

moho_status dispatch_estimate(const moho_dispatcher *dispatcher, const dispatch_need *need, int device,
                              moho_dispatch_estimate *out) {
  const dispatch_device *own = &dispatcher->devices[device];
  MOHO_TRY(check_figures(own));
  *out = (moho_dispatch_estimate){.alone_s = work_seconds(&own->figures, need, 0),
                                  .among_many_s = work_seconds(&own->figures, need, 1)};
  for (int i = 0; i < need->n_parts; i++) {
    const dispatch_part *part = &need->parts[i];
    if (part->device == MOHO_DISPATCH_ANYWHERE || part->device == device) continue;
    const dispatch_device *other = &dispatcher->devices[part->device];
    MOHO_TRY(check_figures(other));
    int is_output = i == need->n_parts - 1;
    out->move_s += is_output ? move_seconds(own, other, part->bytes) : move_seconds(other, own, part->bytes);
  }
  return MOHO_OK;
}

/* ---- standard calls ---- */

dispatch_need dispatch_standard_need(moho_dispatch_group group, double size, int at) {
  dispatch_need need = {.operation = moho_dispatch_group_name(group), .group = group, .size = size, .bytes = size, .n_parts = 3};
  double parts[3] = {size / 3, size / 3, size / 3}, side;
  switch (group) {
  case MOHO_DISPATCH_ACTIVATION:
  case MOHO_DISPATCH_ROWS: parts[0] = parts[2] = size / 2, parts[1] = 0; break;
  case MOHO_DISPATCH_REDUCTION: parts[0] = size, parts[1] = 0, parts[2] = 4; break;
  case MOHO_DISPATCH_MATMUL:
    side = cbrt(size);
    parts[0] = parts[1] = parts[2] = 4 * side * side;
    break;
  case MOHO_DISPATCH_TERNARY: /* the weights live where they are used: they are not moved */
    side = sqrt(size / 8);
    parts[0] = parts[2] = 32 * side, parts[1] = 0;
    need.bytes = side * side / 4 + parts[0] + parts[2];
    break;
  default: break;
  }
  if (group == MOHO_DISPATCH_MATMUL) need.bytes = parts[0] + parts[1] + parts[2];
  for (int i = 0; i < 3; i++) need.parts[i] = (dispatch_part){(size_t)parts[i], at};
  return need;
}

static moho_status check_index(const moho_dispatcher *dispatcher, const char *what, int device) {
  if (device >= 0 && device < dispatcher->n) return MOHO_OK;
  return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: %s %d, expected 0 to %d", what, device, dispatcher->n - 1);
}

moho_status moho_dispatcher_estimate(const moho_dispatcher *dispatcher, moho_dispatch_group group, double size, int device,
                                     int at, moho_dispatch_estimate *out) {
  MOHO_TRY(dispatch_check(dispatcher));
  MOHO_TRY(check_index(dispatcher, "device", device));
  if (at != MOHO_DISPATCH_ANYWHERE) MOHO_TRY(check_index(dispatcher, "the operands' device", at));
  if (!out || (unsigned)group >= MOHO_DISPATCH_GROUPS || !(size >= 0))
    return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: group %d and size %g, expected 0 to %d, at least 0, and where to put it",
                     (int)group, size, MOHO_DISPATCH_GROUPS - 1);
  const dispatch_need need = dispatch_standard_need(group, size, at);
  return dispatch_estimate(dispatcher, &need, device, out);
}

/* Sixteen sizes a doubling, from the largest down to the first that is slower. */
moho_status moho_dispatcher_crossover(const moho_dispatcher *dispatcher, moho_dispatch_group group, int device, int at,
                                      double *size) {
  enum { STEPS = 16, DOUBLINGS = 40 };
  if (!size) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: nowhere to put the crossover, got NULL");
  MOHO_TRY(dispatch_check(dispatcher));
  MOHO_TRY(check_index(dispatcher, "the operands' device", at));
  *size = INFINITY;
  for (int i = STEPS * DOUBLINGS; i >= 0; i--) {
    moho_dispatch_estimate there, here;
    double tried = exp2((double)i / STEPS);
    MOHO_TRY(moho_dispatcher_estimate(dispatcher, group, tried, device, at, &there));
    MOHO_TRY(moho_dispatcher_estimate(dispatcher, group, tried, at, at, &here));
    if (there.alone_s + there.move_s >= here.alone_s) return MOHO_OK;
    *size = i ? tried : 0;
  }
  return MOHO_OK;
}
