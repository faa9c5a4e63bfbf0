/* test_support.h - what tests share. */
#ifndef MOHO_TEST_SUPPORT_H
#define MOHO_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A fresh temporary directory of this test program, removed when it exits. */
const char *test_directory(void);
/* "<test_directory>/<name>" in one of eight rotating buffers. */
const char *test_path(const char *name);

/* Repeatable random numbers: uniform in [0, 1), and normal. */
double test_uniform(uint64_t *state);
double test_normal(uint64_t *state);

/* ||a - b|| / ||b||. */
double test_relative_l2(const float *a, const double *b, size_t n);

/* Passes when status is 0; prints the thread's last error when it is not. */
#define assert_ok(call) test_assert_ok((call), #call, __FILE__, __LINE__)
void test_assert_ok(int status, const char *what, const char *file, int line);
/* Passes when the call fails with `code` and the last error's message contains `words`. */
#define assert_fails(call, code, words) test_assert_fails((call), (code), (words), #call, __FILE__, __LINE__)
void test_assert_fails(int status, int code, const char *words, const char *what, const char *file, int line);

#endif
