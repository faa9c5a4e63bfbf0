/* far_backend.h - a backend for tests: the cpu's, but device memory is out of the host's reach (as on cuda), memory is as much
 * as the test says, and the device fails when told to. */
#ifndef MOHO_TEST_FAR_BACKEND_H
#define MOHO_TEST_FAR_BACKEND_H

#include "device/device_core.h"

extern const moho_backend far_backend;

/* What the next calls meet; far_reset() gives a device in good health. */
typedef struct far_health {
  size_t memory;        /* bytes in all */
  size_t held, most;    /* bytes handed out now, and the most so far */
  size_t allocations;   /* that succeeded */
  size_t transfers;     /* submissions */
  int lose;             /* the next submission loses the device */
  int kill;             /* the next submission that is collected ended badly */
  uint64_t kill_ticket; /* this one does, on whatever queue */
  int refuse_submit;    /* the next submission does not reach the device */
  int refuse_open;
  int refuse_compile; /* kernels are not available */
  int hold;           /* atomic: nothing is done until it is 0 again */
  int hold_compile;   /* atomic: no kernel is compiled until it is 0 again */
  int compiling;      /* atomic: calls of compile under way */
  int live_states;    /* open devices */
} far_health;

extern far_health far;
void far_reset(void);
/* A device of it; check: the checking mode. */
moho_device *far_open(int check);

#endif
