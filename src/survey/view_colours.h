/* view_colours.h - colour scales of 256 steps. */
#ifndef MOHO_SURVEY_VIEW_COLOURS_H
#define MOHO_SURVEY_VIEW_COLOURS_H

#include "moho/view.h"
#include "survey/view_canvas.h"

/* Grey: white (low) to black (high), as peaks are drawn black. Red-blue: blue, white, red. Sequential: dark blue to yellow,
 * even in lightness. */
void moho_colours_fill(moho_view_colours colours, moho_colour table[256]);

#endif
