/* man_page.c - the manual page, from the same texts as --help and docs/job.md: it cannot fall behind them. */
#include "man_page.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"

/* roff: backslashes and hyphens are escaped, lines must not begin with a dot or quote. */
static void print_roff(FILE *out, const char *text) {
  int begins = 1;
  for (; *text; text++) {
    if (begins && (*text == '.' || *text == '\'')) fputs("\\&", out);
    if (*text == '\\') fputs("\\e", out);
    else if (*text == '-') fputs("\\-", out);
    else fputc(*text, out);
    begins = *text == '\n';
  }
}

static void print_verbatim(FILE *out, const char *text) {
  fputs(".nf\n", out);
  print_roff(out, text);
  if (*text && text[strlen(text) - 1] != '\n') fputc('\n', out);
  fputs(".fi\n", out);
}

static void print_command(FILE *out, const command *c) {
  char *text = NULL;
  size_t size = 0;
  FILE *help = open_memstream(&text, &size);
  if (!help) return;
  command_print_help(c, help);
  fclose(help);
  fprintf(out, ".SS moho %s\n", c->name);
  if (text) print_verbatim(out, text);
  free(text);
}

void print_man_page(FILE *out) {
  fprintf(out, ".\\\" Made by `moho help --man`; do not edit.\n.TH MOHO 1 \"\" \"Moho %s\" \"User Commands\"\n", moho_version());
  fputs(".SH NAME\nmoho \\- Kirchhoff prestack time migration: SEG\\-Y in, a migrated image out\n.SH SYNOPSIS\n", out);
  for (size_t i = 0; i < n_commands; i++) {
    fputs(".B moho\n", out);
    print_roff(out, all_commands[i]->synopsis);
    fputs("\n.br\n", out);
  }
  fputs(".SH DESCRIPTION\nMoho migrates prestack seismic traces in time, by Kirchhoff summation, as a job file says.\n", out);
  fputs(".SH COMMANDS\n", out);
  for (size_t i = 0; i < n_commands; i++) print_command(out, all_commands[i]);
  fputs(".SH JOB FILE\n", out);
  print_verbatim(out, moho_job_keys_help());
  fputs(".SH ENVIRONMENT\n.TP\n.B MOHO_DEVICE\nthe device that \"auto\" stands for, as cpu?threads=4\n"
        ".SH EXIT STATUS\n0 good, 1 failed, 2 wrong usage, 75 interrupted.\n"
        ".SH SEE ALSO\ndocs/job.md, docs/physics.md\n",
        out);
}
