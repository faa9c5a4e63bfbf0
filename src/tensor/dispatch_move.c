/* dispatch_move.c - tensors from one device to another: in one copy where the host reaches either side, else through its memory.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "tensor/dispatcher.h"
#include "tensor/prepared.h"
#include "tensor/tensor_inside.h"

/* Without the axes that stride 0 repeats: their length is 1. */
static moho_tensor without_repeats(const moho_tensor *tensor) {
  moho_tensor once = *tensor;
  once.owns = 0;
  for (int i = 0; i < once.rank; i++)
    if (once.shape[i] > 1 && once.stride[i] == 0) once.shape[i] = 1;
  return once;
}

/* The bytes of a packed tensor where the host reaches them; NULL: it does not. */
static char *map_packed(const moho_tensor *tensor, moho_map_intent intent) {
  moho_buffer_report report;
  void *host = NULL;
  size_t bits = tensor->offset * moho_dtype_bits(tensor->dtype);
  if (!moho_tensor_is_contiguous(tensor) || bits % 8) return NULL;
  if (moho_buffer_describe(tensor->buffer, &report) || !report.is_mappable) return NULL;
  if (moho_buffer_map(tensor->buffer, intent, &host)) return NULL;
  return (char *)host + bits / 8;
}

/* Through memory of the host's own. */
static moho_status copy_by_staging(const moho_tensor *from, const moho_tensor *to) {
  void *staging;
  MOHO_TRY(moho_allocate(moho_tensor_bytes(from), 1, "an operand on its way", &staging));
  moho_status status = moho_tensor_read(from, staging);
  if (!status) status = moho_tensor_write(to, staging);
  free(staging);
  return status;
}

static moho_status unmapped(const moho_tensor *tensor, moho_status status) {
  moho_error error = moho_error_take();
  moho_status closed = moho_buffer_unmap(tensor->buffer);
  return status ? moho_error_set(&error) : closed;
}

moho_status dispatch_copy(const moho_tensor *from, const moho_tensor *to) {
  char *host;
  if (!moho_tensor_bytes(from)) return MOHO_OK;
  if (from->buffer != to->buffer && (host = map_packed(from, MOHO_MAP_READ))) return unmapped(from, moho_tensor_write(to, host));
  if (from->buffer != to->buffer && (host = map_packed(to, MOHO_MAP_WRITE))) return unmapped(to, moho_tensor_read(from, host));
  return copy_by_staging(from, to);
}

moho_status dispatch_bring(const moho_tensor *from, moho_device *to, moho_tensor *out) {
  moho_tensor once = without_repeats(from);
  MOHO_TRY(moho_tensor_create(to, once.dtype, once.rank, once.shape, out));
  moho_status status = dispatch_copy(&once, out);
  if (status) {
    moho_error error = moho_error_take();
    moho_tensor_destroy(out);
    return moho_error_set(&error);
  }
  for (int i = 0; i < out->rank; i++)
    if (once.shape[i] != from->shape[i]) out->shape[i] = from->shape[i], out->stride[i] = 0;
  return MOHO_OK;
}
