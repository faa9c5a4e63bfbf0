/* sha256.h - a fingerprint of bytes (FIPS 180-4): what an image was made from can be told again years later. */
#ifndef MOHO_BASE_SHA256_H
#define MOHO_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct moho_sha256 {
  uint32_t state[8];
  uint64_t bytes;
  uint8_t block[64];
} moho_sha256;

moho_sha256 moho_sha256_begin(void);
void moho_sha256_add(moho_sha256 *hash, const void *data, size_t bytes);
void moho_sha256_end(moho_sha256 *hash, uint8_t digest[32]);
/* 64 hexadecimal digits and NUL. */
void moho_sha256_text(const uint8_t digest[32], char text[65]);

#endif
