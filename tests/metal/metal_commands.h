/* metal_commands.h - what a command buffer holds: filled by encoders (metal_encoders.c), done by its queue (metal_queue.c). */
#ifndef MOHO_METAL_COMMANDS_H
#define MOHO_METAL_COMMANDS_H

#include "double.h"
#include "msl.h"

typedef enum { DO_DISPATCH, DO_COPY, DO_FILL, DO_WAIT, DO_SIGNAL } command_kind;

typedef struct double_command {
  command_kind kind;
  /* dispatch */
  msl_dispatch dispatch;
  void *bytes; /* what setBytes brought, all of it; freed with the command */
  /* copy and fill */
  unsigned char *to;
  const unsigned char *from;
  size_t n;
  unsigned char value;
  /* wait and signal */
  double_event *event;
  uint64_t event_value;
} double_command;

enum { STATUS_NOT_ENQUEUED, STATUS_ENQUEUED, STATUS_COMMITTED, STATUS_SCHEDULED, STATUS_COMPLETED, STATUS_ERROR };

typedef struct command_buffer {
  double_object head;
  struct double_queue *queue;
  double_command *commands;
  size_t n_commands, capacity;
  id *held; /* retained until it is done */
  size_t n_held, held_capacity;
  id open_encoder; /* not retained: its end clears it */
  atomic_int status;
  id error;
  double start, end;
  struct command_buffer *next; /* in the queue */
} command_buffer;

double_command *command_add(command_buffer *buffer, command_kind kind);
void command_hold(command_buffer *buffer, id object);
/* Complain where the buffer takes no more commands. */
void command_expect_open(const command_buffer *buffer, const char *where);

/* New encoders: autoreleased. */
id encoder_compute(command_buffer *buffer);
id encoder_blit(command_buffer *buffer);

#endif
