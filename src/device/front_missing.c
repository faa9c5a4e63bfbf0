/* front_missing.c - until queue.c and kernel.c are there: a device without queues and kernels has none to wait for. */
#include "device/device_core.h"

void moho_queues_collect(moho_device *device) {
  (void)device;
}
void moho_queues_settle(moho_device *device, const moho_buffer *buffer) {
  (void)device, (void)buffer;
}
void moho_queue_dismantle(moho_queue *queue) {
  (void)queue;
}
void moho_kernel_dismantle(moho_kernel *kernel) {
  (void)kernel;
}
void moho_kernel_cache_destroy(moho_device *device) {
  (void)device;
}
