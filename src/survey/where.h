/* where.h - conditions on trace headers: parsed into a checked tree, evaluated over blocks of traces.
 *
 *   offset > 200 and cdp % 2 == 0          fldr in [100..250, 300] or not (trid == 2)          200 < offset_m <= 3000
 *
 *   or and not (also || && !) · == != < <= > >= (chains: a < b <= c) · in, not in a list of numbers and ranges lo..hi (both ends
 *   belong to it) · + - * / % and sign · abs(x) · parentheses · numbers · names of trace headers. Letters of either case.
 * Whole numbers are 64 bits and exact; / and fractions are double; % has the sign of its right side. A name is a number, a
 * comparison a condition, and neither stands for the other.
 * The tree is bounded (4096 nodes, 64 levels) and its types are known before a trace is looked at.
 */
#ifndef MOHO_SURVEY_WHERE_H
#define MOHO_SURVEY_WHERE_H

#include "base/fail.h"

typedef struct moho_where moho_where;

enum { MOHO_WHERE_BLOCK = 1024, MOHO_WHERE_NAMES = 32 };

/* Names that a condition may use; `find` gives the name as it is written canonically, NULL when it is unknown. */
typedef struct moho_where_vocabulary {
  const char *(*find)(const char *name);
  size_t (*list)(const char **names, size_t capacity); /* for "did you mean" */
} moho_where_vocabulary;

/* MOHO_ERROR_FORMAT with the column and what was expected there; MOHO_ERROR_KEY for an unknown name, with the nearest. */
moho_status moho_where_parse(const char *text, const moho_where_vocabulary *vocabulary, moho_where **out);
void moho_where_destroy(moho_where **where);

/* The names used, each once. */
size_t moho_where_count(const moho_where *where);
const char *moho_where_name(const moho_where *where, size_t i);

/* What values of a name are like. */
typedef struct moho_where_type {
  int is_whole;
  int64_t least, most; /* of whole ones */
} moho_where_type;

/* Settle whole or double of every node; types [count]. MOHO_ERROR_RANGE when a whole number may pass 64 bits. */
moho_status moho_where_bind(moho_where *where, const moho_where_type *types);

/* Values of a name in a block of traces. */
typedef union moho_where_column {
  const int64_t *whole;
  const double *real;
} moho_where_column;

/* Bytes of scratch (of any content, 8-byte aligned) that an evaluation takes. */
size_t moho_where_scratch_bytes(const moho_where *where);
/* out[i] = 1 where the condition holds, for n <= MOHO_WHERE_BLOCK traces; columns [count][n]. MOHO_ERROR_RANGE when a trace
 * divides by zero: *failed is which. The right side of `and` and `or` is not looked at where the left one decides. */
moho_status moho_where_evaluate(const moho_where *where, void *scratch, const moho_where_column *columns, size_t n, uint8_t *out,
                                size_t *failed);

#endif
