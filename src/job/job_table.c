/* job_table.c - the table of job keys, finding a key in it, and the texts made from it. */
#include "job/job_table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "job/job.h"
#include "moho/job.h"

const moho_job_key moho_job_keys[MOHO_JOB_KEY_COUNT] = {
#define MOHO_JOB_ROW(id, path, type, unit, fallback, words, later, min, max, help) \
  {path, MOHO_JOB_##type, unit, fallback, words, later, min, max, help},
    MOHO_JOB_KEYS(MOHO_JOB_ROW)
#undef MOHO_JOB_ROW
};

int moho_job_find(const char *path) {
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++)
    if (strcmp(moho_job_keys[id].path, path) == 0) return id;
  return -1;
}

const char *moho_job_last_name(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot ? dot + 1 : path;
}

int moho_job_is_child(const char *parent, const char *path) {
  size_t length = strlen(parent);
  const char *rest = path;
  if (length) {
    if (strncmp(path, parent, length) != 0 || path[length] != '.') return 0;
    rest = path + length + 1;
  }
  return strchr(rest, '.') == NULL;
}

const char *moho_job_nearest_key(const char *parent, const char *name) {
  const char *names[MOHO_JOB_KEY_COUNT], *paths[MOHO_JOB_KEY_COUNT];
  size_t count = 0;
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++)
    if (moho_job_is_child(parent, moho_job_keys[id].path)) {
      paths[count] = moho_job_keys[id].path;
      names[count++] = moho_job_last_name(moho_job_keys[id].path);
    }
  const char *sibling = moho_nearest_name(name, names, count);
  for (size_t i = 0; sibling && i < count; i++)
    if (names[i] == sibling) return paths[i];
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) names[id] = moho_job_last_name(moho_job_keys[id].path);
  const char *elsewhere = moho_nearest_name(name, names, MOHO_JOB_KEY_COUNT);
  for (int id = 0; elsewhere && id < MOHO_JOB_KEY_COUNT; id++)
    if (names[id] == elsewhere) return moho_job_keys[id].path;
  return NULL;
}

/* ---- "a|b|c" ---- */

/* The next word of a list into buffer; returns where the rest begins, NULL past the last. */
static const char *next_word(const char *words, char buffer[64]) {
  if (!words || !*words) return NULL;
  size_t length = strcspn(words, "|");
  snprintf(buffer, 64, "%.*s", (int)length, words);
  return words[length] ? words + length + 1 : words + length;
}

int moho_words_have(const char *words, const char *word) {
  char each[64];
  while ((words = next_word(words, each)))
    if (strcmp(each, word) == 0) return 1;
  return 0;
}

const char *moho_words_nearest(const char *words, const char *given, char buffer[64]) {
  char each[16][64];
  const char *names[16];
  size_t count = 0;
  while (count < 16 && (words = next_word(words, each[count]))) names[count] = each[count], count++;
  const char *nearest = moho_nearest_name(given, names, count);
  if (!nearest) return NULL;
  snprintf(buffer, 64, "%s", nearest);
  return buffer;
}

const char *moho_words_text(const char *words, char buffer[200]) {
  char each[64];
  size_t used = 0;
  buffer[0] = '\0';
  while ((words = next_word(words, each)) && used < 190) {
    const char *join = used == 0 ? "" : *words ? ", " : " or ";
    used += (size_t)snprintf(buffer + used, 200 - used, "%s%s", join, each);
  }
  return buffer;
}

/* ---- texts ---- */

static const char *type_name(moho_job_type type) {
  switch (type) {
  case MOHO_JOB_SECTION: return "a map";
  case MOHO_JOB_NUMBER: return "a number";
  case MOHO_JOB_WHOLE: return "a whole number";
  case MOHO_JOB_WORD: return "";
  case MOHO_JOB_WORDS: return "a list of ";
  case MOHO_JOB_FLAG: return "true or false";
  case MOHO_JOB_PATH: return "a path";
  case MOHO_JOB_TEXT: return "text";
  case MOHO_JOB_POINT: return "a point [x, y]";
  case MOHO_JOB_POINTS: return "a list of points [[x, y], ...]";
  case MOHO_JOB_RANGE: return "a range [least, most]";
  case MOHO_JOB_RANGES: return "a list of ranges [[from, to], ...]";
  case MOHO_JOB_NUMBERS: return "a list of numbers";
  case MOHO_JOB_HEADERS: return "a map of header names";
  case MOHO_JOB_LATER: return "not yet available";
  }
  return "";
}

const char *moho_job_type_text(const moho_job_key *key, char buffer[300]) {
  char words[200];
  moho_words_text(key->words, words);
  if (key->type == MOHO_JOB_WORD || key->type == MOHO_JOB_WORDS) snprintf(buffer, 300, "%s%s", type_name(key->type), words);
  else
    snprintf(buffer, 300, "%s%s%s%s%s", type_name(key->type), key->unit[0] && key->type != MOHO_JOB_LATER ? " in " : "",
             key->type != MOHO_JOB_LATER ? key->unit : "", words[0] ? ", or " : "", words);
  return buffer;
}

/* The whole help is a constant of the program: written once, on first use. */
static char *help_text, *markdown_text;
static pthread_once_t texts_once = PTHREAD_ONCE_INIT;

static void write_help(FILE *out) {
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) {
    const moho_job_key *key = &moho_job_keys[id];
    char type[300];
    if (key->type == MOHO_JOB_SECTION && !strchr(key->path, '.')) fprintf(out, "%s\n", id ? "" : "Keys of the job file:\n");
    fprintf(out, "  %-34s %s\n", key->path, moho_job_type_text(key, type));
    fprintf(out, "  %-34s   %s%s%s%s\n", "", key->help, key->fallback ? " [default " : "", key->fallback ? key->fallback : "",
            key->fallback ? "]" : "");
  }
}

/* A table cell: the bars of "a|b" would end it. */
static void write_cell(FILE *out, const char *text) {
  for (; *text; text++) {
    if (*text == '|') fputc('\\', out);
    fputc(*text, out);
  }
}

static void write_markdown_row(FILE *out, const moho_job_key *key) {
  char type[300], words[200];
  fprintf(out, "| `%s` | ", key->path);
  write_cell(out, moho_job_type_text(key, type));
  if (moho_job_has_limits(key->type)) fprintf(out, ", %g to %g", key->min, key->max);
  fprintf(out, " | %s%s%s | ", key->fallback ? "`" : "", key->fallback ? key->fallback : "", key->fallback ? "`" : "");
  write_cell(out, key->help);
  if (key->type == MOHO_JOB_LATER) fprintf(out, " (not yet available; comes with %s)", key->later);
  else if (key->later[0]) fprintf(out, " (not yet available: %s)", moho_words_text(key->later, words));
  fprintf(out, " |\n");
}

static void write_markdown(FILE *out) {
  fputs(
      "# The job file\n\n"
      "A job is YAML 1.1: maps of the keys below, most of which may be left out. Made from the table in `src/job/job_table.h`\n"
      "by `moho help --job-markdown`.\n\n"
      "- Numbers are plain, in the unit that the key names: `max_m: 3000`. \"3 km\" and \"3,000\" are errors.\n"
      "- Unknown keys, wrong types, values out of range and impossible combinations are errors that name line, column and key.\n"
      "- Relative paths are relative to the job file; those given on the command line, to the working directory.\n"
      "- On the command line any key can be overridden by its path: `moho migrate job.yaml migration.aperture.max_m=3000`.\n"
      "- `moho explain job.yaml` prints every value, and whether it was given or is the default.\n\n"
      "```yaml\n"
      "input:     {traces: line.sgy}\n"
      "velocity:  {type: rms, linear_t0: {v0_mps: 1800, slope_mps_per_s: 600}}\n"
      "grid:      auto\n"
      "migration: {aperture: {max_m: 3000, max_dip_deg: 60}}\n"
      "output:    {directory: out}\n"
      "```\n\n"
      "The grid by corners (the first choice where they are known),\n\n"
      "```yaml\n"
      "grid: {corners: [[0, 0], [0, 1000], [1000, 1000]], inline: {spacing_m: 25, first: 1}, crossline: {spacing_m: 25}}\n"
      "```\n\nby origin and azimuth,\n\n```yaml\n"
      "grid: {origin_m: [0, 0], inline_azimuth_deg: 30, inline: {first: 1, n: 80, spacing_m: 25},\n"
      "       crossline: {first: 1, n: 120, spacing_m: 12.5}, time: {first_s: 0, step_s: 0.002, n: 1001}}\n"
      "```\n\nor from the traces, with its time axis changed:\n\n```yaml\n"
      "grid: {time: {step_s: 0.004}}\n"
      "```\n\n"
      "| key | value | default | meaning |\n|---|---|---|---|\n",
      out);
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) write_markdown_row(out, &moho_job_keys[id]);
  fputs(
      "\n## What is written\n\n"
      "Into `output.directory`, under temporary names that are renamed at the very end, `report.json` last:\n\n"
      "| file | content |\n|---|---|\n"
      "| `image.zarr` | Zarr v2: `stack` and `fold` [inline, crossline, time], `gathers` and `gathers_fold` [inline, "
      "crossline, offset, "
      "time], coordinates, the job in its attributes |\n"
      "| `stack.sgy` | SEG-Y rev 1, IEEE float, inline/crossline in bytes 189/193, cdp_x/cdp_y in 181/185 |\n"
      "| `gathers.sgy` | image gathers by inline, crossline and bin; the middle of the bin in bytes 37-40 (docs/gathers.md) |\n"
      "| `stack.png`, `fold.png` | the middle section of the stack; the fold map (of a line: its fold section) |\n"
      "| `gathers.png` | a few gathers side by side |\n"
      "| `report.html` | the same for people, with pictures, warnings and a verdict, in one file (docs/quality.md) |\n"
      "| `report.json` | effective job, versions, input hash, odd headers, counts of traces, contributions, seconds, memory |\n",
      out);
}

static char *text_of(void (*write)(FILE *)) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  write(out);
  fclose(out);
  return text;
}

static void make_texts(void) {
  help_text = text_of(write_help);
  markdown_text = text_of(write_markdown);
}

MOHO_API const char *moho_job_keys_help(void) {
  pthread_once(&texts_once, make_texts);
  return help_text ? help_text : "";
}

MOHO_API const char *moho_job_keys_markdown(void) {
  pthread_once(&texts_once, make_texts);
  return markdown_text ? markdown_text : "";
}
