/* bitnet_mlp.c - a network of two BitNet b1.58 layers: y = W2 relu(W1 norm(x)), weights of -1, 0, 1.
 *
 *   bitnet_mlp [DEVICE]
 *
 * Everything is recorded on one queue; the host waits once. The result is compared with the formulas, computed here in plain C.
 */
#include <math.h>
#include <string.h>

#include <moho/bitnet.h>

#include "example.h"

enum { ROWS = 3, INPUTS = 70, HIDDEN = 130, OUTPUTS = 10 };
static const float epsilon = 1e-6f;

static float w1[HIDDEN * INPUTS], w2[OUTPUTS * HIDDEN], bias[OUTPUTS], x[ROWS * INPUTS];

static float next(void) { /* -1 ... 1 */
  static unsigned state = 1;
  state = state * 1664525u + 1013904223u;
  return (float)(state >> 8) / 8388608.0f - 1;
}

/* ---- the formulas ---- */

static void bitlinear(const float *w, int n, int k, const float *in, double *out) {
  double mean = 0, largest = 1e-5;
  for (int i = 0; i < n * k; i++) mean += fabs((double)w[i]) / (n * k);
  for (int i = 0; i < k; i++) largest = fmax(largest, fabs((double)in[i]));
  float g = (float)fmax(mean, 1e-5), s = 127.0f / (float)largest;
  for (int o = 0; o < n; o++) {
    int sum = 0;
    for (int i = 0; i < k; i++) sum += (int)nearbyintf(in[i] * s) * (int)fmaxf(-1, fminf(1, nearbyintf(w[o * k + i] / g)));
    out[o] = (double)g / (double)s * sum;
  }
}

static void network(const float *in, double *out) {
  double square = 0, middle[HIDDEN];
  float normed[INPUTS], hidden[HIDDEN];
  for (int i = 0; i < INPUTS; i++) square += (double)in[i] * (double)in[i] / INPUTS;
  for (int i = 0; i < INPUTS; i++) normed[i] = (float)((double)in[i] / sqrt(square + (double)epsilon));
  bitlinear(w1, HIDDEN, INPUTS, normed, middle);
  for (int i = 0; i < HIDDEN; i++) hidden[i] = (float)fmax(middle[i], 0);
  bitlinear(w2, OUTPUTS, HIDDEN, hidden, out);
  for (int o = 0; o < OUTPUTS; o++) out[o] += (double)bias[o];
}

/* ---- the same by Moho ---- */

static void run(moho_device *device, float *y) {
  const moho_ternary_options b158 = {.scheme = MOHO_TERNARY_ABSMEAN, .scaling = MOHO_TERNARY_PER_TENSOR};
  moho_bitnet_weights first, second;
  moho_tensor in, hidden, out, bias_row;
  moho_queue *queue;
  moho_ticket ticket;
  check(moho_bitnet_weights_create(device, w1, HIDDEN, INPUTS, &b158, &first));
  check(moho_bitnet_weights_create(device, w2, OUTPUTS, HIDDEN, &b158, &second));
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){ROWS, INPUTS}, x, MOHO_HOST_COPY, &in));
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 1, (size_t[]){OUTPUTS}, bias, MOHO_HOST_COPY, &bias_row));
  check(moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){ROWS, HIDDEN}, &hidden));
  check(moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){ROWS, OUTPUTS}, &out));
  check(moho_queue_create(device, &queue));
  check(moho_bitnet_linear(queue, &first, &in, &hidden, &(moho_bitnet_options){.rms_norm = 1, .rms_epsilon = epsilon}));
  check(moho_tensor_unary(queue, MOHO_OPERATION_RELU, &hidden, &hidden));
  check(moho_bitnet_linear(queue, &second, &hidden, &out, &(moho_bitnet_options){.bias = &bias_row}));
  check(moho_queue_submit(queue, &ticket));
  check(moho_queue_wait(queue, ticket, -1));
  check(moho_tensor_read(&out, y));
  printf("%d weights in %zu bytes\n", HIDDEN * INPUTS + OUTPUTS * HIDDEN,
         moho_tensor_bytes(&first.lanes) + moho_tensor_bytes(&second.lanes));
  check(moho_queue_destroy(&queue));
  moho_tensor *tensors[] = {&in, &hidden, &out, &bias_row};
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) check(moho_tensor_destroy(tensors[i]));
  check(moho_bitnet_weights_destroy(&first));
  check(moho_bitnet_weights_destroy(&second));
}

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);
  float y[ROWS * OUTPUTS];
  for (int i = 0; i < HIDDEN * INPUTS; i++) w1[i] = next();
  for (int i = 0; i < OUTPUTS * HIDDEN; i++) w2[i] = next();
  for (int i = 0; i < OUTPUTS; i++) bias[i] = next();
  for (int i = 0; i < ROWS * INPUTS; i++) x[i] = next();
  run(device, y);
  double worst = 0, largest = 0;
  for (int b = 0; b < ROWS; b++) {
    double expected[OUTPUTS];
    network(x + b * INPUTS, expected);
    for (int o = 0; o < OUTPUTS; o++) {
      worst = fmax(worst, fabs((double)y[b * OUTPUTS + o] - expected[o]));
      largest = fmax(largest, fabs(expected[o]));
    }
  }
  /* The norm is rounded in another order here: an activation may be one of 127 steps off. */
  int good = worst < 0.01 * largest;
  printf("%d rows of %d outputs, at most %.1e from the formulas, the largest is %.2f: %s\n", ROWS, OUTPUTS, worst, largest,
         good ? "good" : "WRONG");
  check(moho_device_close(&device));
  return !good;
}
