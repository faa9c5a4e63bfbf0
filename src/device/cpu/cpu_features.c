/* cpu_features.c - what the processor of this machine can run. */
#include "device/cpu/cpu_features.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#endif
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

static const char *const simd_names[MOHO_SIMD_COUNT] = {"scalar", "neon", "avx2", "avx512"};

const char *moho_simd_name(moho_simd simd) {
  return simd_names[simd];
}

#if defined(__x86_64__)
/* Conversions of half precision: asked of the processor itself, since clang 14's builtin does not know their name. */
static int has_f16c(void) {
  unsigned eax, ebx, ecx = 0, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C) != 0;
}

int moho_cpu_has_simd(moho_simd simd) {
  switch (simd) {
  case MOHO_SIMD_SCALAR: return 1;
  case MOHO_SIMD_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  case MOHO_SIMD_AVX512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2");
  default: return 0;
  }
}
#elif defined(__aarch64__)
int moho_cpu_has_simd(moho_simd simd) {
  return simd == MOHO_SIMD_SCALAR || simd == MOHO_SIMD_NEON;
}
#else
int moho_cpu_has_simd(moho_simd simd) {
  return simd == MOHO_SIMD_SCALAR;
}
#endif

#if defined(__x86_64__)
int moho_cpu_has_dot_products(void) {
  return moho_cpu_has_simd(MOHO_SIMD_AVX512) && __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__) && defined(__linux__)
int moho_cpu_has_dot_products(void) {
  return (getauxval(AT_HWCAP) >> 20 & 1) != 0; /* HWCAP_ASIMDDP */
}
#elif defined(__aarch64__)
int moho_cpu_has_dot_products(void) {
  return 1; /* Apple's, from the M1 on */
}
#else
int moho_cpu_has_dot_products(void) {
  return 0;
}
#endif

moho_simd moho_cpu_best_simd(void) {
  for (moho_simd simd = MOHO_SIMD_COUNT; simd-- > MOHO_SIMD_SCALAR;)
    if (moho_cpu_has_simd(simd)) return simd;
  return MOHO_SIMD_SCALAR;
}

void moho_cpu_name(char *name, size_t capacity) {
  snprintf(name, capacity, "%s", "cpu");
#ifdef __APPLE__
  sysctlbyname("machdep.cpu.brand_string", name, &capacity, NULL, 0);
#else
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file && fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) || !colon) continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(name, capacity, "%s", colon + 2);
    break;
  }
  if (file) fclose(file);
#endif
}

int moho_cpu_count(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}
