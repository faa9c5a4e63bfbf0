/* job.h - a job inside: one value a row of the key table, given or default. */
#ifndef MOHO_JOB_JOB_H
#define MOHO_JOB_JOB_H

#include "base/fail.h"
#include "job/job_table.h"
#include "job/job_yaml.h"
#include "moho/job.h"

enum { MOHO_JOB_MAX_POINTS = 16 };

typedef struct moho_job_value {
  int given;                             /* 0: the default stands */
  int line, column;                      /* in the job file; 0: default, or given on the command line */
  int is_word;                           /* text is one of the key's words (or plain text); else number, points */
  char *text;                            /* words, text, resolved path; lists comma-joined; headers as "name=byte,..." ; malloc */
  double number;                         /* NUMBER, WHOLE; FLAG 0 or 1 */
  double points[MOHO_JOB_MAX_POINTS][2]; /* POINT, POINTS, RANGE, RANGES */
  size_t n_points;
  double *list; /* NUMBERS; malloc */
  size_t n_list;
} moho_job_value;

struct moho_job {
  char *name;      /* of the file, for errors */
  char *directory; /* what relative paths are relative to; "" = the working directory */
  moho_job_value values[MOHO_JOB_KEY_COUNT];
};

/* Type a YAML node as the value of a key. `name`: the file in errors, "" for the command line. */
moho_status moho_job_value_read(const char *name, const char *directory, moho_job_id id, const moho_yaml_node *node,
                                moho_job_value *out);
void moho_job_value_clear(moho_job_value *value);

/* Where a key was given, for errors. */
moho_place moho_job_place(const moho_job *job, moho_job_id id);
/* "job.yaml:3:5: migration.aperture.max_m", or "migration.aperture.max_m" when it has no line; in buffer. */
const char *moho_job_where(const moho_job *job, moho_job_id id, char buffer[400]);

/* Reading values: all keys with a default have one. */
static inline int moho_job_given(const moho_job *job, moho_job_id id) {
  return job->values[id].given;
}
static inline double moho_job_number(const moho_job *job, moho_job_id id) {
  return job->values[id].number;
}
static inline const char *moho_job_text(const moho_job *job, moho_job_id id) {
  return job->values[id].text;
}
/* 1 when the value is this word. */
int moho_job_is(const moho_job *job, moho_job_id id, const char *word);
/* Which of its key's words the value is, from 0; -1: none of them. */
int moho_job_word(const moho_job *job, moho_job_id id);
/* Which of "a|b|c" the value is, from 0; 0 when it is none. */
int moho_job_word_index(const moho_job *job, moho_job_id id, const char *words);
/* 1 when a key below this section is given (the section itself as a word does not count). */
int moho_job_given_below(const moho_job *job, moho_job_id section);

/* moho_job_check() of the keys below velocity alone. */
moho_status moho_job_check_velocity(const moho_job *job);
/* The same of the input: what is read, selected, shifted. */
moho_status moho_job_check_input(const moho_job *job);
/* The same of the grid. */
moho_status moho_job_check_grid(const moho_job *job);
/* The same of the travel-time law and of eta. */
moho_status moho_job_check_travel_time(const moho_job *job);
/* The same of the keys below migration and gathers. */
moho_status moho_job_check_migration(const moho_job *job);

#endif
