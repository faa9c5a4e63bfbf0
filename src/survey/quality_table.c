/* quality_table.c - the maps of a survey as a table, for other programs: a line for every filled bin. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "survey/quality_draw.h"

static int line_of_bin(const moho_survey_quality *q, size_t i, size_t j, char line[240]) {
  const moho_grid *g = &q->grid;
  size_t bin = i * g->n_crossline + j;
  double x, y;
  moho_grid_node(g, i, j, &x, &y);
  int length = snprintf(line, 240, "%d,%d,%.3f,%.3f,%u", (int)g->inline_first + (int)i * (int)g->inline_step,
                        (int)g->crossline_first + (int)j * (int)g->crossline_step, x, y, q->fold[bin]);
  if (!q->chart) {
    length += snprintf(line + length, (size_t)(240 - length), ",%.3f,%.3f", (double)q->offset_least_m[bin],
                       (double)q->offset_most_m[bin]);
    if (isnan(q->azimuth_deg[bin])) length += snprintf(line + length, (size_t)(240 - length), ",");
    else length += snprintf(line + length, (size_t)(240 - length), ",%.2f", (double)q->azimuth_deg[bin]);
  }
  line[length++] = '\n';
  return length;
}

moho_status moho_quality_write_table(const moho_survey_quality *q, const char *path) {
  static const char head[] = "inline,crossline,x_m,y_m,fold", more[] = ",offset_least_m,offset_most_m,azimuth_deg";
  moho_file_writer *file;
  char line[240];
  MOHO_TRY(moho_file_writer_open(path, &file));
  moho_status status = moho_file_writer_write(file, head, sizeof head - 1);
  if (!status && !q->chart) status = moho_file_writer_write(file, more, sizeof more - 1);
  if (!status) status = moho_file_writer_write(file, "\n", 1);
  for (size_t i = 0; i < q->grid.n_inline; i++)
    for (size_t j = 0; j < q->grid.n_crossline && !status; j++)
      if (q->fold[i * q->grid.n_crossline + j]) status = moho_file_writer_write(file, line, (size_t)line_of_bin(q, i, j, line));
  if (!status) return moho_file_writer_commit(&file);
  moho_file_writer_discard(&file);
  return status;
}
