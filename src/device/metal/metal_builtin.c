/* metal_builtin.c - the backend's own kernels: what blits cannot do, and a question to the compiler.
 *
 * Blits fill bytes only and copy multiples of 4 bytes only (on macOS): words are filled and odd ends copied by kernels. Whether
 * SIMD votes and shuffles work is asked by making a pipeline that has them: they compile to a library everywhere, and fail
 * here on GPUs before the family Apple6 and on virtual ones. */
#include "device/metal/metal_device.h"

#define POSITION                                                                         \
  "uint lane [[thread_index_in_threadgroup]], uint3 lanes [[threads_per_threadgroup]], " \
  "uint3 group [[threadgroup_position_in_grid]], uint3 groups [[threadgroups_per_grid]]"

static const char text[] =
    "#include <metal_stdlib>\n"
    "using namespace metal;\n"
    "struct moho_fill { uint words, word; };\n"
    "[[max_total_threads_per_threadgroup(256)]] kernel void moho_metal_fill(\n"
    "    device uint *to [[buffer(0)]], constant moho_fill *p [[buffer(1)]],\n    " POSITION ") {\n"
    "  for (uint i = group.x * lanes.x + lane; i < p->words; i += groups.x * lanes.x) to[i] = p->word;\n"
    "}\n"
    "struct moho_bytes { uint from_first, to_first, bytes; };\n"
    "kernel void moho_metal_copy_bytes(\n"
    "    const device uchar *from [[buffer(0)]], device uchar *to [[buffer(1)]], constant moho_bytes *p [[buffer(2)]],\n"
    "    " POSITION ") {\n"
    "  for (uint i = group.x * lanes.x + lane; i < p->bytes; i += groups.x * lanes.x)\n"
    "    to[p->to_first + i] = from[p->from_first + i];\n"
    "}\n"
    "[[max_total_threads_per_threadgroup(32)]] kernel void moho_metal_simd(\n"
    "    device uint *to [[buffer(0)]], constant uint *p [[buffer(1)]],\n    " POSITION ") {\n"
    "  uint near = simd_shuffle_xor(lane + group.x, (ushort)1), far = simd_shuffle(near, (ushort)(*p & 31u));\n"
    "  uint votes = (uint)(simd_vote::vote_t)simd_ballot(far > groups.x);\n"
    "  if (simd_any(votes > lanes.x)) to[lane] = votes;\n"
    "}\n";

static moho_status make(metal_device *device, metal_id library) {
  metal_builtin *builtin = &device->builtin;
  MOHO_TRY(moho_metal_make_pipeline(device, library, "moho_metal_fill", &builtin->fill));
  MOHO_TRY(moho_metal_make_pipeline(device, library, "moho_metal_copy_bytes", &builtin->copy_bytes));
  metal_uint width = METAL(simd_width, builtin->fill);
  if (width != 32)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: SIMD groups of %lu lanes, Moho's kernels are written for 32", width);
  builtin->max_lanes = (uint32_t)METAL(max_lanes, builtin->copy_bytes); /* it has no launch bounds */
  uint32_t fill_lanes = (uint32_t)METAL(max_lanes, builtin->fill);      /* at most its launch bounds, 256 */
  builtin->lanes = fill_lanes < builtin->max_lanes ? fill_lanes : builtin->max_lanes;
  metal_id simd = NULL;
  builtin->has_simd = moho_metal_make_pipeline(device, library, "moho_metal_simd", &simd) == MOHO_OK;
  moho_metal_release(&simd);
  return MOHO_OK;
}

moho_status moho_metal_builtin_create(metal_device *device) {
  metal_id library = NULL;
  device->builtin.has_simd = true; /* for this text: it is the question */
  moho_status status = moho_metal_compile_text(device, "of Moho's own", text, &library);
  if (!status) status = make(device, library);
  moho_metal_release(&library);
  if (status == MOHO_ERROR_COMPILE)
    return moho_fail_at((moho_place){0}, "macOS 13 or later is needed", MOHO_ERROR_NOT_AVAILABLE, "%s",
                        moho_last_error()->message);
  return status;
}

void moho_metal_builtin_destroy(metal_device *device) {
  moho_metal_release(&device->builtin.fill);
  moho_metal_release(&device->builtin.copy_bytes);
}
