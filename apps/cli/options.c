/* options.c - the options that every command has, a command's own by popt, and its --help. */
#include <stdlib.h>
#include <string.h>

#include "command.h"

static int wants_help, wants_json;
static char *output_path, *progress_mode;

/* popt's table of one command: its own options, then those of all. */
static void fill_table(const command *c, struct poptOption table[5]) {
  static const struct poptOption common[] = {{"json", '\0', POPT_ARG_NONE, &wants_json, 0, "print JSON on stdout", NULL},
                                             {"output", 'o', POPT_ARG_STRING, &output_path, 0, NULL, "FILE"},
                                             {"progress", '\0', POPT_ARG_STRING, &progress_mode, 0,
                                              "progress of long work, on stderr; auto: a bar on a terminal",
                                              "auto|bar|json|none"},
                                             {"help", 'h', POPT_ARG_NONE, &wants_help, 0, "this help", NULL}};
  memcpy(table, common, sizeof common);
  table[1].descrip = c->output_help;
  table[4] = (struct poptOption)POPT_TABLEEND;
}

static void print_options(const struct poptOption *table, FILE *out) {
  for (; table && (table->longName || table->arg); table++) {
    char name[80];
    int used = 0;
    if (table->shortName) used = snprintf(name, sizeof name, "-%c, ", table->shortName);
    snprintf(name + used, sizeof name - (size_t)used, "--%s%s%s", table->longName, table->argDescrip ? " " : "",
             table->argDescrip ? table->argDescrip : "");
    if (strlen(name) > 32) fprintf(out, "  %s\n  %-32s %s\n", name, "", table->descrip);
    else fprintf(out, "  %-32s %s\n", name, table->descrip);
  }
}

void command_print_help(const command *c, FILE *out) {
  struct poptOption common[5];
  fill_table(c, common);
  fprintf(out, "usage: moho %s\n\n%s\n\nOptions:\n", c->synopsis, c->teaching);
  print_options(c->options, out);
  print_options(common, out);
  fprintf(out, "\nExit code: 0 good, 1 failed, 2 wrong usage, 75 interrupted.\n");
}

/* An unknown option gets the nearest one. */
static int option_error(const command *c, poptContext context, int code) {
  const char *given = poptBadOption(context, POPT_BADOPTION_NOALIAS);
  const char *names[64];
  struct poptOption common[5];
  size_t count = 0;
  fill_table(c, common);
  for (const struct poptOption *o = c->options; o && o->longName; o++) names[count++] = o->longName;
  for (const struct poptOption *o = common; o->longName; o++) names[count++] = o->longName;
  if (code == POPT_ERROR_BADNUMBER || code == POPT_ERROR_OVERFLOW) usage_error("%s: \"%s\" is not a number", c->name, given);
  else usage_error("%s: option %s: %s", c->name, given, poptStrerror(code));
  if (code == POPT_ERROR_BADOPT) print_suggestion(given + strspn(given, "-"), names, count);
  fprintf(stderr, "  see:   moho %s --help\n", c->name);
  return EXIT_USAGE;
}

static void free_strings(const struct poptOption *table) {
  for (; table && table->longName; table++)
    if ((table->argInfo & POPT_ARG_MASK) == POPT_ARG_STRING && table->arg) {
      free(*(char **)table->arg);
      *(char **)table->arg = NULL;
    }
}

static size_t count_arguments(const char **arguments) {
  size_t count = 0;
  while (arguments && arguments[count]) count++;
  return count;
}

static int run_parsed(const command *c, poptContext context) {
  int code;
  while ((code = poptGetNextOpt(context)) > 0) {}
  if (code < -1) return option_error(c, context, code);
  if (wants_help) {
    command_print_help(c, stdout);
    return EXIT_GOOD;
  }
  if (progress_choose(progress_mode)) return EXIT_USAGE;
  const char **arguments = poptGetArgs(context);
  command_line line = {
      .command = c, .json = wants_json, .output = output_path, .arguments = arguments, .n_arguments = count_arguments(arguments)};
  if (c->is_long) progress_catch_signals();
  code = c->run(&line);
  progress_end();
  if (code == EXIT_USAGE) fprintf(stderr, "  see:   moho %s --help\n", c->name);
  return code;
}

int command_run(const command *c, int argc, const char **argv) {
  struct poptOption common[5], table[3];
  static const struct poptOption nothing[] = {POPT_TABLEEND};
  fill_table(c, common);
  table[0] = (struct poptOption){NULL, '\0', POPT_ARG_INCLUDE_TABLE, (void *)(c->options ? c->options : nothing), 0, NULL, NULL};
  table[1] = (struct poptOption){NULL, '\0', POPT_ARG_INCLUDE_TABLE, common, 0, NULL, NULL};
  table[2] = (struct poptOption)POPT_TABLEEND;
  poptContext context = poptGetContext("moho", argc, argv, table, 0);
  if (!context) {
    fprintf(stderr, "moho: out of memory\n");
    return EXIT_FAILED;
  }
  int code = run_parsed(c, context);
  poptFreeContext(context);
  free_strings(c->options);
  free_strings(common);
  return code;
}

int split_assignment(const char *text, char key[160], const char **value) {
  const char *equals = strchr(text, '=');
  if (!equals || equals == text || equals - text > 159) return 0;
  snprintf(key, 160, "%.*s", (int)(equals - text), text);
  *value = equals + 1;
  return 1;
}

const char *next_item(const char *list, char item[64]) {
  if (!list || !*list) return NULL;
  size_t length = strcspn(list, ",");
  snprintf(item, 64, "%.*s", (int)length, list);
  return list[length] ? list + length + 1 : list + length;
}

int choose_word(const char *option, const char *given, const char *words) {
  char each[16][32];
  const char *names[16];
  size_t count = 0;
  for (const char *word = words; *word && count < 16; count++) {
    size_t length = strcspn(word, "|");
    snprintf(each[count], sizeof each[count], "%.*s", (int)length, word);
    names[count] = each[count];
    if (strcmp(given, names[count]) == 0) return (int)count;
    word += length + (word[length] == '|');
  }
  usage_error("--%s is \"%s\", expected one of %s", option, given, words);
  print_suggestion(given, names, count);
  return -1;
}
