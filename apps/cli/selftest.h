/* selftest.h - what moho selftest migrates, and what it asks of a device's runtime. */
#ifndef MOHO_CLI_SELFTEST_H
#define MOHO_CLI_SELFTEST_H

#include "moho/moho.h"

/* ---- selftest_cases.c: surveys and options ---- */

typedef enum {
  SELFTEST_SPACE, /* 3D, velocity linear in time */
  SELFTEST_LINE,
  SELFTEST_DELAYED, /* 3D; records that begin late or early, header mutes */
  SELFTEST_LATERAL, /* 3D; velocity functions that differ from place to place */
  SELFTEST_RISING,  /* 3D; functions that differ and rise with time, as interval velocities and exact rays want it */
  SELFTEST_DEEP,    /* 3D, few columns, three times as long: here v3 interpolates leg times */
  SELFTEST_DEPTH,   /* the same in a velocity that grows with depth */
  SELFTEST_SURVEYS
} selftest_survey_kind;

typedef struct selftest_survey {
  moho_synth_options options;
  moho_geometry geometry;
  moho_grid grid;
  moho_velocity *velocity;
  moho_eta *eta; /* for the laws that want one */
  float *traces;
} selftest_survey;

moho_status selftest_survey_create(selftest_survey_kind kind, selftest_survey *out);
void selftest_survey_release(selftest_survey *survey);

typedef struct selftest_case {
  const char *name;
  selftest_survey_kind survey;
  int is_quick; /* part of --quick */
  moho_migration_options options;
} selftest_case;

enum { SELFTEST_MAX_CASES = 64 };
size_t selftest_list_cases(int quick, selftest_case cases[SELFTEST_MAX_CASES]);

/* ---- selftest_runtime.c: the runtime alone ---- */

typedef struct selftest_runtime_check {
  const char *name;
  /* MOHO_OK and "" in words: good; else what differs, or an error of the runtime. */
  moho_status (*run)(moho_device *device, char words[200]);
} selftest_runtime_check;

extern const selftest_runtime_check selftest_runtime_checks[];
extern const size_t selftest_n_runtime_checks;

/* ---- selftest_words.c: arithmetic ---- */

moho_status selftest_check_words(moho_device *device, char words[200]);

#endif
