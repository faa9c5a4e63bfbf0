/* tensor_add.c - tensors: views of device memory, operations on them now and in a queue, a call prepared once and run often.
 *
 *   tensor_add [DEVICE]
 *
 * A moho_tensor is a plain struct: copies of it are views of the same memory, and the one that was created is destroyed.
 */
#include <moho/tensor.h>

#include "example.h"

enum { ROWS = 1000, COLUMNS = 300 };
static float x[ROWS * COLUMNS], bias[COLUMNS], y[ROWS * COLUMNS], sums[ROWS];

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);
  for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)(i % 17) - 8;
  for (int i = 0; i < COLUMNS; i++) bias[i] = 0.5f * (float)(i % 3);

  moho_tensor a, b, c, total;
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 2, (size_t[]){ROWS, COLUMNS}, x, MOHO_HOST_COPY, &a));
  check(moho_tensor_from_host(device, MOHO_DTYPE_F32, 1, (size_t[]){COLUMNS}, bias, MOHO_HOST_COPY, &b));
  check(moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){ROWS, COLUMNS}, &c));
  check(moho_tensor_create(device, MOHO_DTYPE_F32, 1, (size_t[]){ROWS}, &total));

  /* Without a queue a call is done when it returns. The bias is a row: it is repeated for all of them. */
  check(moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &a, &b, &c));
  check(moho_tensor_read(&c, y));
  int wrong = 0;
  for (int i = 0; i < ROWS * COLUMNS; i++) wrong += y[i] != x[i] + bias[i % COLUMNS];

  /* Views move nothing: every second column of a, in place. */
  moho_tensor odd;
  check(moho_tensor_slice(&a, 1, 1, COLUMNS, 2, &odd));
  check(moho_tensor_unary(NULL, MOHO_OPERATION_RELU, &odd, &odd));
  check(moho_tensor_read(&a, y));
  for (int i = 0; i < ROWS * COLUMNS; i++) wrong += y[i] != (i % COLUMNS % 2 && x[i] < 0 ? 0 : x[i]);

  /* With a queue calls are recorded in order; here a prepared one, which was checked once, and then sums of rows. */
  moho_queue *queue;
  moho_prepared *add;
  moho_ticket ticket;
  check(moho_queue_create(device, &queue));
  moho_tensor_call call = {.operation = MOHO_OPERATION_ADD, .inputs = {&c, &b}, .output = &c};
  check(moho_tensor_prepare(&call, &add));
  for (int i = 0; i < 3; i++) check(moho_prepared_run(add, queue)); /* c += bias, three times */
  check(moho_tensor_reduce(queue, MOHO_OPERATION_SUM, &c, 1, &total));
  check(moho_queue_submit(queue, &ticket));
  check(moho_queue_wait(queue, ticket, -1));
  check(moho_tensor_read(&total, sums));
  for (int r = 0; r < ROWS; r++) { /* halves: exact in any order */
    float sum = 0;
    for (int k = 0; k < COLUMNS; k++) sum += x[r * COLUMNS + k] + 4 * bias[k];
    wrong += sums[r] != sum;
  }
  printf("%d numbers, %d wrong\n", 2 * ROWS * COLUMNS + ROWS, wrong);

  check(moho_prepared_destroy(&add));
  check(moho_queue_destroy(&queue));
  check(moho_tensor_destroy(&a));
  check(moho_tensor_destroy(&b));
  check(moho_tensor_destroy(&c));
  check(moho_tensor_destroy(&total));
  check(moho_device_close(&device));
  return wrong != 0;
}
