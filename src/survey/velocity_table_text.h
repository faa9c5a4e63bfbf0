/* velocity_table_text.h - picks of velocity functions from text, in the formats that people have.
 *
 *   opendtect          a line (or comment) names the columns: "CDP-X CDP-Y Time(ms) Vrms Vint"; else x y time velocity
 *   su                 sunmo parameters: cdp=100,200 tnmo=0,1.5 vnmo=1500,2200 tnmo=... vnmo=...
 *   cdp_time_velocity  three numbers a line, time in s
 *   columns            as declared: "x,y,time_ms,velocity,skip"
 * Blanks, tabs, commas or semicolons part the numbers; # and ! begin comments; blank lines are nothing.
 */
#ifndef MOHO_SURVEY_VELOCITY_TABLE_TEXT_H
#define MOHO_SURVEY_VELOCITY_TABLE_TEXT_H

#include "moho/velocity.h"

typedef enum { MOHO_PICK_ANYWHERE, MOHO_PICK_XY, MOHO_PICK_INLINE_CROSSLINE, MOHO_PICK_CDP } moho_pick_position;

typedef struct moho_pick {
  double a, b; /* x, y or inline, crossline or cdp, 0 */
  double time_s, v_mps;
  int line;
} moho_pick;

typedef struct moho_picks {
  moho_pick_position position;
  size_t n;
  moho_pick *pick; /* in the order of the file */
  char format[24];
} moho_picks;

/* name: of the file, for errors, which have line and column. text needs a NUL after its end. */
moho_status moho_picks_parse(const char *text, size_t length, const char *name, const moho_velocity_options *options,
                             moho_picks *out);
void moho_picks_release(moho_picks *picks);

#endif
