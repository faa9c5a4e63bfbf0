/* metal_encoders.c - the double's compute and blit encoders: everything is checked when it is encoded. */
#include "metal_commands.h"

#include <stdlib.h>
#include <string.h>

typedef struct double_encoder {
  double_object head;
  command_buffer *buffer; /* retained */
  bool is_ended;
  /* compute */
  double_pipeline *pipeline; /* retained */
  struct {
    double_buffer *buffer;
    size_t offset;
    unsigned char bytes[DOUBLE_SET_BYTES];
    size_t n_bytes;
  } bound[MSL_ARGUMENTS];
  size_t group_bytes[MSL_ARGUMENTS];
} double_encoder;

static id make_encoder(command_buffer *buffer, const double_class *isa) {
  double_encoder *made = (double_encoder *)double_make(isa);
  made->buffer = (command_buffer *)double_retain(&buffer->head);
  buffer->open_encoder = &made->head;
  return double_autorelease(&made->head);
}

id encoder_compute(command_buffer *buffer) {
  return make_encoder(buffer, &double_class_compute_encoder);
}
id encoder_blit(command_buffer *buffer) {
  return make_encoder(buffer, &double_class_blit_encoder);
}

static double_encoder *open_encoder(id self, SEL op) {
  double_encoder *encoder = (struct double_encoder *)self;
  if (encoder->is_ended) double_complain("-[%s %s] after endEncoding", self->isa->name, op);
  return encoder;
}

static void encoder_end(id self, SEL op) {
  double_encoder *encoder = open_encoder(self, op);
  encoder->is_ended = true;
  encoder->buffer->open_encoder = NULL;
}

static void encoder_destroy(id self) {
  double_encoder *encoder = (struct double_encoder *)self;
  if (!encoder->is_ended) double_complain("a %s goes without endEncoding", self->isa->name);
  if (encoder->pipeline) double_release(&encoder->pipeline->head);
  double_release(&encoder->buffer->head);
}

/* ---- compute ---- */

static void compute_pipeline(id self, SEL op, id pipeline) {
  double_encoder *encoder = open_encoder(self, op);
  double_expect(pipeline, &double_class_pipeline, false, op);
  double_retain(pipeline);
  if (encoder->pipeline) double_release(&encoder->pipeline->head);
  encoder->pipeline = (double_pipeline *)pipeline;
}

static void check_index(NSUInteger index, SEL op) {
  if (index >= MSL_ARGUMENTS) double_complain("%s: index %lu, expected 0 to 30", op, index);
}

static void compute_buffer(id self, SEL op, id buffer, NSUInteger offset, NSUInteger index) {
  double_encoder *encoder = open_encoder(self, op);
  check_index(index, op);
  double_expect(buffer, &double_class_buffer, true, op);
  if (buffer && offset >= ((double_buffer *)buffer)->bytes)
    double_complain("%s: offset %lu in a buffer of %zu bytes at index %lu", op, offset, ((double_buffer *)buffer)->bytes, index);
  if (offset % 4) double_complain("%s: offset %lu is no multiple of 4", op, offset);
  encoder->bound[index].buffer = (double_buffer *)buffer;
  encoder->bound[index].offset = offset;
  encoder->bound[index].n_bytes = 0;
  if (buffer) command_hold(encoder->buffer, buffer);
}

static void compute_bytes(id self, SEL op, const void *bytes, NSUInteger length, NSUInteger index) {
  double_encoder *encoder = open_encoder(self, op);
  check_index(index, op);
  if (!bytes || !length) double_complain("%s: no bytes", op);
  if (length > DOUBLE_SET_BYTES) double_complain("%s: %lu bytes, at most 4096", op, length);
  encoder->bound[index].buffer = NULL;
  encoder->bound[index].n_bytes = length;
  memcpy(encoder->bound[index].bytes, bytes, length);
}

static void compute_group_memory(id self, SEL op, NSUInteger length, NSUInteger index) {
  double_encoder *encoder = open_encoder(self, op);
  check_index(index, op);
  if (length % 16) double_complain("%s: %lu bytes, no multiple of 16", op, length);
  if (length > DOUBLE_GROUP_MEMORY) double_complain("%s: %lu bytes, at most 32768", op, length);
  encoder->group_bytes[index] = length;
}

static void check_grid(SEL op, const double_pipeline *pipeline, MTLSize groups, MTLSize lanes) {
  if (!groups.width || !groups.height || !groups.depth)
    double_complain("%s: a grid of %lu x %lu x %lu groups", op, groups.width, groups.height, groups.depth);
  if (!lanes.width || !lanes.height || !lanes.depth)
    double_complain("%s: groups of %lu x %lu x %lu threads", op, lanes.width, lanes.height, lanes.depth);
  if (groups.width * lanes.width > UINT32_MAX || groups.height > UINT32_MAX || groups.depth > UINT32_MAX ||
      groups.width > UINT32_MAX / groups.height / groups.depth)
    double_complain("%s: a grid of %lu x %lu x %lu groups", op, groups.width, groups.height, groups.depth);
  NSUInteger n = lanes.width * lanes.height * lanes.depth;
  if (lanes.width > DOUBLE_LANES || lanes.height > DOUBLE_LANES || lanes.depth > DOUBLE_LANES || n > pipeline->max_lanes)
    double_complain("%s: %lu threads a group of kernel '%s', its limit is %lu", op, n, pipeline->kernel->name,
                    pipeline->max_lanes);
}

static void set_argument(const double_encoder *encoder, double_command *command, const msl_argument *argument) {
  const char *kernel = encoder->pipeline->kernel->name;
  unsigned i = argument->index;
  msl_dispatch *dispatch = &command->dispatch;
  if (argument->space == 't') {
    if (!encoder->group_bytes[i]) double_complain("kernel '%s': the length of threadgroup(%u) was not set", kernel, i);
    dispatch->group_bytes[i] = encoder->group_bytes[i];
    return;
  }
  const double_buffer *buffer = encoder->bound[i].buffer;
  if (buffer) {
    dispatch->buffers[i] = buffer->contents + encoder->bound[i].offset;
    dispatch->buffer_bytes[i] = buffer->bytes - encoder->bound[i].offset;
  } else if (encoder->bound[i].n_bytes) {
    dispatch->buffers[i] = (unsigned char *)command->bytes + (size_t)i * DOUBLE_SET_BYTES;
    dispatch->buffer_bytes[i] = encoder->bound[i].n_bytes;
    memcpy(dispatch->buffers[i], encoder->bound[i].bytes, encoder->bound[i].n_bytes);
  } else double_complain("kernel '%s': nothing is bound at buffer(%u)", kernel, i);
  if (argument->space == 'c' && dispatch->buffer_bytes[i] < argument->bytes)
    double_complain("kernel '%s': %zu bytes at buffer(%u), its type has %u", kernel, dispatch->buffer_bytes[i], i,
                    argument->bytes);
  if ((uintptr_t)dispatch->buffers[i] % argument->alignment)
    double_complain("kernel '%s': buffer(%u) is not aligned to %u", kernel, i, argument->alignment);
}

static void compute_dispatch(id self, SEL op, MTLSize groups, MTLSize lanes) {
  double_encoder *encoder = open_encoder(self, op);
  if (!encoder->pipeline) double_complain("%s: no pipeline is set", op);
  const msl_kernel *kernel = encoder->pipeline->kernel;
  check_grid(op, encoder->pipeline, groups, lanes);
  size_t group_memory = 0;
  for (unsigned i = 0; i < MSL_ARGUMENTS; i++) group_memory += encoder->group_bytes[i];
  if (group_memory > DOUBLE_GROUP_MEMORY) double_complain("%s: %zu bytes of threadgroup memory, at most 32768", op, group_memory);
  double_command *command = command_add(encoder->buffer, DO_DISPATCH);
  command->bytes = malloc((size_t)MSL_ARGUMENTS * DOUBLE_SET_BYTES);
  if (!command->bytes) double_complain("out of memory");
  command->dispatch = (msl_dispatch){
      .kernel = kernel,
      .groups = {(unsigned)groups.width, (unsigned)groups.height, (unsigned)groups.depth},
      .lanes = {(unsigned)lanes.width, (unsigned)lanes.height, (unsigned)lanes.depth},
  };
  for (unsigned i = 0; i < kernel->n_arguments; i++) set_argument(encoder, command, &kernel->arguments[i]);
  command_hold(encoder->buffer, &encoder->pipeline->head);
}

static const double_method compute_methods[] = {
    METHOD("setComputePipelineState:", "v@:@", compute_pipeline),
    METHOD("setBuffer:offset:atIndex:", "v@:@QQ", compute_buffer),
    METHOD("setBytes:length:atIndex:", "v@:r^vQQ", compute_bytes),
    METHOD("setThreadgroupMemoryLength:atIndex:", "v@:QQ", compute_group_memory),
    METHOD("dispatchThreadgroups:threadsPerThreadgroup:", "v@:{MTLSize=QQQ}{MTLSize=QQQ}", compute_dispatch),
    METHOD("endEncoding", "v@:", encoder_end),
    {NULL, NULL, NULL}};
const double_class double_class_compute_encoder = {.head = CLASS_HEAD,
                                                   .name = "MTLComputeCommandEncoder",
                                                   .super = &double_class_object,
                                                   .methods = compute_methods,
                                                   .bytes = sizeof(double_encoder),
                                                   .destroy = encoder_destroy};

/* ---- blit ---- */

static double_buffer *blit_range(SEL op, id object, NSUInteger offset, NSUInteger size) {
  double_expect(object, &double_class_buffer, false, op);
  double_buffer *buffer = (double_buffer *)object;
  if (!size) double_complain("%s: 0 bytes", op);
  if (offset > buffer->bytes || size > buffer->bytes - offset)
    double_complain("%s: %lu bytes at %lu of a buffer of %zu", op, size, offset, buffer->bytes);
  if (offset % 4 || size % 4) double_complain("%s: %lu bytes at %lu, both must be multiples of 4 on macOS", op, size, offset);
  return buffer;
}

static void blit_copy(id self, SEL op, id from, NSUInteger from_offset, id to, NSUInteger to_offset, NSUInteger size) {
  double_encoder *encoder = open_encoder(self, op);
  double_buffer *source = blit_range(op, from, from_offset, size), *target = blit_range(op, to, to_offset, size);
  if (source == target && from_offset < to_offset + size && to_offset < from_offset + size)
    double_complain("%s: the ranges overlap", op);
  double_command *command = command_add(encoder->buffer, DO_COPY);
  command->from = source->contents + from_offset;
  command->to = target->contents + to_offset;
  command->n = size;
  command_hold(encoder->buffer, from);
  command_hold(encoder->buffer, to);
}

static void blit_fill(id self, SEL op, id buffer, NSRange range, uint8_t value) {
  double_encoder *encoder = open_encoder(self, op);
  double_buffer *target = blit_range(op, buffer, range.location, range.length);
  double_command *command = command_add(encoder->buffer, DO_FILL);
  command->to = target->contents + range.location;
  command->n = range.length;
  command->value = value;
  command_hold(encoder->buffer, buffer);
}

static const double_method blit_methods[] = {
    METHOD("copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:", "v@:@Q@QQ", blit_copy),
    METHOD("fillBuffer:range:value:", "v@:@{_NSRange=QQ}C", blit_fill),
    METHOD("endEncoding", "v@:", encoder_end),
    {NULL, NULL, NULL}};
const double_class double_class_blit_encoder = {.head = CLASS_HEAD,
                                                .name = "MTLBlitCommandEncoder",
                                                .super = &double_class_object,
                                                .methods = blit_methods,
                                                .bytes = sizeof(double_encoder),
                                                .destroy = encoder_destroy};
