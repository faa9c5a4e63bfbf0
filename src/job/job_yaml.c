/* job_yaml.c - libyaml's events into a tree with line and column of everything. */
#include "job/job_yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 8, MAX_NODES = 4096 };

typedef struct yaml_reader {
  yaml_parser_t parser;
  const char *name;
  size_t nodes;
} yaml_reader;

static moho_place place_of(const yaml_reader *reader, yaml_mark_t mark) {
  return (moho_place){.file = reader->name, .line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

void moho_yaml_destroy(moho_yaml_node **node) {
  moho_yaml_node *each = *node;
  while (each) {
    moho_yaml_node *next = each->next;
    moho_yaml_destroy(&each->first);
    free(each->text);
    free(each->key);
    free(each);
    each = next;
  }
  *node = NULL;
}

static moho_status next_event(yaml_reader *reader, yaml_event_t *event) {
  if (yaml_parser_parse(&reader->parser, event)) return MOHO_OK;
  const yaml_parser_t *parser = &reader->parser;
  if (parser->error == YAML_MEMORY_ERROR) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", reader->name);
  moho_place place = place_of(reader, parser->problem_mark);
  const char *problem = parser->problem ? parser->problem : "not YAML";
  if (parser->error == YAML_READER_ERROR) {
    place = (moho_place){.file = reader->name, .has_byte = 1, .byte = (int64_t)parser->problem_offset};
    return moho_fail_at(place, "save the file as UTF-8 text", MOHO_ERROR_FORMAT, "%s: byte %zu is not text: %s", reader->name,
                        parser->problem_offset, problem);
  }
  return moho_fail_at(place, "a job is YAML: indent with spaces, put a space after each colon, close brackets and quotes",
                      MOHO_ERROR_FORMAT, "%s:%d:%d: not YAML: %s%s%s", reader->name, place.line, place.column, problem,
                      parser->context ? " " : "", parser->context ? parser->context : "");
}

static moho_status new_node(yaml_reader *reader, moho_yaml_kind kind, yaml_mark_t mark, moho_yaml_node **out) {
  moho_place place = place_of(reader, mark);
  if (++reader->nodes > MAX_NODES)
    return moho_fail_at(place, "a job holds tens of keys: is this the right file?", MOHO_ERROR_TOO_LARGE,
                        "%s:%d:%d: more than %d values", reader->name, place.line, place.column, MAX_NODES);
  moho_yaml_node *node = calloc(1, sizeof *node);
  if (!node) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", reader->name);
  node->kind = kind, node->line = place.line, node->column = place.column;
  *out = node;
  return MOHO_OK;
}

static moho_status refuse(const yaml_reader *reader, yaml_mark_t mark, const char *what, const char *hint) {
  moho_place place = place_of(reader, mark);
  return moho_fail_at(place, hint, MOHO_ERROR_FORMAT, "%s:%d:%d: %s", reader->name, place.line, place.column, what);
}

/* Anchors and tags sit on scalars, lists and maps alike. */
static moho_status refuse_decorations(const yaml_reader *reader, const yaml_event_t *event) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  if (event->type == YAML_SCALAR_EVENT) anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
  if (event->type == YAML_SEQUENCE_START_EVENT) anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
  if (event->type == YAML_MAPPING_START_EVENT) anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
  if (anchor || event->type == YAML_ALIAS_EVENT)
    return refuse(reader, event->start_mark, "anchors (&name) and aliases (*name) are not understood in a job",
                  "write the value out where it is needed");
  if (tag) return refuse(reader, event->start_mark, "tags (!name) are not understood in a job", "remove the tag");
  return MOHO_OK;
}

static moho_status copy_scalar(const yaml_reader *reader, const yaml_event_t *event, char **out) {
  const char *text = (const char *)event->data.scalar.value;
  size_t length = event->data.scalar.length;
  if (strlen(text) != length) return refuse(reader, event->start_mark, "a NUL character within text", "remove it");
  *out = strdup(text);
  return *out ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", reader->name);
}

static moho_status refuse_duplicate(const yaml_reader *reader, const moho_yaml_node *map, const char *key, yaml_mark_t mark) {
  for (const moho_yaml_node *child = map->first; child; child = child->next)
    if (child->key && strcmp(child->key, key) == 0) {
      moho_place place = place_of(reader, mark);
      place.key = key;
      return moho_fail_at(place, "keep one of the two", MOHO_ERROR_KEY, "%s:%d:%d: key \"%s\" is given twice, first in line %d",
                          reader->name, place.line, place.column, key, child->key_line);
    }
  return MOHO_OK;
}

static moho_status read_node(yaml_reader *reader, const yaml_event_t *event, int depth, moho_yaml_node **out);

/* The key of a map's next entry; *key stays NULL at the map's end. */
static moho_status read_key(yaml_reader *reader, const moho_yaml_node *map, char **key, yaml_mark_t *mark) {
  yaml_event_t event;
  *key = NULL;
  MOHO_TRY(next_event(reader, &event));
  *mark = event.start_mark;
  moho_status status = MOHO_OK;
  if (event.type != YAML_MAPPING_END_EVENT) {
    status = refuse_decorations(reader, &event);
    if (!status && event.type != YAML_SCALAR_EVENT)
      status = refuse(reader, event.start_mark, "a list or map stands where a key is expected", "write \"key: value\"");
    if (!status) status = copy_scalar(reader, &event, key);
    if (!status) status = refuse_duplicate(reader, map, *key, event.start_mark);
  }
  yaml_event_delete(&event);
  if (status) free(*key), *key = NULL;
  return status;
}

static moho_status read_map(yaml_reader *reader, int depth, moho_yaml_node *map) {
  moho_yaml_node **tail = &map->first;
  for (;;) {
    char *key;
    yaml_mark_t mark;
    yaml_event_t event;
    MOHO_TRY(read_key(reader, map, &key, &mark));
    if (!key) return MOHO_OK;
    moho_status status = next_event(reader, &event);
    if (!status) {
      status = read_node(reader, &event, depth + 1, tail);
      yaml_event_delete(&event);
    }
    if (status || !*tail) {
      free(key);
      return status;
    }
    (*tail)->key = key, (*tail)->key_line = (int)mark.line + 1, (*tail)->key_column = (int)mark.column + 1;
    tail = &(*tail)->next;
  }
}

static moho_status read_list(yaml_reader *reader, int depth, moho_yaml_node *list) {
  moho_yaml_node **tail = &list->first;
  for (;;) {
    yaml_event_t event;
    MOHO_TRY(next_event(reader, &event));
    int end = event.type == YAML_SEQUENCE_END_EVENT;
    moho_status status = end ? MOHO_OK : read_node(reader, &event, depth + 1, tail);
    yaml_event_delete(&event);
    if (status || end) return status;
    tail = &(*tail)->next;
  }
}

static moho_status read_node(yaml_reader *reader, const yaml_event_t *event, int depth, moho_yaml_node **out) {
  MOHO_TRY(refuse_decorations(reader, event));
  if (depth > MAX_DEPTH) return refuse(reader, event->start_mark, "nested more than 8 levels deep", "a job has 4 levels at most");
  if (event->type == YAML_SCALAR_EVENT) {
    MOHO_TRY(new_node(reader, MOHO_YAML_SCALAR, event->start_mark, out));
    (*out)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return copy_scalar(reader, event, &(*out)->text);
  }
  if (event->type == YAML_SEQUENCE_START_EVENT) {
    MOHO_TRY(new_node(reader, MOHO_YAML_LIST, event->start_mark, out));
    return read_list(reader, depth, *out);
  }
  if (event->type == YAML_MAPPING_START_EVENT) {
    MOHO_TRY(new_node(reader, MOHO_YAML_MAP, event->start_mark, out));
    return read_map(reader, depth, *out);
  }
  return refuse(reader, event->start_mark, "a value is expected", "write \"key: value\"");
}

/* Stream start, one document, stream end. */
static moho_status read_stream(yaml_reader *reader, moho_yaml_node **out) {
  int documents = 0;
  for (;;) {
    yaml_event_t event;
    MOHO_TRY(next_event(reader, &event));
    yaml_event_type_t type = event.type;
    moho_status status = MOHO_OK;
    if (type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
      status = refuse(reader, event.start_mark, "a second document begins here", "one file holds one job: split it at \"---\"");
    else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT ||
             type == YAML_ALIAS_EVENT)
      status = read_node(reader, &event, 0, out);
    yaml_event_delete(&event);
    if (status || type == YAML_STREAM_END_EVENT) return status;
  }
}

moho_status moho_yaml_parse(const char *text, size_t length, const char *name, moho_yaml_node **out) {
  *out = NULL;
  if (length > MAX_BYTES)
    return moho_fail_at((moho_place){.file = name}, "is this the job, and not the data?", MOHO_ERROR_TOO_LARGE,
                        "%s holds %zu bytes, expected a job of at most %d", name, length, MAX_BYTES);
  yaml_reader reader = {.name = name};
  if (!yaml_parser_initialize(&reader.parser)) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", name);
  yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
  moho_status status = read_stream(&reader, out);
  if (!status && !*out) {
    status = new_node(&reader, MOHO_YAML_SCALAR, (yaml_mark_t){0}, out);
    if (!status && !((*out)->text = strdup(""))) status = moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", name);
  }
  yaml_parser_delete(&reader.parser);
  if (status) moho_yaml_destroy(out);
  return status;
}
