/* foundation_double.c - the few Foundation classes that the backend meets: NSString, NSError, NSArray, NSProcessInfo. */
#include "double.h"

#include <stdlib.h>
#include <string.h>

/* ---- NSString ---- */

typedef struct string {
  double_object head;
  char *text;
} string;

static void string_destroy(id self) {
  free(((string *)self)->text);
}

id double_string(const char *text) {
  string *made = (string *)double_make(&double_class_string);
  made->text = strdup(text);
  if (!made->text) double_complain("out of memory");
  return &made->head;
}

const char *double_string_text(id self) {
  return ((const string *)self)->text;
}

static id string_with_utf8(id self, SEL op, const char *text) {
  (void)self;
  if (!text) double_complain("+[NSString %s]: NULL", op);
  return double_autorelease(double_string(text));
}
static id string_allocate(id self, SEL op) {
  (void)self, (void)op;
  return double_string("");
}
static id string_init_utf8(id self, SEL op, const char *text) {
  if (!text) double_complain("-[NSString %s]: NULL", op);
  double_release(self);
  return double_string(text);
}
enum { UTF8_ENCODING = 4 };
static id string_init_bytes(id self, SEL op, const void *bytes, NSUInteger length, NSUInteger encoding) {
  if (encoding != UTF8_ENCODING) double_complain("-[NSString %s]: encoding %lu, expected 4 (UTF-8)", op, encoding);
  char *copy = strndup(bytes, length);
  if (!copy) double_complain("out of memory");
  double_release(self);
  id made = double_string(copy);
  free(copy);
  return made;
}
static const char *string_utf8(id self, SEL op) {
  (void)op;
  return double_string_text(self);
}
static NSUInteger string_length(id self, SEL op) {
  (void)op;
  return strlen(double_string_text(self));
}
static bool string_equal(id self, SEL op, id other) {
  double_expect(other, &double_class_string, true, op);
  return other && !strcmp(double_string_text(self), double_string_text(other));
}

static const double_method string_methods[] = {METHOD("initWithUTF8String:", "@@:r*", string_init_utf8),
                                               METHOD("initWithBytes:length:encoding:", "@@:r^vQQ", string_init_bytes),
                                               METHOD("UTF8String", "r*@:", string_utf8),
                                               METHOD("length", "Q@:", string_length),
                                               METHOD("isEqualToString:", "B@:@", string_equal),
                                               {NULL, NULL, NULL}};
static const double_method string_class_methods[] = {
    METHOD("stringWithUTF8String:", "@@:r*", string_with_utf8), METHOD("alloc", "@@:", string_allocate), {NULL, NULL, NULL}};
const double_class double_class_string = {.head = CLASS_HEAD,
                                          .name = "NSString",
                                          .super = &double_class_object,
                                          .methods = string_methods,
                                          .class_methods = string_class_methods,
                                          .bytes = sizeof(string),
                                          .destroy = string_destroy};

/* ---- NSError ---- */

typedef struct error {
  double_object head;
  id domain, words;
  NSInteger code;
} error;

static void error_destroy(id self) {
  double_release(((error *)self)->domain);
  double_release(((error *)self)->words);
}

id double_error(const char *domain, NSInteger code, const char *words) {
  error *made = (error *)double_make(&double_class_error);
  made->domain = double_string(domain);
  made->words = double_string(words);
  made->code = code;
  return &made->head;
}

static id error_domain(id self, SEL op) {
  (void)op;
  return double_autorelease(double_retain(((error *)self)->domain));
}
static NSInteger error_code(id self, SEL op) {
  (void)op;
  return ((error *)self)->code;
}
static id error_words(id self, SEL op) {
  (void)op;
  return double_autorelease(double_retain(((error *)self)->words));
}

static const double_method error_methods[] = {METHOD("domain", "@@:", error_domain),
                                              METHOD("code", "q@:", error_code),
                                              METHOD("localizedDescription", "@@:", error_words),
                                              {NULL, NULL, NULL}};
const double_class double_class_error = {.head = CLASS_HEAD,
                                         .name = "NSError",
                                         .super = &double_class_object,
                                         .methods = error_methods,
                                         .bytes = sizeof(error),
                                         .destroy = error_destroy};

/* ---- NSArray ---- */

typedef struct double_array_object {
  double_object head;
  id *members;
  size_t n;
} double_array_object;

static void array_destroy(id self) {
  double_array_object *array = (struct double_array_object *)self;
  for (size_t i = 0; i < array->n; i++) double_release(array->members[i]);
  free(array->members);
}

id double_array(size_t n, id *const members) {
  double_array_object *made = (double_array_object *)double_make(&double_class_array);
  made->members = calloc(n ? n : 1, sizeof(id));
  if (!made->members) double_complain("out of memory");
  for (size_t i = 0; i < n; i++) made->members[i] = double_retain(members[i]);
  made->n = n;
  return &made->head;
}

static NSUInteger array_count(id self, SEL op) {
  (void)op;
  return ((double_array_object *)self)->n;
}
static id array_at(id self, SEL op, NSUInteger index) {
  const double_array_object *array = (struct double_array_object *)self;
  if (index >= array->n) double_complain("-[NSArray %s]: index %lu of %zu", op, index, array->n);
  return array->members[index];
}

static const double_method array_methods[] = {
    METHOD("count", "Q@:", array_count), METHOD("objectAtIndex:", "@@:Q", array_at), {NULL, NULL, NULL}};
const double_class double_class_array = {.head = CLASS_HEAD,
                                         .name = "NSArray",
                                         .super = &double_class_object,
                                         .methods = array_methods,
                                         .bytes = sizeof(double_array_object),
                                         .destroy = array_destroy};

/* ---- NSProcessInfo: one for ever, no live object ---- */

static double_object the_process = {&double_class_process, DOUBLE_LIVE, 1};

static id process_info(id self, SEL op) {
  (void)self, (void)op;
  return &the_process;
}
static id process_version(id self, SEL op) {
  (void)self, (void)op;
  return double_autorelease(double_string("Version 13.0 (test double)"));
}

static const double_method process_methods[] = {METHOD("operatingSystemVersionString", "@@:", process_version),
                                                {NULL, NULL, NULL}};
static const double_method process_class_methods[] = {METHOD("processInfo", "@@:", process_info), {NULL, NULL, NULL}};
const double_class double_class_process = {.head = CLASS_HEAD,
                                           .name = "NSProcessInfo",
                                           .super = &double_class_object,
                                           .methods = process_methods,
                                           .class_methods = process_class_methods,
                                           .bytes = sizeof(double_object)};
