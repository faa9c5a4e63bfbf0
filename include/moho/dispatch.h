/* dispatch.h - which device should compute an operation: chosen from measured times, with the reason.
 *
 *   moho_dispatcher_create((moho_device *[]){cpu, gpu}, 2, &options, &dispatcher);      opened by the caller, who closes them
 * after moho_dispatcher_measure(dispatcher, 0, NULL, NULL);                                 once a machine: kept in the cache
 * folder moho_dispatch_run(dispatcher, &call, &choice);         tensors may lie on any of the devices; choice.reason says why
 * there
 *
 * An operation by itself runs where its tensors are (tensor.h). A dispatcher is for those who do not mind where: it estimates the
 * seconds of every device from what was measured on it, work by size and group of operations, and bytes to and from it; chooses
 * by a strategy; moves the operands that lie elsewhere, runs, and brings the result to where the output tensor is. It waits.
 *
 * A device that turns out unable (MOHO_ERROR_NOT_AVAILABLE, MOHO_ERROR_MEMORY, MOHO_ERROR_LOST) is passed over for the next one
 * of the ranking, which is counted and said in the reason; any other error is the caller's. A forced device never falls back.
 * Operands on a lost device are lost with it: then the call fails.
 *
 * Thread safety: choosing and running from several threads is fine, on different tensors; measure, give and destroy alone.
 */
#ifndef MOHO_DISPATCH_H
#define MOHO_DISPATCH_H

#include "moho/bitnet.h"
#include "moho/matmul.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_dispatcher moho_dispatcher;

enum { MOHO_DISPATCH_DEVICES = 8, MOHO_DISPATCH_OPERANDS = 8 };

/* name, word: operations whose time follows one curve. Its abscissa, "size": bytes read and written where the operation runs; of
 * matmul and ternary m n k. */
#define MOHO_DISPATCH_GROUP_TABLE(X)                                                        \
  X(MOHO_DISPATCH_ELEMENTWISE, "elementwise") /* arithmetic, copies; measured by add */     \
  X(MOHO_DISPATCH_ACTIVATION, "activation")   /* exponentials and the like: gelu_tanh */    \
  X(MOHO_DISPATCH_REDUCTION, "reduction")     /* reductions and losses: sum of all */       \
  X(MOHO_DISPATCH_ROWS, "rows")               /* softmax, norms: softmax of rows of 1024 */ \
  X(MOHO_DISPATCH_MATMUL, "matmul")           /* squares */                                 \
  X(MOHO_DISPATCH_TERNARY, "ternary")         /* bitnet_linear: 8 rows by square weights */

typedef enum {
#define MOHO_DISPATCH_GROUP_ENUM(name, word) name,
  MOHO_DISPATCH_GROUP_TABLE(MOHO_DISPATCH_GROUP_ENUM)
#undef MOHO_DISPATCH_GROUP_ENUM
      MOHO_DISPATCH_GROUPS
} moho_dispatch_group;

/* name, word */
#define MOHO_STRATEGY_TABLE(X)                                                                                               \
  X(MOHO_STRATEGY_PRIORITY, "priority")     /* the devices in the order given */                                             \
  X(MOHO_STRATEGY_LATENCY, "latency")       /* least seconds until this result is there: moves, launch and work */           \
  X(MOHO_STRATEGY_THROUGHPUT, "throughput") /* least seconds a call among many that overlap: the longer of moves and work */ \
  X(MOHO_STRATEGY_MEMORY, "memory")         /* fewest new bytes; among equals most free memory. Needs no figures */          \
  X(MOHO_STRATEGY_CUSTOM, "custom")         /* options.order */                                                              \
  X(MOHO_STRATEGY_FORCED, "forced")         /* options.forced alone: never another */

typedef enum {
#define MOHO_STRATEGY_ENUM(name, word) name,
  MOHO_STRATEGY_TABLE(MOHO_STRATEGY_ENUM)
#undef MOHO_STRATEGY_ENUM
      MOHO_STRATEGY_COUNT
} moho_strategy;

typedef struct moho_dispatcher_options {
  moho_strategy strategy;
  int forced; /* index into the devices: MOHO_STRATEGY_FORCED */
  /* MOHO_STRATEGY_CUSTOM: devices of a group, first choice first; those not named are not used. n_order 0: in the order given. */
  int order[MOHO_DISPATCH_GROUPS][MOHO_DISPATCH_DEVICES];
  int n_order[MOHO_DISPATCH_GROUPS];
  int may_move;           /* 0: only where all operands lie already, else refused */
  double measure_seconds; /* a curve may take about so long to measure */
} moho_dispatcher_options;

/** Latency, moving allowed, 0.1 s a curve. */
MOHO_API moho_dispatcher_options moho_dispatcher_options_default(void);

/** @param devices [n] BORROWED: close them after the dispatcher is destroyed; n 1 to MOHO_DISPATCH_DEVICES  @param options NULL:
 *  the default  @return MOHO_ERROR_ARGUMENT (strategy, indices, a device twice), MOHO_ERROR_HANDLE. */
MOHO_API moho_status moho_dispatcher_create(moho_device *const *devices, size_t n, const moho_dispatcher_options *options,
                                            moho_dispatcher **out);
/** NULL is fine; leaves NULL. */
MOHO_API void moho_dispatcher_destroy(moho_dispatcher **dispatcher);

MOHO_API const char *moho_dispatch_group_name(moho_dispatch_group group);
MOHO_API const char *moho_strategy_name(moho_strategy strategy);
/** MOHO_ERROR_NOT_FOUND with the nearest one. */
MOHO_API moho_status moho_strategy_find(const char *word, moho_strategy *out);

/* ---- figures ---- */

/** Have figures of every device: those kept by an earlier process (same device name, URI, driver and version of Moho; in
 *  $XDG_CACHE_HOME/moho, else ~/.cache/moho; MOHO_CACHE=off: nowhere), else measured now and kept. @param again 1: measured in
 * any case. @return MOHO_ERROR_INTERRUPTED; what the device fails with. Cost: about 1 s a device where measured. */
MOHO_API moho_status moho_dispatcher_measure(moho_dispatcher *dispatcher, int again, moho_progress_function progress, void *user);
/** All figures as JSON, to be freed by the caller; NULL: out of memory. docs/tensor.md has the format. */
MOHO_API char *moho_dispatcher_figures(const moho_dispatcher *dispatcher);
/** Figures from such text, for the devices whose uri (in it) is theirs; others' are not looked at. @return MOHO_ERROR_FORMAT
 * (what is wrong and where; nothing taken), MOHO_ERROR_NOT_FOUND (of none of the devices). */
MOHO_API moho_status moho_dispatcher_give(moho_dispatcher *dispatcher, const char *json);

/* What an estimate is made of. */
typedef struct moho_dispatch_estimate {
  double alone_s;      /* the work, once: launched, done, waited for; operands there */
  double among_many_s; /* a call of several that were handed over together */
  double move_s;       /* operands to the device and the result back */
} moho_dispatch_estimate;

/** Of an operation of a group and size (of its kind, see the group table) whose operands and result all lie on device `at`.
 *  @return MOHO_ERROR_NOT_FOUND (no figures yet). */
MOHO_API moho_status moho_dispatcher_estimate(const moho_dispatcher *dispatcher, moho_dispatch_group group, double size,
                                              int device, int at, moho_dispatch_estimate *out);
/** The size from which on `device` is faster (latency) than computing at `at`, where the operands lie. 0: always; INFINITY:
 * never. Sizes up to 2^40 are looked at. */
MOHO_API moho_status moho_dispatcher_crossover(const moho_dispatcher *dispatcher, moho_dispatch_group group, int device, int at,
                                               double *size);

/* ---- choosing ---- */

enum { MOHO_DISPATCH_ANYWHERE = -1 }; /* not made yet: nothing to move */

/* A shape, and where it lies. */
typedef struct moho_dispatch_operand {
  moho_dtype dtype;
  int rank;
  size_t shape[MOHO_TENSOR_RANK];
  int device; /* index into the devices, or MOHO_DISPATCH_ANYWHERE */
} moho_dispatch_operand;

typedef struct moho_dispatch_work {
  const char *operation; /* "add", "softmax" ... as in tensor.h; "matmul" (a, b [, bias]), "bitnet_linear" (x [, bias, gain]) */
  moho_dispatch_operand inputs[MOHO_DISPATCH_OPERANDS];
  int n_inputs;
  moho_dispatch_operand output;
  size_t k; /* of matmul and bitnet_linear: what is summed over; 0: the last axis of inputs[0] */
} moho_dispatch_work;

typedef struct moho_dispatch_choice {
  int device;       /* index into the devices */
  double seconds;   /* by which it was chosen; NAN where the strategy needs none and there are no figures */
  double move_s;    /* of moves among them; NAN as before */
  size_t new_bytes; /* of memory on the device: operands moved there, the result */
  int fallbacks;    /* of a run: devices that were tried before and could not */
  char reason[600]; /* the strategy, the numbers, and what was left out, in words */
} moho_dispatch_choice;

/** Choose and run nothing. @return MOHO_ERROR_NOT_FOUND (no such operation; no figures of a device: measure first),
 *  MOHO_ERROR_NOT_AVAILABLE (no device can: the reason of each). */
MOHO_API moho_status moho_dispatcher_choose(moho_dispatcher *dispatcher, const moho_dispatch_work *work,
                                            moho_dispatch_choice *out);

/* ---- running: done on return ---- */

/* Tensors lie on devices of the dispatcher, each where it likes. @param choice may be NULL.
 * @return MOHO_ERROR_ARGUMENT (a tensor of another device), what choosing refuses, what the operation itself refuses, and the
 * last device's error where none could. Moved operands are not kept: what is used often should live where it is used. */
MOHO_API moho_status moho_dispatch_run(moho_dispatcher *dispatcher, const moho_tensor_call *call, moho_dispatch_choice *choice);
MOHO_API moho_status moho_dispatch_matmul(moho_dispatcher *dispatcher, const moho_tensor *a, const moho_tensor *b, moho_tensor *c,
                                          const moho_matmul_options *options, moho_dispatch_choice *choice);
MOHO_API moho_status moho_dispatch_bitnet_linear(moho_dispatcher *dispatcher, const moho_bitnet_weights *weights,
                                                 const moho_tensor *x, moho_tensor *y, const moho_bitnet_options *options,
                                                 moho_dispatch_choice *choice);

/* ---- counting ---- */

/* Why a device was passed over after it had been tried. */
typedef enum {
  MOHO_FALLBACK_NOT_AVAILABLE,
  MOHO_FALLBACK_MEMORY,
  MOHO_FALLBACK_LOST,
  MOHO_FALLBACK_REASONS
} moho_fallback_reason;

/* Of one device since the dispatcher was made. */
typedef struct moho_dispatch_counts {
  uint64_t chosen;                           /* first of a ranking, by choose or run */
  uint64_t ran;                              /* computed a result */
  uint64_t fell_back[MOHO_FALLBACK_REASONS]; /* was tried and could not: another one was next */
  uint64_t moved_bytes;                      /* to it and from it */
} moho_dispatch_counts;
MOHO_API moho_status moho_dispatcher_counts(moho_dispatcher *dispatcher, int device, moho_dispatch_counts *out);

#ifdef __cplusplus
}
#endif
#endif
