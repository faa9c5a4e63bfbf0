/* checksum.h - has a run of bytes changed since it was written? 64 bits, as fast as memory is read.
 *
 * Four lanes of h = rotate(h ^ word, 29) * odd: each step is one-to-one, so that no change of one word goes unseen; of other
 * changes one in 2^64 does. Against disks and wrong addresses, not against people: fingerprints are sha256.h. Files keep the
 * values: the function must not change.
 */
#ifndef MOHO_BASE_CHECKSUM_H
#define MOHO_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* seed: what the bytes are, so that those of another place do not pass. */
uint64_t moho_checksum(const void *data, size_t bytes, uint64_t seed);

#endif
