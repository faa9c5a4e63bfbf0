/* bench_report.c - the cases of a bench as a table for people: Markdown or HTML. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_case.h"
#include "command.h"

enum { CELLS = 11 };

static const char *const titles[CELLS] = {
    "dataset",  "kernel",     "options",      "contributions", "kernel s (least .. most)",
    "T/s",      "transfer s", "allocation s", "wall s",        "times baseline: kernel, wall",
    "reference"};

static double number(const json_t *root, const char *first, const char *second) {
  const json_t *value = json_object_get(root, first);
  return json_number_value(second ? json_object_get(value, second) : value);
}

static const char *word(const json_t *root, const char *first, const char *second) {
  const json_t *value = json_object_get(root, first);
  const char *text = json_string_value(second ? json_object_get(value, second) : value);
  return text ? text : "";
}

static void fill_options(const json_t *c, char cell[160]) {
  const char *storage = word(c, "options", "storage"), *constants = word(c, "options", "constants");
  snprintf(cell, 160, "%s, weight %s, antialias %s%s%s%s%.60s", word(c, "options", "interpolation"), word(c, "options", "weight"),
           word(c, "options", "antialias"), storage[0] ? ", storage " : "", storage, constants[0] ? ", " : "", constants);
}

static void fill_check(const json_t *c, char cell[160]) {
  const json_t *check = json_object_get(c, "check");
  if (!json_is_object(check)) {
    snprintf(cell, 160, "not compared");
    return;
  }
  snprintf(cell, 160, "%s%.1e <= %.1e, fold %s, %.0f columns",
           json_is_true(json_object_get(check, "passed")) ? "" : "FAILED: ", number(check, "relative_l2", NULL),
           number(check, "tolerance", NULL), number(check, "fold_differs", NULL) > 0 ? "differs" : "identical",
           number(check, "columns", NULL));
}

static void fill_cells(const json_t *c, char cells[CELLS][160]) {
  const char *kernel = word(c, "kernel", NULL), *used = word(c, "kernel_used", NULL);
  const json_t *speedup = json_object_get(c, "speedup_over_baseline");
  snprintf(cells[0], 160, "%s", word(c, "dataset", NULL));
  snprintf(cells[1], 160, strcmp(kernel, used) == 0 ? "%s" : "%s: %s", kernel, used);
  fill_options(c, cells[2]);
  snprintf(cells[3], 160, "%.4g", number(c, "contributions", NULL));
  snprintf(cells[4], 160, "%.4g (%.4g .. %.4g)", number(c, "seconds", "median"), number(c, "seconds", "min"),
           number(c, "seconds", "max"));
  snprintf(cells[5], 160, "%.3g", number(c, "contributions_per_s", NULL) / 1e12);
  snprintf(cells[6], 160, "%.3g", number(c, "transfer_seconds", NULL));
  snprintf(cells[7], 160, "%.3g", number(c, "allocation_seconds", NULL));
  snprintf(cells[8], 160, "%.4g", number(c, "wall_seconds", NULL));
  if (speedup) snprintf(cells[9], 160, "%.2f, %.2f", number(speedup, "kernel", NULL), number(speedup, "wall", NULL));
  else snprintf(cells[9], 160, "-");
  fill_check(c, cells[10]);
}

/* ---- Markdown, HTML ---- */

static void print_escaped(FILE *out, const char *text) {
  for (; *text; text++) {
    if (*text == '&') fputs("&amp;", out);
    else if (*text == '<') fputs("&lt;", out);
    else if (*text == '>') fputs("&gt;", out);
    else fputc(*text, out);
  }
}

static void print_row(FILE *out, int is_html, const char *tag, const char *const cells[CELLS]) {
  if (is_html) fprintf(out, "<tr>");
  for (int i = 0; i < CELLS; i++) {
    if (is_html) {
      fprintf(out, "<%s>", tag);
      print_escaped(out, cells[i]);
      fprintf(out, "</%s>", tag);
    } else {
      fprintf(out, "| %s ", cells[i]);
    }
  }
  fprintf(out, is_html ? "</tr>\n" : "|\n");
}

static void print_head(FILE *out, int is_html, const json_t *first) {
  char line[600];
  snprintf(line, sizeof line, "%s %s %s, %s; Moho %s, %s; %.0f runs a case, medians", word(first, "device", "uri"),
           word(first, "device", "name"), word(first, "device", "simd"), word(first, "device", "driver"),
           word(first, "version", NULL), word(first, "compiler", NULL), number(first, "runs", NULL));
  if (!is_html) {
    fprintf(out, "%s\n\n", line);
    return;
  }
  fprintf(out, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>moho bench migrate</title>\n<style>body{font:14px sans-serif}"
               "table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 8px;text-align:left}</style>\n<p>");
  print_escaped(out, line);
  fprintf(out, "</p>\n<table>\n");
}

static void print_report(FILE *out, int is_html, const json_t *cases) {
  size_t index;
  json_t *each;
  print_head(out, is_html, json_array_get(cases, 0));
  print_row(out, is_html, "th", titles);
  if (!is_html) fprintf(out, "|---|---|---|---|---|---|---|---|---|---|---|\n");
  json_array_foreach(cases, index, each) {
    char cells[CELLS][160];
    const char *row[CELLS];
    fill_cells(each, cells);
    for (int i = 0; i < CELLS; i++) row[i] = cells[i];
    print_row(out, is_html, "td", row);
  }
  if (is_html) fprintf(out, "</table>\n");
}

int bench_write_report(const char *path, const json_t *cases) {
  char *text = NULL;
  size_t size, length = strlen(path);
  FILE *out = json_array_size(cases) ? open_memstream(&text, &size) : NULL;
  if (!out) return EXIT_GOOD;
  print_report(out, length > 5 && strcmp(path + length - 5, ".html") == 0, cases);
  int code = fclose(out) || moho_write_text(path, text) ? print_error() : EXIT_GOOD;
  free(text);
  return code;
}
