/* fibers.c - the switch between stacks, in assembly for x86-64 (System V) and arm64 (AAPCS), by ucontext elsewhere.
 *
 * Rounding mode and floating-point flags are not switched: kernels have no words for them.
 */
#include "device/cpu/fibers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WITH_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#define QUOTE(x) #x
#define QUOTED(x) QUOTE(x)
#define SYMBOL(name) QUOTED(__USER_LABEL_PREFIX__) #name
#ifdef __APPLE__
#define HIDDEN(name) ".private_extern " SYMBOL(name) "\n"
#else
#define HIDDEN(name) ".hidden " SYMBOL(name) "\n"
#endif

/* The first thing that runs on a fiber; called from moho_fiber_enter with the fiber that was prepared. */
void moho_fiber_main(moho_fiber *fiber);

/* How both sides of a switch tell the sanitizers. Inlined: the thread sanitizer counts calls and returns of each fiber. */
#define INLINED static inline __attribute__((always_inline))
INLINED void leaving(moho_fiber *from, moho_fiber *to) {
  to->came_from = from;
#ifdef WITH_ASAN
  __sanitizer_start_switch_fiber(&from->sanitizer, to->stack, to->stack_bytes);
#endif
#ifdef WITH_TSAN
  __tsan_switch_to_fiber(to->sanitizer, 0);
#endif
}

INLINED void arrived(moho_fiber *here) {
#ifdef WITH_ASAN
  const void *stack;
  size_t bytes;
  __sanitizer_finish_switch_fiber(here->sanitizer, &stack, &bytes);
  here->came_from->stack = (void *)(uintptr_t)stack;
  here->came_from->stack_bytes = bytes;
#else
  (void)here;
#endif
}

void moho_fiber_main(moho_fiber *fiber) {
  arrived(fiber);
  fiber->function(fiber->argument);
  abort(); /* the function returned: there is nowhere to go */
}

#if defined(MOHO_FIBERS_UCONTEXT)
#define WITH_UCONTEXT 1
#elif defined(__x86_64__)
/* moho_fiber_jump(&leave's stack pointer, stack pointer to go on with) */
void moho_fiber_jump(void **leave, void *go);
void moho_fiber_enter(void);
__asm__(".text\n"
        ".p2align 4\n"
        ".globl " SYMBOL(moho_fiber_jump) "\n" HIDDEN(moho_fiber_jump)
            SYMBOL(moho_fiber_jump) ":\n"
                                    "  pushq %rbp\n"
                                    "  pushq %rbx\n"
                                    "  pushq %r12\n"
                                    "  pushq %r13\n"
                                    "  pushq %r14\n"
                                    "  pushq %r15\n"
                                    "  movq %rsp, (%rdi)\n"
                                    "  movq %rsi, %rsp\n"
                                    "  popq %r15\n"
                                    "  popq %r14\n"
                                    "  popq %r13\n"
                                    "  popq %r12\n"
                                    "  popq %rbx\n"
                                    "  popq %rbp\n"
                                    "  ret\n"
                                    ".p2align 4\n"
                                    ".globl " SYMBOL(moho_fiber_enter) "\n" HIDDEN(moho_fiber_enter)
                                        SYMBOL(moho_fiber_enter) ":\n"
                                                                 "  .cfi_startproc\n"
                                                                 "  .cfi_undefined rip\n"
                                                                 "  movq %rbx, %rdi\n"
                                                                 "  call " SYMBOL(moho_fiber_main) "\n"
                                                                                                   "  ud2\n"
                                                                                                   "  .cfi_endproc\n");

static void *first_frame(moho_fiber *fiber, uintptr_t top) {
  void **frame = (void **)(top - 72); /* r15 r14 r13 r12 rbx rbp, return address; then the stack is aligned to 16 for the call */
  memset(frame, 0, 64);
  frame[4] = fiber;
  void (*enter)(void) = moho_fiber_enter;
  memcpy(&frame[6], &enter, sizeof enter);
  return frame;
}

#elif defined(__aarch64__)
void moho_fiber_jump(void **leave, void *go);
void moho_fiber_enter(void);
__asm__(".text\n"
        ".p2align 4\n"
        ".globl " SYMBOL(moho_fiber_jump) "\n" HIDDEN(moho_fiber_jump)
            SYMBOL(moho_fiber_jump) ":\n"
                                    "  sub sp, sp, #160\n"
                                    "  stp x19, x20, [sp, #0]\n"
                                    "  stp x21, x22, [sp, #16]\n"
                                    "  stp x23, x24, [sp, #32]\n"
                                    "  stp x25, x26, [sp, #48]\n"
                                    "  stp x27, x28, [sp, #64]\n"
                                    "  stp x29, x30, [sp, #80]\n"
                                    "  stp d8, d9, [sp, #96]\n"
                                    "  stp d10, d11, [sp, #112]\n"
                                    "  stp d12, d13, [sp, #128]\n"
                                    "  stp d14, d15, [sp, #144]\n"
                                    "  mov x9, sp\n"
                                    "  str x9, [x0]\n"
                                    "  mov sp, x1\n"
                                    "  ldp x19, x20, [sp, #0]\n"
                                    "  ldp x21, x22, [sp, #16]\n"
                                    "  ldp x23, x24, [sp, #32]\n"
                                    "  ldp x25, x26, [sp, #48]\n"
                                    "  ldp x27, x28, [sp, #64]\n"
                                    "  ldp x29, x30, [sp, #80]\n"
                                    "  ldp d8, d9, [sp, #96]\n"
                                    "  ldp d10, d11, [sp, #112]\n"
                                    "  ldp d12, d13, [sp, #128]\n"
                                    "  ldp d14, d15, [sp, #144]\n"
                                    "  add sp, sp, #160\n"
                                    "  ret\n"
                                    ".p2align 4\n"
                                    ".globl " SYMBOL(moho_fiber_enter) "\n" HIDDEN(moho_fiber_enter)
                                        SYMBOL(moho_fiber_enter) ":\n"
                                                                 "  .cfi_startproc\n"
                                                                 "  .cfi_undefined x30\n"
                                                                 "  mov x0, x19\n"
                                                                 "  bl " SYMBOL(moho_fiber_main) "\n"
                                                                                                 "  brk #1\n"
                                                                                                 "  .cfi_endproc\n");

static void *first_frame(moho_fiber *fiber, uintptr_t top) {
  void **frame = (void **)(top - 160);
  memset(frame, 0, 160);
  frame[0] = fiber; /* x19 */
  void (*enter)(void) = moho_fiber_enter;
  memcpy(&frame[11], &enter, sizeof enter); /* x30 */
  return frame;
}

#else
#define WITH_UCONTEXT 1
#endif

#ifdef WITH_UCONTEXT
#include <ucontext.h>

static void enter(unsigned low, unsigned high) {
  moho_fiber_main((moho_fiber *)((uintptr_t)low | (uintptr_t)high << 16 << 16));
}
#endif

#ifndef WITH_UCONTEXT
static int begin(moho_fiber *fiber) {
  uintptr_t top = ((uintptr_t)fiber->stack + fiber->stack_bytes) & ~(uintptr_t)15;
  fiber->stack_pointer = first_frame(fiber, top);
  return 1;
}

INLINED void jump(moho_fiber *from, moho_fiber *to) {
  moho_fiber_jump(&from->stack_pointer, to->stack_pointer);
}
#else
static int begin(moho_fiber *fiber) {
  ucontext_t *context = malloc(sizeof *context);
  if (!context || getcontext(context)) {
    free(context);
    return 0;
  }
  fiber->context = context;
  context->uc_stack.ss_sp = fiber->stack;
  context->uc_stack.ss_size = fiber->stack_bytes;
  context->uc_link = NULL;
  uintptr_t self = (uintptr_t)fiber;
  makecontext(context, (void (*)(void))enter, 2, (unsigned)self, (unsigned)(self >> 16 >> 16));
  return 1;
}

INLINED void jump(moho_fiber *from, moho_fiber *to) {
  ucontext_t here;
  if (!from->context) from->context = &here; /* the thread's own: lives on its stack while it is away */
  swapcontext(from->context, to->context);
  if (from->context == &here) from->context = NULL;
}
#endif

moho_fiber moho_fiber_of_thread(void) {
  moho_fiber fiber = {0};
#ifdef WITH_TSAN
  fiber.sanitizer = __tsan_get_current_fiber();
#endif
  return fiber;
}

int moho_fiber_prepare(moho_fiber *fiber, void *stack, size_t bytes, void (*function)(void *), void *argument) {
  *fiber = (moho_fiber){.stack = stack, .stack_bytes = bytes, .function = function, .argument = argument};
  if (!begin(fiber)) return 0;
#ifdef WITH_TSAN
  fiber->sanitizer = __tsan_create_fiber(0);
#endif
  return 1;
}

void moho_fiber_switch(moho_fiber *from, moho_fiber *to) {
  leaving(from, to);
  jump(from, to);
  arrived(from);
}

void moho_fiber_forget(moho_fiber *fiber) {
#ifdef WITH_ASAN
  if (fiber->stack) __asan_unpoison_memory_region(fiber->stack, fiber->stack_bytes); /* frames that never returned */
#endif
#ifdef WITH_TSAN
  if (fiber->sanitizer) __tsan_destroy_fiber(fiber->sanitizer);
#endif
  free(fiber->context);
  *fiber = (moho_fiber){0};
}
