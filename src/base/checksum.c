/* checksum.c - a fast check of bytes. */
#include "base/checksum.h"

#include <string.h>

#define ODD UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t rotate(uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

static inline uint64_t step(uint64_t h, uint64_t word) {
  return rotate(h ^ word, 29) * ODD;
}

/* MurmurHash3's finisher (A. Appleby, public domain): every bit of h reaches every bit. */
static uint64_t finish(uint64_t h) {
  h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
  h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
  return h ^ h >> 33;
}

uint64_t moho_checksum(const void *data, size_t bytes, uint64_t seed) {
  const unsigned char *at = data;
  uint64_t h[4] = {seed, ~seed, seed + ODD, seed ^ ODD}, words[4], left = bytes;
  for (; left >= sizeof words; at += sizeof words, left -= sizeof words) {
    memcpy(words, at, sizeof words);
    for (int lane = 0; lane < 4; lane++) h[lane] = step(h[lane], words[lane]);
  }
  memset(words, 0, sizeof words);
  memcpy(words, at, left);
  for (int lane = 0; lane < 4; lane++) h[lane] = step(h[lane], words[lane]);
  uint64_t sum = step(seed, bytes);
  for (int lane = 0; lane < 4; lane++) sum = step(sum, h[lane]);
  return finish(sum);
}
