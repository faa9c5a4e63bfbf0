/* metrics.h - counting what a device does. Counters are always kept; timing that costs the device something only when asked.
 *
 *   moho_metrics *count = moho_metrics_lock(device);
 *   count->launches += n;
 *   moho_metrics_unlock(device);
 */
#ifndef MOHO_DEVICE_METRICS_H
#define MOHO_DEVICE_METRICS_H

#include <pthread.h>

#include "moho/device.h"

typedef struct moho_meter {
  pthread_mutex_t lock;
  moho_metrics total; /* pool is filled by the pool */
  int timed;          /* atomic: moho_device_metrics_enable() */
} moho_meter;

moho_metrics *moho_metrics_lock(moho_device *device);
void moho_metrics_unlock(moho_device *device);
/* 1: launches and transfers are to be timed (moho_submission.timed). */
int moho_metrics_timed(const moho_device *device);

#endif
