/* dispatcher.h - the dispatcher as its files see it: figures of each device, counts, and what a call needs.
 *
 * A call becomes a dispatch_need: group, size, bytes and places of operands. dispatch_rank() orders the devices for it, from the
 * figures; dispatch_run.c tries them in that order.
 */
#ifndef MOHO_TENSOR_DISPATCHER_H
#define MOHO_TENSOR_DISPATCHER_H

#include <pthread.h>

#include "base/fail.h"
#include "moho/dispatch.h"

/* ---- measured figures ---- */

enum { DISPATCH_POINTS = 40 };

/* Seconds by size, ascending; n 0: not measured. */
typedef struct dispatch_curve {
  int n;
  double size[DISPATCH_POINTS];
  double alone_s[DISPATCH_POINTS], among_many_s[DISPATCH_POINTS];
} dispatch_curve;

/* Of one device. In transfers alone_s counts, size is bytes. */
typedef struct dispatch_figures {
  dispatch_curve groups[MOHO_DISPATCH_GROUPS];
  dispatch_curve to_device, to_host; /* from and to plain memory of the host */
} dispatch_figures;

int dispatch_figures_complete(const dispatch_figures *figures);

/* Straight between neighbours in logarithms of size and seconds; the first point's seconds below it; beyond the last one in
 * proportion. `seconds` is one of the curve's arrays. */
double dispatch_curve_at(const dispatch_curve *curve, const double *seconds, double size);

/* ---- the object ---- */

typedef struct dispatch_device {
  moho_device *device;
  moho_device_report report; /* when it was added */
  dispatch_figures figures;
  moho_dispatch_counts counts;
} dispatch_device;

struct moho_dispatcher {
  moho_dispatcher_options options;
  dispatch_device devices[MOHO_DISPATCH_DEVICES];
  int n;
  pthread_mutex_t lock; /* of the counts */
};

moho_status dispatch_check(const moho_dispatcher *dispatcher);

/* ---- what a call needs ---- */

typedef struct dispatch_part {
  size_t bytes;
  int device; /* or MOHO_DISPATCH_ANYWHERE */
} dispatch_part;

typedef struct dispatch_need {
  const char *operation; /* in messages */
  moho_dispatch_group group;
  double size;                                     /* the group's abscissa */
  double bytes;                                    /* read and written */
  dispatch_part parts[MOHO_DISPATCH_OPERANDS + 1]; /* inputs, then the output */
  int n_parts;
} dispatch_need;

/* The need of a standard call of a group: all parts on device `at`. */
dispatch_need dispatch_standard_need(moho_dispatch_group group, double size, int at);
moho_status dispatch_need_of_work(const moho_dispatcher *dispatcher, const moho_dispatch_work *work, dispatch_need *out);

/* Of an operation's word; MOHO_ERROR_NOT_FOUND. */
moho_status dispatch_group_of(const char *operation, moho_dispatch_group *out);

/* ---- estimates and ranking ---- */

/* MOHO_ERROR_NOT_FOUND where the device has no figures. */
moho_status dispatch_estimate(const moho_dispatcher *dispatcher, const dispatch_need *need, int device,
                              moho_dispatch_estimate *out);

typedef struct dispatch_candidate {
  int device;
  double seconds, move_s; /* NAN where not known */
  size_t new_bytes;
  double free_bytes;
} dispatch_candidate;

/* Devices that may, best first, and in words what was left out and why. */
typedef struct dispatch_ranking {
  dispatch_candidate candidates[MOHO_DISPATCH_DEVICES];
  int n;
  char left_out[400];
} dispatch_ranking;

moho_status dispatch_rank(moho_dispatcher *dispatcher, const dispatch_need *need, dispatch_ranking *out);
/* Candidate `which` as a choice, with its reason; the first one's is counted. */
void dispatch_tell(moho_dispatcher *dispatcher, const dispatch_need *need, const dispatch_ranking *ranking, int which,
                   moho_dispatch_choice *out);

/* ---- operands: dispatch_move.c ---- */

/* `out` := a tensor of the same shape and values on another device, destroyed by the caller; what is repeated by stride 0 is
 * moved once. */
moho_status dispatch_bring(const moho_tensor *from, moho_device *to, moho_tensor *out);
/* Values of `from` into `to`, tensors of one shape and dtype on any devices. */
moho_status dispatch_copy(const moho_tensor *from, const moho_tensor *to);

/* ---- kept figures: dispatch_figures.c ---- */

/* 1: found in the cache folder. Failing is no error, it only costs time. */
int dispatch_load(dispatch_device *device);
void dispatch_keep(const dispatch_device *device);

/* ---- dispatch_measure.c ---- */

moho_status dispatch_measure_device(dispatch_device *device, double seconds_a_curve);

#endif
