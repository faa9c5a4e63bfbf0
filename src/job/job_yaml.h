/* job_yaml.h - YAML text as a small tree that knows line and column of everything.
 *
 * Bounded: 1 MiB of text, 8 levels, 4096 nodes. Anchors, aliases, tags, duplicate keys and second documents are refused: in a
 * job each of them is a mistake more often than a meaning.
 */
#ifndef MOHO_JOB_YAML_H
#define MOHO_JOB_YAML_H

#include "base/fail.h"

typedef enum { MOHO_YAML_SCALAR, MOHO_YAML_LIST, MOHO_YAML_MAP } moho_yaml_kind;

typedef struct moho_yaml_node moho_yaml_node;
struct moho_yaml_node {
  moho_yaml_kind kind;
  int line, column; /* 1-based */
  int quoted;       /* a scalar in quotes or a block: text, never a number */
  char *text;       /* of a scalar */
  char *key;        /* within a map */
  int key_line, key_column;
  moho_yaml_node *first, *next; /* children of a list or map; the next sibling */
};

/* name is used in errors: MOHO_ERROR_FORMAT (not YAML), MOHO_ERROR_KEY (duplicate key), MOHO_ERROR_TOO_LARGE. An empty text
 * gives an empty scalar. */
moho_status moho_yaml_parse(const char *text, size_t length, const char *name, moho_yaml_node **out);
void moho_yaml_destroy(moho_yaml_node **node);

#endif
