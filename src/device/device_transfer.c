/* device_transfer.c - transfers that wait, on a queue that the device keeps for itself. */
#include "base/timer.h"
#include "device/device_core.h"

static moho_status run_and_wait(moho_device *device, const moho_submission *submission, moho_outcome *outcome) {
  const moho_backend *backend = device->backend;
  MOHO_TRY(backend->submit(device->transfer_queue, submission));
  device->transfer_ticket = submission->ticket;
  moho_status status = backend->wait(device->transfer_queue, submission->ticket, -1);
  if (status) return status;
  backend->collect(device->transfer_queue, submission->ticket, outcome);
  return MOHO_OK;
}

moho_status moho_device_transfer(moho_device *device, const moho_command *commands, size_t n) {
  moho_outcome outcome = {0};
  moho_status status = MOHO_OK;
  double began = moho_seconds();
  pthread_mutex_lock(&device->transfer_lock);
  if (!device->transfer_queue) status = device->backend->queue_create(device->state, &device->transfer_queue);
  if (!status) {
    moho_submission submission = {
        .ticket = device->transfer_ticket + 1, .commands = commands, .n_commands = n, .timed = moho_metrics_timed(device)};
    status = run_and_wait(device, &submission, &outcome);
  }
  pthread_mutex_unlock(&device->transfer_lock);
  moho_metrics *count = moho_metrics_lock(device);
  count->submissions++;
  count->failures += status || outcome.status;
  count->transfer_seconds += outcome.transfer_seconds;
  count->wait_seconds += moho_seconds() - began;
  moho_metrics_unlock(device);
  return status ? moho_device_seen(device, status) : moho_device_outcome(device, &outcome);
}
