/* output_text.c - words and figures for stdout or for the file of --output, and numbers for people. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

int output_begin(output_text *output) {
  *output = (output_text){0};
  output->out = open_memstream(&output->text, &output->size);
  if (output->out) return EXIT_GOOD;
  fprintf(stderr, "moho: out of memory\n");
  return EXIT_FAILED;
}

int output_give(const char *text, const command_line *line) {
  if (line->output) return moho_write_text(line->output, text) ? print_error() : EXIT_GOOD;
  if (fputs(text, stdout) >= 0 && fflush(stdout) == 0) return EXIT_GOOD;
  fprintf(stderr, "moho: writing to standard output failed: %s\n", strerror(errno));
  return EXIT_FAILED;
}

int output_finish(output_text *output, const command_line *line) {
  int failed = fclose(output->out) != 0 || !output->text;
  if (failed) fprintf(stderr, "moho: out of memory\n");
  int code = failed ? EXIT_FAILED : output_give(output->text, line);
  free(output->text);
  *output = (output_text){0};
  return code;
}

const char *bytes_text(double bytes, char text[32]) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit < 4) bytes /= 1024, unit++;
  snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return text;
}

const char *count_text(double count, char text[32]) {
  if (count >= 1e12) snprintf(text, 32, "%.3g T", count / 1e12);
  else if (count >= 1e9) snprintf(text, 32, "%.3g G", count / 1e9);
  else if (count >= 1e6) snprintf(text, 32, "%.3g M", count / 1e6);
  else snprintf(text, 32, "%.0f", count);
  return text;
}

const char *seconds_text(double seconds, char text[32]) {
  if (seconds < 100) snprintf(text, 32, "%.3g s", seconds);
  else if (seconds < 6000) snprintf(text, 32, "%d:%02d min", (int)seconds / 60, (int)seconds % 60);
  else snprintf(text, 32, "%d:%02d h", (int)(seconds / 3600), (int)fmod(seconds, 3600) / 60);
  return text;
}
