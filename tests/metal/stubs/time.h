/* time.h - of macOS, as far as src/device/metal needs it to be checked without an SDK (scripts/check_metal.sh). */
#ifndef MOHO_STUB_TIME_H
#define MOHO_STUB_TIME_H
struct timespec {
  long tv_sec, tv_nsec;
};
typedef enum { CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 6 } clockid_t;
int clock_gettime(clockid_t clock, struct timespec *now);
int nanosleep(const struct timespec *pause, struct timespec *left);
#endif
