/* loop_tables.h - column tables as the native loops read them: floats, one column after the other (migrate_kernel.h). */
#ifndef MOHO_MIGRATE_LOOP_TABLES_H
#define MOHO_MIGRATE_LOOP_TABLES_H

#include "migrate/column_table.h"
#include "migrate/migrate_kernel.h"

typedef struct moho_loop_tables {
  size_t columns;
  float *base, *s2, *a, *b; /* [columns, table] terms of the law; NULL where it has none */
  float *inverse_radius;    /* [columns, table] */
  float *rows;              /* [columns, nodes, table] of leg times, or NULL */
  float *node_d2;           /* [nodes] */
} moho_loop_tables;

moho_status moho_loop_tables_create(const moho_travel_law *law, size_t columns, moho_loop_tables *out);
void moho_loop_tables_release(moho_loop_tables *tables);
size_t moho_loop_tables_bytes(const moho_travel_law *law, size_t columns);

/* From a filled column table. */
void moho_loop_tables_fill(moho_loop_tables *tables, const moho_travel_law *law, size_t column, const moho_column_table *from);

/* Into the loops' buffers. */
void moho_loop_tables_bind(const moho_loop_tables *tables, void *buffers[MOHO_BUFFER_COUNT]);

#endif
