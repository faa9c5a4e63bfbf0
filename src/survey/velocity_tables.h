/* velocity_tables.h - a table of velocity functions from text in memory, and what tables and cubes share. */
#ifndef MOHO_SURVEY_VELOCITY_TABLES_H
#define MOHO_SURVEY_VELOCITY_TABLES_H

#include "moho/velocity.h"

/* text needs a NUL after its end; name is used in errors. options NULL: the default. */
moho_status moho_velocity_table_from_text(const char *text, size_t length, const char *name, const moho_velocity_options *options,
                                          moho_velocity **out);

moho_status moho_velocity_check_options(const moho_velocity_options *options);

#endif
