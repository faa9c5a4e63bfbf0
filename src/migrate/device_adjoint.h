/* device_adjoint.h - the adjoint by kernels on a device (kernels/demigrate_v3.k).
 *
 * The image lies in the slabs of a device run that is never fed. A batch of traces goes up, is launched over every slab, cut so
 * that each launch lasts its time, and comes down as 64-bit integers: sums of taps in quanta. A quantum is a power of two that
 * follows from image and weights alone, some 2^-24 of the root mean square of what a sample contributes; so what a trace receives
 * does not depend on batches or launches.
 */
#ifndef MOHO_MIGRATE_DEVICE_ADJOINT_H
#define MOHO_MIGRATE_DEVICE_ADJOINT_H

#include "migrate/adjoint_run.h"
#include "migrate/device_run.h"

struct moho_device_adjoint {
  moho_device_run *r;
  moho_kernel *kernel;
  moho_buffer **ranges; /* [slabs] bounds and polynomials of the columns' ranges; one for all where the table is */
  moho_buffer *traces, *low, *high, *counts;
  migrate_trace *places;                    /* [capacity] */
  uint32_t *host_low, *host_high, *counted; /* [capacity, stride] of both; [capacity, 2] */
  uint8_t *live;                            /* [capacity] */
  migrate_device_parameters parameters;
  size_t group_bytes;
  double latest_start;   /* of a trace of the survey, samples: bounds the time */
  int image_exponent;    /* the image was multiplied by 2 to minus this */
  int quantum_exponent;  /* of that image's contributions: a quantum is 2 to this */
  double rate;           /* traces a second; 0: not known yet */
  double kernel_seconds; /* told before this run */
  size_t last_traces;    /* of the last launch */
};

#endif
