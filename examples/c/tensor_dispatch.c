/* tensor_dispatch.c - which of two devices should compute? Measured, chosen, told; and what a forced device does.
 *
 *   tensor_dispatch [DEVICE]          beside the processor's one thread
 */
#include <moho/dispatch.h>

#include "example.h"

enum { SMALL = 1000, LARGE = 1000000 };

/* y = gelu(x) for n numbers that lie on the processor, wherever that takes least time. */
static int gelu(moho_dispatcher *dispatcher, moho_device *home, size_t n) {
  moho_tensor x, y;
  check(moho_tensor_create(home, MOHO_DTYPE_F32, 1, &n, &x));
  check(moho_tensor_create(home, MOHO_DTYPE_F32, 1, &n, &y));
  check(moho_tensor_fill(NULL, &x, 1));

  moho_dispatch_choice choice;
  moho_tensor_call call = {.operation = MOHO_OPERATION_GELU_ERF, .inputs = {&x}, .output = &y};
  check(moho_dispatch_run(dispatcher, &call, &choice));
  printf("%zu numbers: %s\n", n, choice.reason);

  moho_tensor last;
  float value = 0;
  check(moho_tensor_slice(&y, 0, n - 1, n, 1, &last));
  check(moho_tensor_read(&last, &value));
  check(moho_tensor_destroy(&x));
  check(moho_tensor_destroy(&y));
  return value > 0.84134f && value < 0.84135f; /* the normal distribution below 1 */
}

int main(int argc, char **argv) {
  moho_device *devices[2] = {NULL, open_device(argc, argv)};
  moho_dispatcher *dispatcher;
  check(moho_device_open("cpu?threads=1", &devices[0]));
  moho_dispatcher_options options = moho_dispatcher_options_default();
  options.strategy = MOHO_STRATEGY_LATENCY;
  options.measure_seconds = 0.02; /* a curve; the default is 0.1 */
  check(moho_dispatcher_create(devices, 2, &options, &dispatcher));
  check(moho_dispatcher_measure(dispatcher, 0, NULL, NULL)); /* once a machine: the figures are kept */

  double size;
  check(moho_dispatcher_crossover(dispatcher, MOHO_DISPATCH_MATMUL, 1, 0, &size));
  printf("matrices on the processor are multiplied faster by the other device from m n k = %g on\n", size);

  int good = gelu(dispatcher, devices[0], SMALL) & gelu(dispatcher, devices[0], LARGE);
  for (int i = 0; i < 2; i++) {
    moho_dispatch_counts counts;
    check(moho_dispatcher_counts(dispatcher, i, &counts));
    printf("device %d: computed %llu, moved %llu bytes, could not %llu times\n", i, (unsigned long long)counts.ran,
           (unsigned long long)counts.moved_bytes,
           (unsigned long long)(counts.fell_back[MOHO_FALLBACK_NOT_AVAILABLE] + counts.fell_back[MOHO_FALLBACK_MEMORY] +
                                counts.fell_back[MOHO_FALLBACK_LOST]));
  }
  moho_dispatcher_destroy(&dispatcher);
  check(moho_device_close(&devices[0]));
  check(moho_device_close(&devices[1]));
  printf("%s\n", good ? "as it should be" : "WRONG");
  return !good;
}
