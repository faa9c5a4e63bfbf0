/* strided.c - common shapes reduced to few axes, and cut. */
#include "tensor/strided.h"

#include "base/fail.h"

/* Axis `b` of all operands runs on where axis `a` (faster) ends. */
static int can_join(const moho_strided *s, int a, int b) {
  for (int k = 0; k < s->n_operands; k++)
    if (s->stride[k][b] != s->stride[k][a] * (int64_t)s->shape[a]) return 0;
  return 1;
}

static void swap_axes(moho_strided *s, int a, int b) {
  size_t n = s->shape[a];
  s->shape[a] = s->shape[b];
  s->shape[b] = n;
  for (int k = 0; k < s->n_operands; k++) {
    int64_t stride = s->stride[k][a];
    s->stride[k][a] = s->stride[k][b];
    s->stride[k][b] = stride;
  }
}

/* The last operand's smallest stride becomes the fastest axis: it is written in the order of memory. */
static void sort_axes(moho_strided *s) {
  int last = s->n_operands - 1;
  for (int i = 1; i < s->rank; i++)
    for (int j = i; j > 0 && s->stride[last][j] < s->stride[last][j - 1]; j--) swap_axes(s, j, j - 1);
}

static void join_axes(moho_strided *s) {
  int n = 0;
  for (int i = 1; i < s->rank; i++) {
    if (can_join(s, n, i)) {
      s->shape[n] *= s->shape[i];
      continue;
    }
    n++;
    s->shape[n] = s->shape[i];
    for (int k = 0; k < s->n_operands; k++) s->stride[k][n] = s->stride[k][i];
  }
  s->rank = n + 1;
}

moho_strided moho_strided_of(const moho_tensor *const *tensors, int n) {
  moho_strided s = {.n_operands = n};
  const moho_tensor *shape = tensors[n - 1];
  for (int axis = shape->rank; axis-- > 0;) {
    if (shape->shape[axis] == 1) continue;
    s.shape[s.rank] = shape->shape[axis];
    for (int k = 0; k < n; k++) s.stride[k][s.rank] = tensors[k] ? tensors[k]->stride[axis] : 0;
    s.rank++;
  }
  for (int k = 0; k < n; k++)
    if (tensors[k]) s.at[k] = *tensors[k];
  if (!s.rank) s.shape[s.rank++] = 1;
  sort_axes(&s);
  join_axes(&s);
  return s;
}

size_t moho_strided_elements(const moho_strided *all) {
  size_t n = 1;
  for (int i = 0; i < all->rank; i++) n *= all->shape[i];
  return n;
}

static size_t reach(const moho_strided *s, int operand) {
  size_t n = 1;
  for (int i = 0; i < s->rank; i++) n += (s->shape[i] - 1) * (size_t)s->stride[operand][i];
  return n;
}

static int longest_operand(const moho_strided *s) {
  int longest = 0;
  for (int k = 1; k < s->n_operands; k++)
    if (reach(s, k) > reach(s, longest)) longest = k;
  return longest;
}

static size_t launch_reach;

size_t moho_launch_reach(void) {
  size_t set = __atomic_load_n(&launch_reach, __ATOMIC_RELAXED);
  return set ? set : (size_t)1 << 30;
}

void moho_launch_reach_set(size_t elements) {
  __atomic_store_n(&launch_reach, elements, __ATOMIC_RELAXED);
}

/* The slowest axis of more than one; the one by which an operand reaches too far where it does: halving another one would leave
 * that as it is, and a transposed view would be cut into its elements. */
static int axis_to_cut(const moho_strided *s, size_t longest) {
  int axis = s->rank - 1, k = longest_operand(s);
  while (axis && s->shape[axis] == 1) axis--;
  if (reach(s, k) <= longest) return axis;
  for (int i = 0; i < s->rank; i++)
    if ((s->shape[i] - 1) * (size_t)s->stride[k][i] > (s->shape[axis] - 1) * (size_t)s->stride[k][axis]) axis = i;
  return axis;
}

/* An axis is halved as long as a piece is too large; halves begin at multiples of 16 elements where that is possible, so that
 * bindings keep their alignment. */
moho_status moho_strided_cut_rows(const moho_strided *all, size_t most, size_t longest, moho_strided_function function,
                                  void *user) {
  size_t n = moho_strided_elements(all);
  if (!n) return MOHO_OK;
  if (n == 1 || (n <= most && reach(all, longest_operand(all)) <= longest)) return function(all, user);
  int axis = axis_to_cut(all, longest);
  size_t half = all->shape[axis] / 2;
  if (half > 16) half = half / 16 * 16;
  moho_strided low = *all, high = *all;
  low.shape[axis] = half;
  high.shape[axis] -= half;
  for (int k = 0; k < all->n_operands; k++) high.at[k].offset += half * (size_t)all->stride[k][axis];
  MOHO_TRY(moho_strided_cut_rows(&low, most, longest, function, user));
  return moho_strided_cut_rows(&high, most, longest, function, user);
}

moho_status moho_strided_cut(const moho_strided *all, size_t most, moho_strided_function function, void *user) {
  return moho_strided_cut_rows(all, most, most, function, user);
}
