/* fibers.h - several stacks on one thread: the lanes of a group take turns by switching from one to another.
 *
 * The switch saves what the calling convention makes a function keep: x86-64 and arm64 in a few instructions of assembly,
 * ucontext elsewhere. Address and thread sanitizers are told of each.
 */
#ifndef MOHO_DEVICE_FIBERS_H
#define MOHO_DEVICE_FIBERS_H

#include <stddef.h>

typedef struct moho_fiber moho_fiber;
struct moho_fiber {
  void *stack_pointer; /* where it was left */
  void *stack;         /* lowest byte; NULL: the thread's own */
  size_t stack_bytes;
  void (*function)(void *argument);
  void *argument;
  moho_fiber *came_from; /* who switched here */
  void *context;         /* ucontext, where there is no assembly */
  void *sanitizer;       /* ASan's fake stack, TSan's fiber */
};

/* The fiber that a thread runs on already. */
moho_fiber moho_fiber_of_thread(void);
/* A fiber that calls function(argument) when first switched to; the function must never return. 0: out of memory. */
int moho_fiber_prepare(moho_fiber *fiber, void *stack, size_t bytes, void (*function)(void *), void *argument);
/* Leave `from`, which is running, and go on in `to`. Returns when somebody switches to `from`. */
void moho_fiber_switch(moho_fiber *from, moho_fiber *to);
/* The fiber will not be switched to again. Its stack may be used for another one. */
void moho_fiber_forget(moho_fiber *fiber);

#endif
