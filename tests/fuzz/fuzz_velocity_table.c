/* fuzz_velocity_table.c - any bytes as a velocity table: read or refused, and what is read is evaluated within its range.
 *
 * The first byte chooses the kind of velocity, the format, and whether there is a grid (straight or crooked).
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "survey/velocity_tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static moho_velocity_options options_of(uint8_t choice, moho_grid *grid) {
  static const char *const formats[] = {NULL, "opendtect", "su", "cdp_time_velocity"};
  static double line_x[] = {0, 100, 100, 300}, line_y[] = {0, 0, 50, 50};
  moho_velocity_options options = moho_velocity_options_default();
  options.kind = (moho_velocity_kind)(choice % 3);
  options.format = formats[(choice >> 2) & 3];
  if (choice & 0x80) options.columns = "x,y,time_ms,velocity", options.format = NULL;
  if (choice & 0x10) options.grid = grid;
  if (choice & 0x20) grid->n_crossline = 4, grid->line_x_m = line_x, grid->line_y_m = line_y;
  if (choice & 0x40) grid->n_inline = 3, grid->n_crossline = 4, grid->line_x_m = grid->line_y_m = NULL;
  return options;
}

static void evaluate(const moho_velocity *velocity) {
  static const double place[] = {0, 1, 100, -1e6, 12345.5};
  double v[64];
  for (size_t i = 0; i < 5; i++)
    for (size_t j = 0; j < 5; j++) {
      if (moho_velocity_rms(velocity, place[i], place[j], 0, 0.05, 64, v)) abort(); /* what was accepted is in range everywhere */
      for (size_t k = 0; k < 64; k++)
        if (!(v[k] > 499.9 && v[k] < 9000.1)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 20000) return 0;
  char *text = malloc(size);
  if (!text) return 0;
  memcpy(text, data + 1, size - 1);
  text[size - 1] = '\0';
  moho_grid grid = moho_grid_default();
  moho_velocity_options options = options_of(data[0], &grid);
  moho_velocity *velocity = NULL;
  if (moho_velocity_table_from_text(text, size - 1, "fuzz.txt", &options, &velocity) == MOHO_OK) evaluate(velocity);
  moho_velocity_destroy(&velocity);
  free(text);
  return 0;
}
