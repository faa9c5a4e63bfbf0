/* classes.c - all classes of the double, and the proof at load that src/device/metal/metal_api.h says of each message what the
 * double's own tables say: a selector that Moho sends with other types than the method has is an error before anything runs.
 */
#include "double.h"

#include "device/metal/metal_api.h"

#include <stdio.h>
#include <string.h>

static const double_class *const classes[] = {&double_class_object,
                                              &double_class_string,
                                              &double_class_error,
                                              &double_class_array,
                                              &double_class_process,
                                              &double_class_options,
                                              &double_class_device,
                                              &double_class_buffer,
                                              &double_class_event,
                                              &double_class_library,
                                              &double_class_metal_function,
                                              &double_class_pipeline,
                                              &double_class_queue,
                                              &double_class_command_buffer,
                                              &double_class_compute_encoder,
                                              &double_class_blit_encoder,
                                              NULL};

const double_class *const *double_classes(void) {
  return classes;
}

/* A C type in the runtime's encoding. */
#define ENCODED(type) \
  _Generic((type *)NULL,                  \
      metal_id *: "@",                    \
      metal_sel *: ":",                   \
      metal_uint *: "Q",                  \
      metal_int *: "q",                   \
      metal_bool *: "B",                  \
      double *: "d",                      \
      const char **: "r*",                \
      void **: "^v",                      \
      const void **: "r^v",               \
      metal_id **: "^@",                  \
      metal_size *: "{MTLSize=QQQ}",      \
      void *: "v")
_Static_assert(sizeof(metal_uint) == 8 && sizeof(uint64_t) == 8, "NSUInteger and uint64_t are both Q");

typedef struct method_row {
  const char *owner, *selector, *result, *parameters[6];
} method_row;

/* Up to five parameter types, encoded. */
#define ENCODE_0()
#define ENCODE_1(a) , ENCODED(a)
#define ENCODE_2(a, b) , ENCODED(a), ENCODED(b)
#define ENCODE_3(a, b, c) , ENCODED(a), ENCODED(b), ENCODED(c)
#define ENCODE_4(a, b, c, d) , ENCODED(a), ENCODED(b), ENCODED(c), ENCODED(d)
#define ENCODE_5(a, b, c, d, e) , ENCODED(a), ENCODED(b), ENCODED(c), ENCODED(d), ENCODED(e)
#define ENCODE_CHOICE(dummy, a, b, c, d, e, name, ...) name
#define ENCODE(...) ENCODE_CHOICE(dummy, ##__VA_ARGS__, ENCODE_5, ENCODE_4, ENCODE_3, ENCODE_2, ENCODE_1, ENCODE_0)(__VA_ARGS__)
#define ROW(owner, need, name, selector, result, ...) {#owner, selector, ENCODED(result), {NULL ENCODE(__VA_ARGS__)}},
static const method_row rows[] = {MOHO_METAL_TABLE(ROW)};

static const struct {
  const char *owner;
  const double_class *isa;
  bool of_class;
} owners[] = {{"object", &double_class_object, false},
              {"string_class", &double_class_string, true},
              {"string", &double_class_string, false},
              {"error", &double_class_error, false},
              {"process_class", &double_class_process, true},
              {"process", &double_class_process, false},
              {"options_class", &double_class_options, true},
              {"options", &double_class_options, false},
              {"device", &double_class_device, false},
              {"buffer", &double_class_buffer, false},
              {"event", &double_class_event, false},
              {"library", &double_class_library, false},
              {"pipeline", &double_class_pipeline, false},
              {"queue", &double_class_queue, false},
              {"commands", &double_class_command_buffer, false},
              {"compute", &double_class_compute_encoder, false},
              {"blit", &double_class_blit_encoder, false}};

static const double_method *method_of(const method_row *row) {
  for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
    if (strcmp(owners[i].owner, row->owner)) continue;
    const double_method *own =
        double_find(owners[i].of_class ? owners[i].isa->class_methods : owners[i].isa->methods, row->selector);
    return own ? own : double_find(double_class_object.class_methods, row->selector);
  }
  double_complain("metal_api.h: owner '%s' of %s is not known to the double (tests/metal/classes.c)", row->owner, row->selector);
}

__attribute__((constructor)) static void check_api(void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const method_row *row = &rows[i];
    const double_method *method = method_of(row);
    if (!method) double_complain("metal_api.h: the double has no method %s of '%s'", row->selector, row->owner);
    char types[128];
    size_t n = (size_t)snprintf(types, sizeof types, "%s@:", row->result);
    for (size_t k = 1; k < sizeof row->parameters / sizeof *row->parameters && row->parameters[k]; k++)
      n += (size_t)snprintf(types + n, sizeof types - n, "%s", row->parameters[k]);
    if (strcmp(types, method->types))
      double_complain("metal_api.h: %s of '%s' has types %s, Metal's are %s", row->selector, row->owner, types, method->types);
  }
}
