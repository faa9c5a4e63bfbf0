/* tensor_view.c - other views of the same memory: reshape, slice, transpose, broadcast. */
#include <stdio.h>

#include "base/fail.h"
#include "tensor/tensor_inside.h"

const char *moho_shape_text(int rank, const size_t *shape, char text[128]) {
  size_t n = 0;
  for (int i = 0; i < rank && n < 100; i++) n += (size_t)snprintf(text + n, 128 - n, "%s%zu", i ? ", " : "[", shape[i]);
  snprintf(text + n, 128 - n, rank ? "]" : "[]");
  return text;
}

static moho_status check(const char *what, const moho_tensor *tensor, const moho_tensor *out) {
  if (tensor && tensor->buffer && out) return MOHO_OK;
  return moho_fail(MOHO_ERROR_ARGUMENT, "%s: %s, got NULL", what, out ? "no tensor" : "nowhere to put the view");
}

static moho_status check_axis(const char *what, const moho_tensor *tensor, int axis) {
  if (axis >= 0 && axis < tensor->rank) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%s: axis %d, the tensor has axes 0 to %d", what, axis, tensor->rank - 1);
}

static moho_tensor borrowed(const moho_tensor *tensor) {
  moho_tensor view = *tensor;
  view.owns = 0;
  return view;
}

/* ---- reshape ---- */

/* The axes without those of 1, neighbours joined where one runs on from the other: [count, stride] runs. */
static int runs_of(const moho_tensor *tensor, size_t count[MOHO_TENSOR_RANK], int64_t stride[MOHO_TENSOR_RANK]) {
  int n = 0;
  for (int i = 0; i < tensor->rank; i++) {
    if (tensor->shape[i] == 1) continue;
    if (n && stride[n - 1] == tensor->stride[i] * (int64_t)tensor->shape[i]) {
      count[n - 1] *= tensor->shape[i];
      stride[n - 1] = tensor->stride[i];
    } else {
      count[n] = tensor->shape[i];
      stride[n++] = tensor->stride[i];
    }
  }
  return n;
}

/* New axes are cut from the runs, last first; 0: one would cross from a run to the next. */
static int cut_runs(moho_tensor *view, int n, size_t *count, const int64_t *stride) {
  size_t done = 1;
  for (int i = view->rank; i-- > 0;) {
    if (view->shape[i] == 1) continue;
    while (n && count[n - 1] == done) n--, done = 1;
    if (!n || count[n - 1] % (done * view->shape[i])) return 0;
    view->stride[i] = stride[n - 1] * (int64_t)done;
    done *= view->shape[i];
  }
  return 1;
}

moho_status moho_tensor_reshape(const moho_tensor *tensor, int rank, const size_t *shape, moho_tensor *out) {
  size_t elements, count[MOHO_TENSOR_RANK];
  int64_t stride[MOHO_TENSOR_RANK];
  char from[128], to[128];
  MOHO_TRY(check("reshape", tensor, out));
  MOHO_TRY(moho_tensor_check_shape("reshape", tensor->dtype, rank, shape, &elements));
  if (elements != moho_tensor_elements(tensor))
    return moho_fail(MOHO_ERROR_SHAPE, "reshape: %s has %zu elements, expected the %zu of %s", moho_shape_text(rank, shape, to),
                     elements, moho_tensor_elements(tensor), moho_shape_text(tensor->rank, tensor->shape, from));
  moho_tensor view = borrowed(tensor);
  moho_tensor_set_shape(&view, rank, shape);
  int n = runs_of(tensor, count, stride);
  if (elements && !cut_runs(&view, n, count, stride))
    return moho_fail_at((moho_place){0}, "copy it to a contiguous tensor first", MOHO_ERROR_NOT_AVAILABLE,
                        "reshape: strides of %s do not allow %s without a copy",
                        moho_shape_text(tensor->rank, tensor->shape, from), moho_shape_text(rank, shape, to));
  *out = view;
  return MOHO_OK;
}

/* ---- slice, transpose ---- */

moho_status moho_tensor_slice(const moho_tensor *tensor, int axis, size_t begin, size_t end, size_t step, moho_tensor *out) {
  MOHO_TRY(check("slice", tensor, out));
  MOHO_TRY(check_axis("slice", tensor, axis));
  if (begin > end || end > tensor->shape[axis] || !step)
    return moho_fail(MOHO_ERROR_RANGE, "slice: %zu to %zu by %zu of axis %d, which has %zu", begin, end, step, axis,
                     tensor->shape[axis]);
  moho_tensor view = borrowed(tensor);
  size_t n = (end - begin) / step + ((end - begin) % step != 0);
  view.shape[axis] = n;
  if (n) view.offset += begin * (size_t)tensor->stride[axis]; /* an empty one stays inside */
  if (n > 1) view.stride[axis] *= (int64_t)step;
  *out = view;
  return MOHO_OK;
}

moho_status moho_tensor_transpose(const moho_tensor *tensor, int axis, int other, moho_tensor *out) {
  MOHO_TRY(check("transpose", tensor, out));
  MOHO_TRY(check_axis("transpose", tensor, axis));
  MOHO_TRY(check_axis("transpose", tensor, other));
  moho_tensor view = borrowed(tensor);
  view.shape[axis] = tensor->shape[other];
  view.shape[other] = tensor->shape[axis];
  view.stride[axis] = tensor->stride[other];
  view.stride[other] = tensor->stride[axis];
  *out = view;
  return MOHO_OK;
}

/* ---- broadcast ---- */

moho_status moho_tensor_broadcast_for(const char *what, const moho_tensor *tensor, int rank, const size_t *shape,
                                      moho_tensor *out) {
  char from[128], to[128];
  moho_tensor view = borrowed(tensor);
  view.rank = rank;
  int added = rank - tensor->rank, fits = added >= 0;
  for (int i = 0; fits && i < rank; i++) {
    size_t has = i < added ? 1 : tensor->shape[i - added];
    view.shape[i] = shape[i];
    view.stride[i] = has == 1 ? 0 : tensor->stride[i - added];
    fits = has == shape[i] || has == 1;
  }
  if (!fits)
    return moho_fail(MOHO_ERROR_SHAPE, "%s: %s, expected %s or what broadcasts to it", what,
                     moho_shape_text(tensor->rank, tensor->shape, from), moho_shape_text(rank, shape, to));
  *out = view;
  return MOHO_OK;
}

moho_status moho_tensor_broadcast(const moho_tensor *tensor, int rank, const size_t *shape, moho_tensor *out) {
  size_t elements;
  MOHO_TRY(check("broadcast", tensor, out));
  MOHO_TRY(moho_tensor_check_shape("broadcast", tensor->dtype, rank, shape, &elements));
  return moho_tensor_broadcast_for("broadcast", tensor, rank, shape, out);
}
