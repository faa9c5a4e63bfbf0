/* man_page.h - docs/man/moho.1, made from what --help says. */
#ifndef MOHO_CLI_MAN_PAGE_H
#define MOHO_CLI_MAN_PAGE_H

#include <stdio.h>

void print_man_page(FILE *out);

#endif
