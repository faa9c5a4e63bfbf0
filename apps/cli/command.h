/* command.h - what the commands share: their description, their parsed command line, where their words go. */
#ifndef MOHO_CLI_COMMAND_H
#define MOHO_CLI_COMMAND_H

#include <popt.h>
#include <stdio.h>

#include "moho/moho.h"

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 75 };

/* A command line taken apart. */
typedef struct command_line {
  const struct command *command;
  int json;               /* --json */
  const char *output;     /* --output F, or NULL */
  const char **arguments; /* what is not an option */
  size_t n_arguments;
} command_line;

typedef struct command {
  const char *name, *synopsis, *summary;
  const char *teaching;                 /* a few lines and an example, for --help */
  const struct poptOption *options;     /* of its own, ended by POPT_TABLEEND; NULL: none */
  const char *output_help;              /* what --output names */
  int is_long;                          /* 1: reports progress, which SIGINT and SIGTERM stop in good order */
  int (*run)(const command_line *line); /* gives the exit code */
} command;

extern const command command_migrate, command_demigrate, command_explain, command_info, command_view, command_synth,
    command_devices, command_selftest, command_bench, command_velocity, command_program;

/* All commands, in the order of help. */
extern const command *const all_commands[];
extern const size_t n_commands;

/* ---- options.c ---- */

/* Parses, answers --help, runs. */
int command_run(const command *c, int argc, const char **argv);
/* The text of --help; also the man page's. */
void command_print_help(const command *c, FILE *out);
/* "KEY=VALUE" in two; 0 when there is no '='. key takes at most 159 characters. */
int split_assignment(const char *text, char key[160], const char **value);
/* One of "a|b|c" as its index; -1 after a usage error was printed. */
int choose_word(const char *option, const char *given, const char *words);
/* The next entry of a list "a,b,c" into item; the rest, NULL past the last. */
const char *next_item(const char *list, char item[64]);

/* ---- job_argument.c ---- */

/* The job named by the first argument, with the overrides that follow; prints what is wrong. Returns 0 or the exit code. */
int read_job_argument(const command_line *line, moho_job **job);

/* ---- output_text.c: words and figures to stdout or to the file of --output ---- */

typedef struct output_text {
  FILE *out;
  char *text;
  size_t size;
} output_text;

int output_begin(output_text *output);                            /* 0, or the exit code */
int output_finish(output_text *output, const command_line *line); /* to stdout, or to --output */
int output_give(const char *text, const command_line *line);      /* a finished text */

/* ---- print_error.c ---- */

/* The thread's last error on stderr: message, where, hint. Returns the exit code that belongs to it. */
int print_error(void);
/* "moho COMMAND: ..." on stderr, and where the help is; returns EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "did you mean X?" after an error, when a name is near. */
void print_suggestion(const char *given, const char *const *names, size_t count);

/* ---- progress_bar.c ---- */

/* --progress auto|bar|json|none; 0, or a usage error was printed. */
int progress_choose(const char *mode);
int progress_step(void *user, const moho_progress *progress); /* a moho_progress_function: stops after SIGINT or SIGTERM */
void progress_end(void);                                      /* leaves the bar's line */
void progress_catch_signals(void);
int progress_is_interrupted(void);

/* ---- text for people ---- */

const char *bytes_text(double bytes, char text[32]);     /* "1.5 GiB" */
const char *count_text(double count, char text[32]);     /* "1.23 G" */
const char *seconds_text(double seconds, char text[32]); /* "4.21 s", "3:05" */

#endif
