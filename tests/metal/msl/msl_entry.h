/* msl_entry.h - what a compiled kernel and the runner know of one another. C and (inside metal_stdlib) C++. */
#ifndef MOHO_MSL_ENTRY_H
#define MOHO_MSL_ENTRY_H

enum { MSL_ARGUMENTS = 31, MSL_SIMD = 32 };
enum { MSL_READ, MSL_WRITE, MSL_ATOMIC, MSL_UNALIGNED = 4 }; /* how memory is touched; the last is a flag */

/* Where a lane is. */
typedef struct msl_position {
  unsigned lane;                /* linear index in the group */
  unsigned local[3], lanes[3];  /* in the group; of the group */
  unsigned group[3], groups[3]; /* in the grid; of the grid */
} msl_position;

typedef struct msl_argument {
  char space; /* 'd'evice, 'c'onstant, 't'hreadgroup */
  char is_const;
  unsigned index;
  unsigned bytes, alignment; /* of what it points to */
} msl_argument;

typedef struct msl_kernel {
  const char *name;
  unsigned max_lanes; /* 0: not said */
  unsigned n_arguments;
  const msl_argument *arguments;
  void (*entry)(void *const *buffers, void *const *group_memory, const msl_position *position);
} msl_kernel;

/* What the runner does for a lane. `line` tells places in the text apart. */
typedef struct msl_services {
  void (*barrier)(unsigned flags, unsigned line);
  void (*simd_barrier)(unsigned flags, unsigned line);
  /* words[i] := what lane i of the SIMD group brought; a bit is set for each lane that exists. */
  unsigned (*exchange)(unsigned word, unsigned *words, unsigned line);
  unsigned (*simd_lane)(void);
  void (*access)(const void *address, unsigned bytes, int how);
} msl_services;

#endif
