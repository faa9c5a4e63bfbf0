/* timer.h - seconds on the monotonic clock. */
#ifndef MOHO_BASE_TIMER_H
#define MOHO_BASE_TIMER_H

#include <time.h>

static inline double moho_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
