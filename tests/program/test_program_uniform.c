/* test_program_uniform.c - programs of random blocks with group operations thrown in anywhere: those that the checks let pass are
 * run, and their lanes always meet (the reference tells when they do not).
 */
#include <stdio.h>
#include <string.h>

#include "program_support.h"

enum { PROGRAMS = 7000, TEXT = 8000, DEEPEST = 4, LANES = 5, GROUPS = 2 };

typedef struct writer {
  char text[TEXT];
  size_t used;
  uint64_t random;
  int left;        /* statements that may still come */
  int is_function; /* calls would go round */
} writer;

static unsigned below(writer *w, unsigned n) {
  return (unsigned)(test_uniform(&w->random) * (double)n) % n;
}

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  w->used += (size_t)vsnprintf(w->text + w->used, TEXT - w->used, format, arguments);
  va_end(arguments);
  assert_true(w->used + 200 < TEXT);
}

static void put_value(writer *w) {
  static const char *const specials[] = {"lane", "group", "lanes", "id.x", "group.x", "size"};
  unsigned d = below(w, 4), a = below(w, 4), b = below(w, 4);
  switch (below(w, 7)) {
  case 0: put(w, "get r%u, %s\n", d, specials[below(w, 6)]); break;
  case 1: put(w, "set r%u, %u\n", d, below(w, 4)); break;
  case 2: put(w, "add r%u, r%u, r%u\nand r%u, r%u, seven\n", d, a, b, d, d); break;
  case 3: put(w, "load r%u, x[r%u]\n", d, a); break;
  case 4: put(w, "and r%u, r%u, three\nload r%u, tile[r%u]\n", a, a, d, a); break;
  case 5: put(w, "select r%u, p%u, r%u, r%u\n", d, below(w, 3), a, b); break;
  default: put(w, "move r%u, r%u\n", d, a); break;
  }
}

static void put_meeting(writer *w) {
  switch (below(w, 3)) {
  case 0: put(w, "barrier\n"); break;
  case 1: put(w, "fence\n"); break;
  default: put(w, "group.max r%u, r%u\n", below(w, 4), below(w, 4)); break;
  }
}

static void put_predicate(writer *w) {
  static const char *const conditions[] = {"eq", "ne", "lt", "le"};
  if (below(w, 5) == 0) put(w, "pnot p%u, p%u\n", below(w, 3), below(w, 3));
  else put(w, "compare.%s p%u, r%u, r%u\n", conditions[below(w, 4)], below(w, 3), below(w, 4), below(w, 4));
}

static void put_block(writer *w, int depth, int in_loop);

static void put_nested(writer *w, int depth, int in_loop) {
  unsigned kind = below(w, 4);
  if (kind == 0) put(w, "while %sp%u max 3\n", below(w, 2) ? "!" : "", below(w, 3));
  else if (kind == 1) put(w, "and times, r%u, three\nloop times\n", below(w, 4));
  else put(w, "if %sp%u\n", below(w, 2) ? "!" : "", below(w, 3));
  put_block(w, depth + 1, in_loop || kind < 2);
  if (kind == 3) {
    put(w, "else\n");
    put_block(w, depth + 1, in_loop);
  }
  put(w, "end\n");
}

static void put_block(writer *w, int depth, int in_loop) {
  for (unsigned n = below(w, 6); n > 0 && w->left > 0; n--) {
    w->left--;
    unsigned kind = below(w, 20);
    if (kind < 6) put_value(w);
    else if (kind < 9) put_predicate(w);
    else if (kind < 12) put_meeting(w);
    else if (kind < 13) put(w, "store tile[r%u], r%u\n", below(w, 4), below(w, 4));
    else if (kind < 14 && !w->is_function) put(w, "call f\n");
    else if (depth < DEEPEST) put_nested(w, depth, in_loop);
  }
  if (depth && in_loop && below(w, 5) == 0) put(w, "break\n");
  else if (depth && below(w, 9) == 0) put(w, "exit\n");
}

static void write_program(writer *w, uint64_t seed) {
  *w = (writer){.random = seed * 0x9e3779b97f4a7c15u + 1, .left = 24};
  put(w, "program random\nbuffer in u32 x\nbuffer out u32 y\narray u32 tile[4]\n"
         "register u32 r0, r1, r2, r3, times, three, seven, i\n"
         "predicate p0, p1, p2\nset three, 3\nset seven, 7\nget r0, lane\nget r1, group\nset r2, 2\nload r3, x[0]\nget i, id\n"
         "compare.lt p0, r0, r2\ncompare.lt p1, r1, r2\ncompare.eq p2, r2, r3\n");
  while (w->left > 0) put_block(w, 0, 0), w->left--;
  put(w, "function f\n");
  w->left = 5, w->is_function = 1;
  put_block(w, DEEPEST - 1, 0);
  put(w, "end\n");
}

static int has_meeting(const char *text) {
  return strstr(text, "barrier") || strstr(text, "fence") || strstr(text, "group.max");
}

static void lanes_meet(void **state) {
  (void)state;
  static writer w;
  uint32_t x[8] = {2, 5, 0, 3, 1, 7, 2, 4}, y[1];
  unsigned accepted = 0, refused = 0;
  for (uint64_t seed = 0; seed < PROGRAMS; seed++) {
    moho_program *program = NULL;
    moho_program_fault fault;
    write_program(&w, seed);
    if (moho_program_assemble(w.text, NULL, &program)) {
      const char *words = moho_last_error()->message;
      if (!strstr(words, "may differ about") && !strstr(words, "may have left"))
        fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, words, w.text);
      refused++;
      continue;
    }
    accepted += (unsigned)has_meeting(w.text);
    moho_status status = moho_program_run_reference(
        program,
        &(moho_program_reference_launch){
            .buffers = (moho_program_memory[]){{x, 8}, {y, 1}}, .n_buffers = 2, .groups = {GROUPS}, .lanes = {LANES}},
        &fault);
    if (status) fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, moho_last_error()->message, w.text);
    moho_program_destroy(&program);
  }
  printf("    %u programs whose lanes meet, %u refused\n", accepted, refused);
  assert_true(accepted > PROGRAMS / 10 && refused > PROGRAMS / 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lanes_meet)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
