/* backend.h - what a backend is: one struct of functions. The front (device.c, buffer.c, kernel.c, queue.c) checks arguments,
 * owns handles, pool, cache, metrics and tickets; a backend only does.
 *
 * A backend may rely on: ranges checked, buffers alive until collected, one thread in submit() a queue, collect() once a
 * ticket and in order. It must: never print or exit; put the device's own words into the error; compile everywhere (no SDK,
 * no toolkit); allow wait() from any thread.
 */
#ifndef MOHO_DEVICE_BACKEND_H
#define MOHO_DEVICE_BACKEND_H

#include "base/fail.h"
#include "device/device_uri.h"
#include "moho/queue.h"

/* Memory as a backend gave it. */
typedef struct moho_block {
  uint64_t address; /* cuda: device address; cpu: the pointer; metal: 0 */
  void *handle;     /* the backend's own: metal: the MTLBuffer */
  void *host;       /* host's view, NULL where there is none */
  size_t bytes;
} moho_block;

/* A kernel to compile. */
typedef struct moho_unit {
  const char *name;                         /* of the KERNEL function */
  const char *text;                         /* flattened, constants before it, #line directives; NULL: only registered */
  char key[65];                             /* hex SHA-256 of name, text and constants */
  const moho_kernel_definition *definition; /* what was compiled into the program, or NULL */
} moho_unit;

/* A compiled kernel. */
typedef struct moho_pipeline {
  void *handle, *library; /* the backend's own */
  const moho_kernel_definition *definition;
  int max_lanes, simd_width, registers;
  size_t group_memory, spilled_bytes;
  char origin[16]; /* "compiled", "disk", "native", "c" */
} moho_pipeline;

typedef enum {
  MOHO_COMMAND_LAUNCH,
  MOHO_COMMAND_WRITE, /* host -> to */
  MOHO_COMMAND_READ,  /* from -> host */
  MOHO_COMMAND_COPY,  /* from -> to */
  MOHO_COMMAND_FILL,  /* to := word */
  MOHO_COMMAND_AFTER  /* wait for a ticket of another queue of the same backend */
} moho_command_kind;

typedef struct moho_span {
  const moho_block *block;
  size_t offset, bytes; /* bytes: to the buffer's end in a launch */
} moho_span;

typedef struct moho_command {
  moho_command_kind kind;
  const char *name; /* of the kernel, for messages */
  /* transfers and fills */
  moho_span to, from;
  void *host;
  size_t bytes;
  uint32_t word;
  /* launch */
  const moho_pipeline *pipeline;
  const moho_span *buffers; /* [n_buffers] */
  uint32_t n_buffers, groups[2], lanes;
  const void *parameters;
  uint32_t parameter_bytes, group_memory;
  /* after */
  void *other_queue;
  uint64_t other_ticket;
} moho_command;

typedef struct moho_submission {
  uint64_t ticket;
  const moho_command *commands;
  size_t n_commands;
  int timed; /* measure kernel and transfer seconds */
} moho_submission;

/* How a submission ended. */
typedef struct moho_outcome {
  moho_status status;
  moho_error error; /* where status is not MOHO_OK */
  double kernel_seconds, transfer_seconds;
} moho_outcome;

typedef struct moho_backend {
  const char *name; /* "cpu" */
  /* How many devices there are; 0 with the reason ("libcuda.so.1 not found"). Never fails, cheap when called again. */
  size_t (*count)(char *reason, size_t capacity);
  /* *state is the backend's device; the report is filled except uri and reason. */
  moho_status (*open)(const moho_device_uri *uri, void **state, moho_device_report *report);
  void (*close)(void *state);
  /* What changes: memory_free_bytes. */
  void (*refresh)(void *state, moho_device_report *report);
  /* Name and version of the library that makes the calls of this name (library_call.h); NULL with the reason. May be NULL. */
  const char *(*library)(void *state, const char *name, const char **why);

  moho_status (*allocate)(void *state, size_t bytes, moho_memory memory, moho_block *out);
  /* NOT_AVAILABLE with the reason when it cannot be without a copy. Alignment was checked. */
  moho_status (*wrap)(void *state, void *host, size_t bytes, moho_block *out);
  /* Memory of the device that another library allocated; what it still does there is waited for. NULL: the backend has no
   * addresses. */
  moho_status (*wrap_device)(void *state, uint64_t address, size_t bytes, moho_block *out);
  void (*release)(void *state, moho_block *block);

  moho_status (*compile)(void *state, const moho_unit *unit, moho_pipeline *out);
  void (*release_pipeline)(void *state, moho_pipeline *pipeline);

  moho_status (*queue_create)(void *state, void **queue);
  void (*queue_destroy)(void *queue); /* everything submitted was waited for */
  /* Tickets 1, 2, 3 ... An error here: nothing of the submission runs. Commands and what they point to (not host memory,
   * blocks and pipelines) may change after the call. */
  moho_status (*submit)(void *queue, const moho_submission *submission);
  /* MOHO_OK: the ticket is finished, well or not; MOHO_ERROR_TIMEOUT. timeout_s < 0: for ever; 0: only look. Any thread. */
  moho_status (*wait)(void *queue, uint64_t ticket, double timeout_s);
  void (*collect)(void *queue, uint64_t ticket, moho_outcome *outcome);
} moho_backend;

extern const moho_backend moho_backend_cpu, moho_backend_cuda, moho_backend_metal;

#endif
