/* loop_tables.c - column tables as the native loops read them. */
#include "migrate/loop_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int has_a(moho_traveltime kind) {
  return kind == MOHO_TRAVELTIME_CURVED_RMS || kind == MOHO_TRAVELTIME_VTI || kind == MOHO_TRAVELTIME_VTI_RATIONAL;
}

static size_t nodes_of(const moho_travel_law *law) {
  return law->leg_times ? law->leg_times->n_nodes : 0;
}

size_t moho_loop_tables_bytes(const moho_travel_law *law, size_t columns) {
  size_t terms = nodes_of(law) ? nodes_of(law) : 2 + (size_t)has_a(law->kind) + (law->kind == MOHO_TRAVELTIME_VTI);
  return columns * (1 + terms) * moho_time_axis_table(law->n) * sizeof(float) + nodes_of(law) * sizeof(float);
}

moho_status moho_loop_tables_create(const moho_travel_law *law, size_t columns, moho_loop_tables *out) {
  *out = (moho_loop_tables){.columns = columns};
  size_t nodes = nodes_of(law), table = columns * moho_time_axis_table(law->n);
  struct {
    void *array;
    size_t count;
  } arrays[] = {{&out->base, nodes ? 0 : table},
                {&out->s2, nodes ? 0 : table},
                {&out->a, has_a(law->kind) ? table : 0},
                {&out->b, law->kind == MOHO_TRAVELTIME_VTI ? table : 0},
                {&out->inverse_radius, table},
                {&out->rows, nodes * table},
                {&out->node_d2, nodes}};
  moho_status status = MOHO_OK;
  for (size_t i = 0; !status && i < sizeof arrays / sizeof *arrays; i++)
    if (arrays[i].count) status = moho_allocate(arrays[i].count, sizeof(float), "the loops' tables", arrays[i].array);
  for (size_t node = 0; !status && node < nodes; node++) out->node_d2[node] = (float)law->leg_times->node_d2[node];
  if (status) moho_loop_tables_release(out);
  return status;
}

void moho_loop_tables_release(moho_loop_tables *tables) {
  free(tables->base), free(tables->s2), free(tables->a), free(tables->b), free(tables->inverse_radius);
  free(tables->rows), free(tables->node_d2);
  *tables = (moho_loop_tables){0};
}

/* Past the last sample, where the loops may look, it goes on. */
void moho_loop_tables_fill(moho_loop_tables *tables, const moho_travel_law *law, size_t column, const moho_column_table *from) {
  size_t length = moho_time_axis_table(law->n), at = column * length, nodes = nodes_of(law);
  for (size_t k = 0; k < length; k++) {
    size_t i = k < law->n ? k : law->n - 1;
    const moho_leg_terms *m = &from->legs.terms[i];
    if (tables->base) tables->base[at + k] = (float)m->base, tables->s2[at + k] = (float)m->s2;
    if (tables->a) tables->a[at + k] = (float)m->a;
    if (tables->b) tables->b[at + k] = (float)m->b;
    /* Where A is 0 only d = 0 is inside; its taper argument must be 0: 0 * inverse = 0 < 1 - f. */
    tables->inverse_radius[at + k] = from->largest[i] > 0 ? (float)(1 / from->largest[i]) : 0.0f;
  }
  if (nodes) memcpy(tables->rows + column * nodes * length, from->legs.rows, nodes * length * sizeof(float));
}

/* Loops take all buffers as void *; they do not write these. */
void moho_loop_tables_bind(const moho_loop_tables *tables, void *buffers[MOHO_BUFFER_COUNT]) {
  buffers[MOHO_BUFFER_BASE] = tables->base;
  buffers[MOHO_BUFFER_S2] = tables->s2;
  buffers[MOHO_BUFFER_A] = tables->a;
  buffers[MOHO_BUFFER_B] = tables->b;
  buffers[MOHO_BUFFER_LEG_ROWS] = tables->rows;
  buffers[MOHO_BUFFER_LEG_NODES] = tables->node_d2;
  buffers[MOHO_BUFFER_INVERSE_RADIUS] = tables->inverse_radius;
}
