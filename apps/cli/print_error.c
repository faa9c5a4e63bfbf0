/* print_error.c - errors on stderr: what happened, where, and how to mend it. */
#include <stdarg.h>
#include <string.h>

#include "command.h"

int print_error(void) {
  moho_error error = *moho_last_error();
  progress_end();
  fprintf(stderr, "moho: %s\n", error.message[0] ? error.message : moho_status_text(error.code));
  char where[800];
  int used = 0;
  where[0] = '\0';
  if (error.file[0] && !strstr(error.message, error.file))
    used += snprintf(where + used, sizeof where - (size_t)used, ", %s", error.file);
  if (error.line > 0) used += snprintf(where + used, sizeof where - (size_t)used, ", line %d", error.line);
  if (error.line > 0 && error.column > 0)
    used += snprintf(where + used, sizeof where - (size_t)used, ", column %d", error.column);
  if (error.trace > 0) used += snprintf(where + used, sizeof where - (size_t)used, ", trace %lld", (long long)error.trace);
  if (error.byte >= 0) used += snprintf(where + used, sizeof where - (size_t)used, ", byte %lld", (long long)error.byte);
  if (error.key[0]) used += snprintf(where + used, sizeof where - (size_t)used, ", key %s", error.key);
  if (used > 2) fprintf(stderr, "  where: %s\n", where + 2);
  if (error.hint[0]) fprintf(stderr, "  hint:  %s\n", error.hint);
  return error.code == MOHO_ERROR_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

int usage_error(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "moho: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  return EXIT_USAGE;
}

void print_suggestion(const char *given, const char *const *names, size_t count) {
  const char *near = moho_nearest_name(given, names, count);
  if (near) fprintf(stderr, "  hint:  did you mean \"%s\"?\n", near);
}
