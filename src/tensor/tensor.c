/* tensor.c - tensors made, destroyed, asked, and moved to and from the host. */
#include "moho/tensor.h"

#include <string.h>

#include "base/memory.h"
#include "device/device_core.h"
#include "tensor/prepared.h"
#include "tensor/tensor_inside.h"

static const struct {
  const char *name;
  size_t bits;
} dtypes[MOHO_DTYPE_COUNT] = {
#define MOHO_DTYPE_ROW(dtype, word, n_bits) [dtype] = {word, n_bits},
    MOHO_DTYPE_TABLE(MOHO_DTYPE_ROW)
#undef MOHO_DTYPE_ROW
};

const char *moho_dtype_name(moho_dtype dtype) {
  return (unsigned)dtype < MOHO_DTYPE_COUNT ? dtypes[dtype].name : "unknown dtype";
}

size_t moho_dtype_bits(moho_dtype dtype) {
  return (unsigned)dtype < MOHO_DTYPE_COUNT ? dtypes[dtype].bits : 0;
}

/* ---- shapes ---- */

moho_status moho_tensor_check_shape(const char *what, moho_dtype dtype, int rank, const size_t *shape, size_t *elements) {
  if ((unsigned)dtype >= MOHO_DTYPE_COUNT) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: unknown dtype %d", what, (int)dtype);
  if (rank < 0 || rank > MOHO_TENSOR_RANK || (rank && !shape))
    return moho_fail(MOHO_ERROR_ARGUMENT, "%s: rank %d with a shape at %s, expected 0 to %d axes", what, rank,
                     shape ? "an address" : "NULL", MOHO_TENSOR_RANK);
  size_t n = 1, largest = 1;
  for (int i = 0; i < rank; i++) {
    if (__builtin_mul_overflow(n, shape[i], &n) || __builtin_mul_overflow(largest, shape[i] ? shape[i] : 1, &largest) ||
        largest > (size_t)INT64_MAX / 8)
      return moho_fail(MOHO_ERROR_RANGE, "%s: axis %d of %zu makes too many elements", what, i, shape[i]);
  }
  *elements = n;
  return MOHO_OK;
}

void moho_tensor_set_shape(moho_tensor *tensor, int rank, const size_t *shape) {
  int64_t stride = 1;
  tensor->rank = rank;
  for (int i = rank; i-- > 0; stride *= (int64_t)(shape[i] ? shape[i] : 1)) {
    tensor->shape[i] = shape[i];
    tensor->stride[i] = stride;
  }
}

size_t moho_tensor_elements(const moho_tensor *tensor) {
  size_t n = 1;
  for (int i = 0; i < tensor->rank; i++) n *= tensor->shape[i];
  return n;
}

static size_t packed_bytes(moho_dtype dtype, size_t elements) {
  return moho_pieces(elements * moho_dtype_bits(dtype), 8);
}

size_t moho_tensor_bytes(const moho_tensor *tensor) {
  return packed_bytes(tensor->dtype, moho_tensor_elements(tensor));
}

int moho_tensor_is_contiguous(const moho_tensor *tensor) {
  int64_t stride = 1;
  for (int i = tensor->rank; i-- > 0;) {
    if (tensor->shape[i] != 1 && tensor->stride[i] != stride && moho_tensor_elements(tensor)) return 0;
    stride *= (int64_t)tensor->shape[i];
  }
  return 1;
}

size_t moho_tensor_reach(const moho_tensor *tensor) {
  size_t reach = 1;
  for (int i = 0; i < tensor->rank; i++) {
    if (!tensor->shape[i]) return 0;
    reach += (tensor->shape[i] - 1) * (size_t)tensor->stride[i];
  }
  return reach;
}

/* ---- making ---- */

moho_status moho_tensor_create(moho_device *device, moho_dtype dtype, int rank, const size_t *shape, moho_tensor *out) {
  size_t elements;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: nowhere to put it, got NULL");
  *out = (moho_tensor){0};
  MOHO_TRY(moho_tensor_check_shape("tensor", dtype, rank, shape, &elements));
  size_t bytes = moho_round_up(packed_bytes(dtype, elements), 16); /* kernels read whole words; an empty tensor has a place too */
  moho_buffer *buffer;
  MOHO_TRY(moho_buffer_create(device, bytes ? bytes : 16, MOHO_MEMORY_DEVICE, &buffer));
  *out = (moho_tensor){.buffer = buffer, .dtype = dtype, .owns = 1};
  moho_tensor_set_shape(out, rank, shape);
  return MOHO_OK;
}

moho_status moho_tensor_from_host(moho_device *device, moho_dtype dtype, int rank, const size_t *shape, void *data,
                                  moho_host_memory how, moho_tensor *out) {
  size_t elements;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: nowhere to put it, got NULL");
  *out = (moho_tensor){0};
  MOHO_TRY(moho_tensor_check_shape("tensor", dtype, rank, shape, &elements));
  if (how == MOHO_HOST_BORROW) {
    moho_buffer *buffer;
    MOHO_TRY(moho_buffer_wrap(device, data, packed_bytes(dtype, elements), &buffer));
    *out = (moho_tensor){.buffer = buffer, .dtype = dtype, .owns = 1};
    moho_tensor_set_shape(out, rank, shape);
    return MOHO_OK;
  }
  if (how != MOHO_HOST_COPY)
    return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: unknown way %d to take the host's memory, expected MOHO_HOST_COPY or _BORROW",
                     (int)how);
  MOHO_TRY(moho_tensor_create(device, dtype, rank, shape, out));
  moho_status status = moho_tensor_write(out, data);
  if (status) moho_buffer_destroy(&out->buffer);
  if (status) *out = (moho_tensor){0};
  return status;
}

static moho_status check_fits(const moho_tensor *tensor) {
  size_t reach = moho_tensor_reach(tensor), bytes = moho_buffer_bytes(tensor->buffer);
  size_t most =
      bytes / moho_dtype_bits(tensor->dtype) * 8 + bytes % moho_dtype_bits(tensor->dtype) * 8 / moho_dtype_bits(tensor->dtype);
  if (tensor->offset <= most && reach <= most - tensor->offset) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "tensor: a view from element %zu over %zu elements passes the end of a buffer of %zu %s",
                   tensor->offset, reach, most, moho_dtype_name(tensor->dtype));
}

moho_status moho_tensor_view(moho_buffer *buffer, size_t offset, moho_dtype dtype, int rank, const size_t *shape,
                             const int64_t *stride, moho_tensor *out) {
  size_t elements;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor: nowhere to put it, got NULL");
  *out = (moho_tensor){0};
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  MOHO_TRY(moho_tensor_check_shape("tensor", dtype, rank, shape, &elements));
  moho_tensor made = {.buffer = buffer, .offset = offset, .dtype = dtype};
  moho_tensor_set_shape(&made, rank, shape);
  for (int i = 0; stride && i < rank; i++) {
    int64_t most = INT64_MAX / MOHO_TENSOR_RANK / 2 / (int64_t)(shape[i] ? shape[i] : 1);
    if (stride[i] < 0 || stride[i] > most)
      return moho_fail(MOHO_ERROR_RANGE, "tensor: stride %lld of axis %d, expected 0 to %lld", (long long)stride[i], i,
                       (long long)most);
    made.stride[i] = stride[i];
  }
  MOHO_TRY(check_fits(&made));
  *out = made;
  return MOHO_OK;
}

moho_status moho_tensor_destroy(moho_tensor *tensor) {
  if (!tensor) return MOHO_OK;
  moho_buffer *buffer = tensor->owns ? tensor->buffer : NULL;
  *tensor = (moho_tensor){0};
  return moho_buffer_destroy(&buffer);
}

/* ---- to and from the host ---- */

static moho_status check_host(const moho_tensor *tensor, const char *what, const void *host) {
  moho_device *device;
  if (!tensor) return moho_fail(MOHO_ERROR_ARGUMENT, "tensor %s: no tensor, got NULL", what);
  MOHO_TRY(moho_tensor_device(tensor, &device));
  return moho_buffer_check_host(what, host, moho_tensor_bytes(tensor));
}

static int is_whole_bytes(const moho_tensor *tensor) {
  return tensor->offset * moho_dtype_bits(tensor->dtype) % 8 == 0;
}

/* Through a contiguous tensor of the same shape and a copy on the device. */
static moho_status move_strided(const moho_tensor *tensor, void *host, int to_host) {
  moho_device *device;
  moho_tensor packed;
  if (tensor->dtype == MOHO_DTYPE_TERNARY)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "tensor: a ternary view with strides cannot be moved to or from the host");
  MOHO_TRY(moho_tensor_device(tensor, &device));
  MOHO_TRY(moho_tensor_create(device, tensor->dtype, tensor->rank, tensor->shape, &packed));
  moho_tensor_call call = {
      .operation = MOHO_OPERATION_COPY, .inputs = {to_host ? tensor : &packed}, .output = to_host ? &packed : tensor};
  moho_status status = to_host ? MOHO_OK : moho_tensor_write(&packed, host);
  if (!status) status = moho_tensor_run(NULL, &call);
  if (!status && to_host) status = moho_tensor_read(&packed, host);
  moho_error error = moho_error_take();
  moho_tensor_destroy(&packed);
  return status ? moho_error_set(&error) : MOHO_OK;
}

moho_status moho_tensor_write(const moho_tensor *tensor, const void *from) {
  MOHO_TRY(check_host(tensor, "write", from));
  size_t bytes = moho_tensor_bytes(tensor);
  if (!bytes) return MOHO_OK;
  if (!moho_tensor_is_contiguous(tensor) || !is_whole_bytes(tensor)) return move_strided(tensor, (void *)(uintptr_t)from, 0);
  return moho_buffer_write(tensor->buffer, tensor->offset * moho_dtype_bits(tensor->dtype) / 8, from, bytes);
}

moho_status moho_tensor_read(const moho_tensor *tensor, void *to) {
  MOHO_TRY(check_host(tensor, "read", to));
  size_t bytes = moho_tensor_bytes(tensor);
  if (!bytes) return MOHO_OK;
  if (!moho_tensor_is_contiguous(tensor) || !is_whole_bytes(tensor)) return move_strided(tensor, to, 1);
  return moho_buffer_read(tensor->buffer, tensor->offset * moho_dtype_bits(tensor->dtype) / 8, to, bytes);
}

/* ---- for plans ---- */

moho_status moho_tensor_device(const moho_tensor *tensor, moho_device **out) {
  MOHO_TRY(moho_handle_check(tensor->buffer, MOHO_KIND_BUFFER));
  *out = tensor->buffer->handle.device;
  return MOHO_OK;
}

moho_binding moho_tensor_binding(const moho_tensor *tensor, uint32_t *first) {
  size_t bits = tensor->offset * moho_dtype_bits(tensor->dtype), start = bits / 128 * 16;
  *first = (uint32_t)((bits - start * 8) / moho_dtype_bits(tensor->dtype));
  return (moho_binding){tensor->buffer, start};
}
