/* queue_support.c - a device with the kernels of stir.k and a queue. */
#include "queue_support.h"

#include "kernels/kern.h"
#include "stir.k"

#define STIR(kernel, group)                                                                                     \
  {                                                                                                             \
    .name = #kernel, .text = moho_text_stir, .c = KERN_C_FUNCTION(kernel), .max_lanes = KERN_MAX_LANES(kernel), \
    .uses_group = group                                                                                         \
  }
static const moho_kernel_definition definitions[] = {STIR(stir, 0), STIR(stir_in_place, 0), STIR(stir_group, 1),
                                                     STIR(stir_places, 0)};

void rig_register(void) {
  for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) assert_ok(moho_kernel_register(&definitions[i]));
}

moho_kernel *rig_kernel(rig *r, const char *name) {
  moho_kernel *kernel;
  assert_ok(moho_kernel_create(r->device, &(moho_kernel_options){.name = name}, &kernel));
  return kernel;
}

rig rig_begin(moho_device *device) {
  rig r = {.device = device};
  rig_register();
  assert_ok(moho_queue_create(device, &r.queue));
  r.stir = rig_kernel(&r, "stir");
  r.in_place = rig_kernel(&r, "stir_in_place");
  return r;
}

void rig_end(rig *r) {
  assert_ok(moho_queue_destroy(&r->queue));
  assert_ok(moho_kernel_destroy(&r->stir));
  assert_ok(moho_kernel_destroy(&r->in_place));
  test_device_close(&r->device);
}

moho_buffer *rig_buffer(rig *r, size_t n, moho_memory memory) {
  moho_buffer *buffer;
  assert_ok(moho_buffer_create(r->device, n * sizeof(float), memory, &buffer));
  return buffer;
}

static moho_status record(moho_queue *queue, const moho_kernel *kernel, const moho_binding *buffers, size_t n_buffers,
                          const stir_parameters *p) {
  uint32_t lanes, groups;
  moho_status status = moho_kernel_group_1d(kernel, p->n, &lanes, &groups);
  if (status) return status;
  return moho_queue_launch(queue, &(moho_launch){.kernel = kernel,
                                                 .buffers = buffers,
                                                 .n_buffers = n_buffers,
                                                 .parameters = p,
                                                 .parameter_bytes = sizeof *p,
                                                 .groups = {groups, 1},
                                                 .lanes = lanes});
}

moho_status record_stir(moho_queue *queue, const moho_kernel *stir, moho_buffer *a, moho_buffer *b, stir_parameters p) {
  moho_binding buffers[] = {{a, 0}, {b, 0}};
  return record(queue, stir, buffers, 2, &p);
}

moho_status record_in_place(moho_queue *queue, const moho_kernel *in_place, moho_buffer *x, stir_parameters p) {
  moho_binding buffer = {x, 0};
  return record(queue, in_place, &buffer, 1, &p);
}

void finish(moho_queue *queue) {
  moho_ticket ticket;
  assert_ok(moho_queue_submit(queue, &ticket));
  assert_ok(moho_queue_wait(queue, ticket, -1));
}
