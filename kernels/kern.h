/* kern.h - the dialect in which kernels are written once: MSL for Metal, CUDA C++ for NVRTC, C for the cpu.
 *
 *   #include "kern.h"
 *   KERNEL(vector_add, 256, IN(0, float, a), IN(1, float, b), INOUT(2, float, c), PARAM(3, vector_add_parameters, p)) {
 *     uint i = GROUP_X * LANES + LANE;
 *     if (i < p->n) c[i] = a[i] + b[i];
 *   }
 *
 * Parameters: IN (const, restrict) and INOUT (never restrict) with their index, at most 30, then one PARAM struct of 4-byte
 * members, reached by p->member. Pointers elsewhere name their space: GLOBAL, LOCAL, PRIVATE. KERNEL_GROUP has one block of
 * group memory whose size the host gives: GROUP_MEMORY(type). Only whole groups run: no `return` before a BARRIER or a SIMD
 * operation, and all lanes of a SIMD group (32, by linear index) reach a SIMD operation together. A helper that asks where it
 * runs (LANE, BARRIER, SIMD_...) ends its parameters with HERE_PARAMETER and is called with HERE at the end.
 * Contraction is off everywhere: FMA where it is meant. SQRT is correctly rounded; FAST_SQRT, FAST_RSQRT, FAST_RECIPROCAL are
 * good to a few units of the last place. Every float literal ends in f. Not used: double, 64-bit members, float3, templates,
 * recursion, globals, struct copies, designated initialisers, other includes.
 * MARK: 1 into a word that lanes of several groups may mark. READ_PAIR, READ_WORD: element index + offset (a constant) of data
 * that the launch does not write, counted from `row`, which may lie before the buffer: FAR_ROW, element `index` (of so many
 * bytes) of `pointer`. One operation makes each address; `zero`: a parameter that is 0, which no compiler may know.
 * COS_PI: cos(pi x), 0 <= x <= 1, to 5e-7. ROUND_INT: to the nearest integer, |x| < 2^31. ATOMIC_ADD into an INOUT_ATOMIC buffer
 * (whose pointers are GLOBAL ATOMIC_WORD *), LOCAL_ATOMIC_ADD into a uint of group memory: both give what was there before.
 * MMA_BYTES(c, a, b): by a whole SIMD group C[16, 8] += A[16, 32] B[32, 8] of signed bytes, C of ints. Lane 4 i + j has of A rows
 * i, i + 8 at columns 4 j ..., then both at 16 + 4 j ... (four words a), of B column i at rows 4 j ..., 16 + 4 j ... (two words
 * b), of C [i, 2 j], [i, 2 j + 1], [i + 8, 2 j], [i + 8, 2 j + 1] (four ints c). KERN_HAS_MMA: by tensor cores; else by
 * SIMD operations, for comparison.
 */
#ifndef MOHO_KERNELS_KERN_H
#define MOHO_KERNELS_KERN_H

#if defined(__METAL_VERSION__)
/* ---------------------------------------------------------------- Metal */
#include <metal_stdlib>
using namespace metal;
#define GLOBAL device
#define LOCAL threadgroup
#define PRIVATE thread
#define CONSTANT constant
#define DEVICE_FUNCTION static inline
#define RARE_FUNCTION static __attribute__((noinline))                     /* a call: its registers do not weigh on its callers */
#define IN(i, type, name) const device type *__restrict name [[buffer(i)]] /* `restrict` is no word of MSL 3 */
#define INOUT(i, type, name) device type *name [[buffer(i)]]
#define INOUT_ATOMIC(i, name) device atomic_uint *name [[buffer(i)]]
#define PARAM(i, type, name) constant type *name [[buffer(i)]]
#define KERN_POSITION                                                                           \
  uint kern_lane [[thread_index_in_threadgroup]], uint3 kern_lanes [[threads_per_threadgroup]], \
      uint3 kern_group [[threadgroup_position_in_grid]], uint3 kern_groups [[threadgroups_per_grid]]
#define KERNEL(name, max_lanes, ...) [[max_total_threads_per_threadgroup(max_lanes)]] kernel void name(__VA_ARGS__, KERN_POSITION)
#define KERNEL_GROUP(name, max_lanes, ...)                           \
  [[max_total_threads_per_threadgroup(max_lanes)]] kernel void name( \
      __VA_ARGS__, threadgroup uint4 *kern_block [[threadgroup(0)]], KERN_POSITION)
#define GROUP_MEMORY(type) ((threadgroup type *)kern_block)
#define HERE_PARAMETER , uint kern_lane, uint3 kern_lanes, uint3 kern_group, uint3 kern_groups
#define HERE , kern_lane, kern_lanes, kern_group, kern_groups
#define LANE kern_lane
#define LANES kern_lanes.x
#define GROUP_X kern_group.x
#define GROUP_Y kern_group.y
#define GROUPS_X kern_groups.x
#define GROUPS_Y kern_groups.y
#define BARRIER() threadgroup_barrier(mem_flags::mem_threadgroup)
#define BARRIER_GLOBAL() threadgroup_barrier(mem_flags::mem_threadgroup | mem_flags::mem_device)
#define SIMD_BARRIER() simdgroup_barrier(mem_flags::mem_threadgroup)
#define SIMD_BALLOT(condition) ((uint)(simd_vote::vote_t)simd_ballot(condition))
#define SIMD_ANY(condition) simd_any(condition)
#define SIMD_ALL(condition) simd_all(condition)
#define SIMD_SHUFFLE(x, lane) simd_shuffle(x, (ushort)(lane))
#define SIMD_SHUFFLE_XOR(x, mask) simd_shuffle_xor(x, (ushort)(mask))
#define FMA(a, b, c) fma(a, b, c)
#if __METAL_VERSION__ >= 320
#define SQRT(x) precise::sqrt(x)
#else
#define SQRT(x) sqrt(x)
#endif
/* fast::rsqrt and fast::sqrt may be wrong by 2 units of the last place and more: too much for a travel time. One step of Newton
 * leaves about half a unit. */
DEVICE_FUNCTION float kern_fast_sqrt(float x) {
  float inverse = fast::rsqrt(max(x, 1e-37f)), root = x * inverse;
  return fma(fma(-root, root, x), 0.5f * inverse, root);
}
#define FAST_SQRT(x) kern_fast_sqrt(x)
#define FAST_RSQRT(x) fast::rsqrt(x)
#define FAST_RECIPROCAL(x) fast::divide(1.0f, x)
#define ROUND_DOWN_ADD(x, big) (floor(x) + (big))
#define ROUND_INT(x) ((int)rint(x))
#define MIN(a, b) min(a, b)
#define MAX(a, b) max(a, b)
#define ABS(x) abs(x)
#define POPCOUNT(x) popcount(x)
#define CTZ(x) ctz(x)
#define AS_UINT(x) as_type<uint>(x)
#define AS_INT(x) as_type<int>(x)
#define AS_FLOAT(x) as_type<float>(x)
#define HALF_LOW(word) ((float)as_type<half2>(word).x)
#define HALF_HIGH(word) ((float)as_type<half2>(word).y)
#define HALF_PAIR(low, high) as_type<uint>(half2((half)(low), (half)(high)))
#define FLOAT2(x, y) float2(x, y)
#define LOAD2(pointer, index) (((const device float2 *)(pointer))[index])
#define LOAD4(pointer, index) (((const device float4 *)(pointer))[index])
#define LOCAL_LOAD4(pointer, index) (((const threadgroup float4 *)(pointer))[index])
#define FAR_ROW(pointer, index, bytes, zero) ((const device float *)((pointer) + (index)))
#define COS_PI(x) kern_cos_pi(x)
#define READ_PAIR(row, index, offset) (((const device float2 *)(row) + (index))[offset])
#define READ_WORD(row, index, offset) (((const device uint *)(row) + (index))[offset])
#define ATOMIC_WORD atomic_uint
#define ATOMIC_ADD(pointer, value) atomic_fetch_add_explicit(pointer, value, memory_order_relaxed)
#define LOCAL_ATOMIC_ADD(pointer, value) \
  atomic_fetch_add_explicit((threadgroup atomic_uint *)(pointer), value, memory_order_relaxed)
#define ATOMIC_OR(pointer, value) atomic_fetch_or_explicit(pointer, value, memory_order_relaxed)
#define MARK(pointer) (*(pointer) = 1u)
#define KERN_PRAGMA(x) _Pragma(#x)
#define UNROLL(n) KERN_PRAGMA(clang loop unroll_count(n))
#define UNROLL_ALL _Pragma("clang loop unroll(full)")

#elif defined(__CUDACC__)
/* ---------------------------------------------------------------- CUDA */
typedef unsigned int uint;
typedef unsigned short ushort;
typedef unsigned char uchar;
#define GLOBAL
#define LOCAL
#define PRIVATE
#define CONSTANT
#define DEVICE_FUNCTION static __device__ __forceinline__
#define RARE_FUNCTION static __device__ __noinline__
/* A parameter struct by value that is read through `->`, in the constant bank. */
template <class T> struct kern_parameter {
  T value;
  __device__ __forceinline__ const T *operator->() const {
    return &value;
  }
  __device__ __forceinline__ operator const T *() const {
    return &value;
  }
};
#define IN(i, type, name) const type *__restrict__ name
#define INOUT(i, type, name) type *name
#define INOUT_ATOMIC(i, name) unsigned int *name
#define PARAM(i, type, name) const __grid_constant__ kern_parameter<type> name
#define KERNEL(name, max_lanes, ...) extern "C" __global__ void __launch_bounds__(max_lanes) name(__VA_ARGS__)
#ifndef KERN_BLOCKS_PER_SM
#define KERN_BLOCKS_PER_SM 1
#endif
#define KERNEL_GROUP(name, max_lanes, ...) \
  extern __shared__ uint4 kern_block[];    \
  extern "C" __global__ void __launch_bounds__(max_lanes, KERN_BLOCKS_PER_SM) name(__VA_ARGS__)
#define GROUP_MEMORY(type) ((type *)kern_block)
#define HERE_PARAMETER
#define HERE
#define LANE threadIdx.x
#define LANES blockDim.x
#define GROUP_X blockIdx.x
#define GROUP_Y blockIdx.y
#define GROUPS_X gridDim.x
#define GROUPS_Y gridDim.y
#define BARRIER() __syncthreads()
#define BARRIER_GLOBAL() __syncthreads()
#define SIMD_BARRIER() __syncwarp()
#define SIMD_BALLOT(condition) __ballot_sync(0xffffffffu, condition)
#define SIMD_ANY(condition) (__any_sync(0xffffffffu, condition) != 0)
#define SIMD_ALL(condition) (__all_sync(0xffffffffu, condition) != 0)
#define SIMD_SHUFFLE(x, lane) __shfl_sync(0xffffffffu, x, lane)
#define SIMD_SHUFFLE_XOR(x, mask) __shfl_xor_sync(0xffffffffu, x, mask)
#define FMA(a, b, c) __fmaf_rn(a, b, c)
#define SQRT(x) __fsqrt_rn(x)
DEVICE_FUNCTION float kern_fast_sqrt(float x) {
  float y;
  asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE_FUNCTION float kern_cos_pi(float x) {
  float y;
  asm("cos.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(3.14159265f * x));
  return y;
}
DEVICE_FUNCTION float kern_fast_rsqrt(float x) {
  float y;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE_FUNCTION float kern_fast_reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
DEVICE_FUNCTION float kern_half_low(uint word) {
  float y;
  asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; cvt.f32.f16 %0, l;}" : "=f"(y) : "r"(word));
  return y;
}
DEVICE_FUNCTION float kern_half_high(uint word) {
  float y;
  asm("{.reg .b16 l, h; mov.b32 {l, h}, %1; cvt.f32.f16 %0, h;}" : "=f"(y) : "r"(word));
  return y;
}
DEVICE_FUNCTION uint kern_half_pair(float low, float high) {
  uint word;
  asm("{.reg .b16 l, h; cvt.rn.f16.f32 l, %1; cvt.rn.f16.f32 h, %2; mov.b32 %0, {l, h};}" : "=r"(word) : "f"(low), "f"(high));
  return word;
}
#define FAST_SQRT(x) kern_fast_sqrt(x)
#define FAST_RSQRT(x) kern_fast_rsqrt(x)
#define FAST_RECIPROCAL(x) kern_fast_reciprocal(x)
#define ROUND_DOWN_ADD(x, big) __fadd_rd(x, big)
#define ROUND_INT(x) __float2int_rn(x)
#define MIN(a, b) min(a, b)
#define MAX(a, b) max(a, b)
#define ABS(x) fabsf(x)
#define POPCOUNT(x) ((uint)__popc(x))
#define CTZ(x) ((uint)(__ffs((int)(x)) - 1))
#define AS_UINT(x) __float_as_uint(x)
#define AS_INT(x) __float_as_int(x)
#define AS_FLOAT(x) __int_as_float((int)(x))
#define HALF_LOW(word) kern_half_low(word)
#define HALF_HIGH(word) kern_half_high(word)
#define HALF_PAIR(low, high) kern_half_pair(low, high)
#define FLOAT2(x, y) make_float2(x, y)
#define LOAD2(pointer, index) (((const float2 *)(pointer))[index])
#define LOAD4(pointer, index) (((const float4 *)(pointer))[index])
#define LOCAL_LOAD4(pointer, index) (((const float4 *)(pointer))[index])
/* The compiler would take the row's part out of the index again, at four operations an address. */
template <int bytes> DEVICE_FUNCTION float2 kern_read_pair(const void *row, uint index) {
  float2 y;
  asm("{.reg .u64 a; mad.wide.u32 a, %2, 8, %3; ld.global.nc.v2.f32 {%0, %1}, [a + %4];}"
      : "=f"(y.x), "=f"(y.y)
      : "r"(index), "l"(row), "n"(bytes));
  return y;
}
template <int bytes> DEVICE_FUNCTION uint kern_read_word(const void *row, uint index) {
  uint y;
  asm("{.reg .u64 a; mad.wide.u32 a, %1, 4, %2; ld.global.nc.u32 %0, [a + %3];}" : "=r"(y) : "r"(index), "l"(row), "n"(bytes));
  return y;
}
/* The assembler too would take the row apart, were it not for the zero in its way. */
template <int bytes> DEVICE_FUNCTION const float *kern_far_row(const void *pointer, uint index, uint zero) {
  const float *row;
  asm("{.reg .u64 a, z; mad.wide.u32 a, %1, %4, %2; cvt.u64.u32 z, %3; xor.b64 %0, a, z;}"
      : "=l"(row)
      : "r"(index), "l"(pointer), "r"(zero), "n"(bytes));
  return row;
}
#define FAR_ROW(pointer, index, bytes, zero) kern_far_row<bytes>(pointer, index, zero)
#define COS_PI(x) kern_cos_pi(x)
#define READ_PAIR(row, index, offset) kern_read_pair<8 * (offset)>(row, index)
#define READ_WORD(row, index, offset) kern_read_word<4 * (offset)>(row, index)
#define ATOMIC_WORD unsigned int
#define ATOMIC_ADD(pointer, value) atomicAdd(pointer, value)
#define LOCAL_ATOMIC_ADD(pointer, value) atomicAdd(pointer, value)
#define ATOMIC_OR(pointer, value) atomicOr(pointer, value)
#define MARK(pointer) (*(pointer) = 1u)
#define KERN_PRAGMA(x) _Pragma(#x)
#define UNROLL(n) KERN_PRAGMA(unroll n)
#define UNROLL_ALL _Pragma("unroll")

#else
/* ---------------------------------------------------------------- C, on the cpu */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "moho/kernel.h"
typedef unsigned int uint;
typedef unsigned short ushort;
typedef unsigned char uchar;
typedef struct float2 {
  float x, y;
} float2;
typedef struct float4 {
  float x, y, z, w;
} float4;
/* What the lanes of a SIMD group bring to an operation; a lane may read it until its next one. */
typedef struct kern_words {
  uint words[32], count, bits; /* bits: whose word is not 0 */
} kern_words;
/* One lane of a group; src/device/cpu runs lanes one after another, at barriers and SIMD operations they take turns. `line` is
 * where the text says so: lanes that meet must come from one line. */
struct kern_lane {
  uint lane, lanes, group[2], groups[2];
  void *block;                                                     /* group memory */
  void (*barrier)(kern_lane *, int line);                          /* all lanes of the group arrive */
  const kern_words *(*exchange)(kern_lane *, uint word, int line); /* all lanes of the SIMD group arrive */
};
#define GLOBAL
#define LOCAL
#define PRIVATE
#define CONSTANT
#define DEVICE_FUNCTION static inline __attribute__((unused))
#define RARE_FUNCTION static __attribute__((unused))
/* IN, INOUT and PARAM make tuples here, from which declarations and a call with the launch's buffers are made. */
#define IN(i, type, name) (IN, i, type, name)
#define INOUT(i, type, name) (INOUT, i, type, name)
#define INOUT_ATOMIC(i, name) (INOUT, i, uint, name)
#define PARAM(i, type, name) (PARAM, i, type, name)
#define KERN_DECLARE_IN(i, type, name) const type *restrict name
#define KERN_DECLARE_INOUT(i, type, name) type *name
#define KERN_DECLARE_PARAM(i, type, name) const type *name
#define KERN_PASS_IN(i, type, name) (const type *)buffers[i]
#define KERN_PASS_INOUT(i, type, name) (type *)buffers[i]
#define KERN_PASS_PARAM(i, type, name) (const type *)parameters
#define KERN_DECLARE_TUPLE(kind, i, type, name) KERN_DECLARE_##kind(i, type, name)
#define KERN_PASS_TUPLE(kind, i, type, name) KERN_PASS_##kind(i, type, name)
#define KERN_DECLARE(tuple) KERN_DECLARE_TUPLE tuple
#define KERN_PASS(tuple) KERN_PASS_TUPLE tuple
/* M(first), M(second), ... for up to 31 parameters. */
#define KERN_EXPAND(...) KERN_EXPAND_1(KERN_EXPAND_1(KERN_EXPAND_1(__VA_ARGS__)))
#define KERN_EXPAND_1(...) KERN_EXPAND_2(KERN_EXPAND_2(KERN_EXPAND_2(__VA_ARGS__)))
#define KERN_EXPAND_2(...) KERN_EXPAND_3(KERN_EXPAND_3(KERN_EXPAND_3(__VA_ARGS__)))
#define KERN_EXPAND_3(...) KERN_EXPAND_4(KERN_EXPAND_4(KERN_EXPAND_4(__VA_ARGS__)))
#define KERN_EXPAND_4(...) __VA_ARGS__
#define KERN_MAP(M, ...) KERN_EXPAND(KERN_MAP_STEP(M, __VA_ARGS__))
#define KERN_MAP_STEP(M, first, ...) M(first) __VA_OPT__(, KERN_MAP_AGAIN KERN_PARENS(M, __VA_ARGS__))
#define KERN_PARENS ()
#define KERN_MAP_AGAIN() KERN_MAP_STEP
#define KERN_C_FUNCTION(name) name##_as_c
#define KERN_MAX_LANES(name) name##_max_lanes
#define KERNEL(name, lanes, ...)                                                                \
  static void name(KERN_MAP(KERN_DECLARE, __VA_ARGS__), kern_lane *kern_here);                  \
  enum { name##_max_lanes = (lanes) };                                                          \
  static void name##_as_c(void *const *buffers, const void *parameters, kern_lane *kern_here) { \
    (void)buffers, (void)parameters;                                                            \
    name(KERN_MAP(KERN_PASS, __VA_ARGS__), kern_here);                                          \
  }                                                                                             \
  static void name(KERN_MAP(KERN_DECLARE, __VA_ARGS__), __attribute__((unused)) kern_lane *kern_here)
#define KERNEL_GROUP(name, lanes, ...) KERNEL(name, lanes, __VA_ARGS__)
#define GROUP_MEMORY(type) ((type *)kern_here->block)
#define HERE_PARAMETER , kern_lane *kern_here
#define HERE , kern_here
#define LANE (kern_here->lane)
#define LANES (kern_here->lanes)
#define GROUP_X (kern_here->group[0])
#define GROUP_Y (kern_here->group[1])
#define GROUPS_X (kern_here->groups[0])
#define GROUPS_Y (kern_here->groups[1])
#define BARRIER() kern_here->barrier(kern_here, __LINE__)
#define BARRIER_GLOBAL() kern_here->barrier(kern_here, __LINE__)
#define SIMD_BARRIER() ((void)kern_here->exchange(kern_here, 0, __LINE__))
#define SIMD_BALLOT(condition) (kern_here->exchange(kern_here, (condition) ? 1u : 0u, __LINE__)->bits)
#define SIMD_ANY(condition) (SIMD_BALLOT(condition) != 0)
#define SIMD_ALL(condition) (SIMD_BALLOT(!(condition)) == 0)
#define SIMD_SHUFFLE(x, from) \
  _Generic((x), float : kern_shuffle_float, int : kern_shuffle_int, default : kern_shuffle_uint)(kern_here, x, from, __LINE__)
#define SIMD_SHUFFLE_XOR(x, mask) SIMD_SHUFFLE(x, (LANE & 31u) ^ (uint)(mask))
DEVICE_FUNCTION uint kern_as_uint(float x) {
  uint y;
  memcpy(&y, &x, 4);
  return y;
}
DEVICE_FUNCTION float kern_as_float(uint x) {
  float y;
  memcpy(&y, &x, 4);
  return y;
}
DEVICE_FUNCTION uint kern_shuffle_uint(kern_lane *here, uint x, uint from, int line) {
  const kern_words *all = here->exchange(here, x, line);
  return from < all->count ? all->words[from] : x;
}
DEVICE_FUNCTION int kern_shuffle_int(kern_lane *here, int x, uint from, int line) {
  return (int)kern_shuffle_uint(here, (uint)x, from, line);
}
DEVICE_FUNCTION float kern_shuffle_float(kern_lane *here, float x, uint from, int line) {
  return kern_as_float(kern_shuffle_uint(here, kern_as_uint(x), from, line));
}
/* Half precision is storage: round to nearest even, as the GPUs' conversions. */
DEVICE_FUNCTION float kern_half_to_float(uint half) {
  uint sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31u, fraction = half & 1023u;
  if (exponent == 31u) return kern_as_float(sign | 0x7f800000u | fraction << 13);
  float magnitude = exponent ? ldexpf((float)(fraction | 1024u), (int)exponent - 25) : ldexpf((float)fraction, -24);
  return sign ? -magnitude : magnitude;
}
DEVICE_FUNCTION uint kern_float_to_half(float x) {
  uint bits = kern_as_uint(x), sign = bits >> 16 & 0x8000u;
  float magnitude = fabsf(x);
  if (!(magnitude == magnitude)) return sign | 0x7e00u;
  if (magnitude >= 65520.0f) return sign | 0x7c00u;
  if (magnitude < 6.103515625e-5f) return sign | (uint)nearbyintf(magnitude * 16777216.0f);
  uint rounded = (bits & 0x7fffffffu) + 0xfffu + (bits >> 13 & 1u);
  return sign | ((rounded - 0x38000000u) >> 13);
}
#define FMA(a, b, c) fmaf(a, b, c)
#define SQRT(x) sqrtf(x)
#define FAST_SQRT(x) sqrtf(x)
#define FAST_RSQRT(x) (1.0f / sqrtf(x))
#define FAST_RECIPROCAL(x) (1.0f / (x))
#define ROUND_DOWN_ADD(x, big) (floorf(x) + (big))
#define ROUND_INT(x) ((int)nearbyintf(x))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ABS(x) fabsf(x)
#define POPCOUNT(x) ((uint)__builtin_popcount(x))
#define CTZ(x) ((uint)__builtin_ctz(x))
#define AS_UINT(x) kern_as_uint(x)
#define AS_INT(x) ((int)kern_as_uint(x))
#define AS_FLOAT(x) kern_as_float((uint)(x))
#define HALF_LOW(word) kern_half_to_float((word)&0xffffu)
#define HALF_HIGH(word) kern_half_to_float((word) >> 16)
#define HALF_PAIR(low, high) (kern_float_to_half(low) | kern_float_to_half(high) << 16)
#define FLOAT2(x, y) ((float2){x, y})
DEVICE_FUNCTION float2 kern_load2(const float *pointer) {
  return (float2){pointer[0], pointer[1]};
}
DEVICE_FUNCTION float4 kern_load4(const float *pointer) {
  return (float4){pointer[0], pointer[1], pointer[2], pointer[3]};
}
#define LOAD2(pointer, index) kern_load2((pointer) + 2 * (index))
#define LOAD4(pointer, index) kern_load4((pointer) + 4 * (index))
#define LOCAL_LOAD4(pointer, index) kern_load4((pointer) + 4 * (index))
#define FAR_ROW(pointer, index, bytes, zero) ((const float *)((pointer) + (index)))
#define COS_PI(x) kern_cos_pi(x)
#define READ_PAIR(row, index, offset) kern_load2((const float *)(row) + 2 * (size_t)(index) + 2 * (offset))
#define READ_WORD(row, index, offset) (((const uint *)(row) + (index))[offset])
#define ATOMIC_WORD uint
#define ATOMIC_ADD(pointer, value) __atomic_fetch_add(pointer, value, __ATOMIC_RELAXED)
#define LOCAL_ATOMIC_ADD(pointer, value) __atomic_fetch_add(pointer, value, __ATOMIC_RELAXED)
#define ATOMIC_OR(pointer, value) __atomic_fetch_or(pointer, value, __ATOMIC_RELAXED)
#define MARK(pointer) __atomic_store_n(pointer, 1u, __ATOMIC_RELAXED)
#define UNROLL(n)
#define UNROLL_ALL
#endif

/* ---------------------------------------------------------------- the same everywhere */
#define SIMD_WIDTH 32u
#define SIMD_LANE (LANE & 31u)
#define SIMD_GROUP (LANE >> 5)
/* physics.h and interpolate.h in float. */
#define REAL float
#define R(x) x##f
#define RSQRT(x) FAST_RSQRT(x)
#define ROOT(x) FAST_SQRT(x)
#define RECIPROCAL(x) FAST_RECIPROCAL(x)
#define PHYSICS_FUNCTION DEVICE_FUNCTION
/* Sum and largest of whole SIMD groups by butterfly: every lane gets them, the same bits on every device. */
DEVICE_FUNCTION float kern_simd_sum(float x HERE_PARAMETER) {
  x += SIMD_SHUFFLE_XOR(x, 16u);
  x += SIMD_SHUFFLE_XOR(x, 8u);
  x += SIMD_SHUFFLE_XOR(x, 4u);
  x += SIMD_SHUFFLE_XOR(x, 2u);
  x += SIMD_SHUFFLE_XOR(x, 1u);
  return x;
}
DEVICE_FUNCTION float kern_larger(float x, float y) {
  return MAX(x, y);
}
DEVICE_FUNCTION float kern_simd_max(float x HERE_PARAMETER) {
  x = kern_larger(x, SIMD_SHUFFLE_XOR(x, 16u));
  x = kern_larger(x, SIMD_SHUFFLE_XOR(x, 8u));
  x = kern_larger(x, SIMD_SHUFFLE_XOR(x, 4u));
  x = kern_larger(x, SIMD_SHUFFLE_XOR(x, 2u));
  x = kern_larger(x, SIMD_SHUFFLE_XOR(x, 1u));
  return x;
}
#define SIMD_SUM(x) kern_simd_sum(x HERE)
#define SIMD_MAX(x) kern_simd_max(x HERE)
/* bfloat16 is storage, two to a word as halves are; rounded to nearest even. */
DEVICE_FUNCTION uint kern_bfloat(float x) {
  uint bits = AS_UINT(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (bits >> 16) | 0x40u;
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
#define BFLOAT_LOW(word) AS_FLOAT((uint)(word) << 16)
#define BFLOAT_HIGH(word) AS_FLOAT((uint)(word)&0xffff0000u)
#define BFLOAT_PAIR(low, high) (kern_bfloat(low) | kern_bfloat(high) << 16)
/* sum + the products of four signed bytes each of two words. */
#if defined(__CUDACC__)
#define DOT4(a, b, sum) __dp4a((int)(a), (int)(b), (int)(sum))
#else
DEVICE_FUNCTION int kern_byte(uint word, uint at) {
  return (int)(((word >> at) & 0xffu) ^ 0x80u) - 128;
}
DEVICE_FUNCTION int kern_dot4(uint a, uint b, int sum) {
  sum += kern_byte(a, 0u) * kern_byte(b, 0u) + kern_byte(a, 8u) * kern_byte(b, 8u);
  return sum + kern_byte(a, 16u) * kern_byte(b, 16u) + kern_byte(a, 24u) * kern_byte(b, 24u);
}
#define DOT4(a, b, sum) kern_dot4(a, b, sum)
#endif
#if defined(__CUDACC__) && __CUDA_ARCH__ >= 800
DEVICE_FUNCTION void kern_mma_bytes(int *c, const uint *a, const uint *b) {
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#define MMA_BYTES(c, a, b) kern_mma_bytes(c, a, b)
#define KERN_HAS_MMA 1
#else
#define KERN_HAS_MMA 0
#endif
#if !KERN_HAS_MMA && !defined(KERN_NO_SIMD)
DEVICE_FUNCTION void kern_mma_bytes(PRIVATE int *c, const PRIVATE uint *a, const PRIVATE uint *b HERE_PARAMETER) {
  for (uint j = 0u; j < 4u; j++) {
    uint row = (SIMD_LANE & 28u) + j, column = 8u * (SIMD_LANE & 3u) + j;
    for (uint side = 0u; side < 2u; side++) {
      uint top = SIMD_SHUFFLE(a[2u * side], row), bottom = SIMD_SHUFFLE(a[2u * side + 1u], row);
      uint left = SIMD_SHUFFLE(b[side], column), right = SIMD_SHUFFLE(b[side], column + 4u);
      c[0] = DOT4(top, left, c[0]), c[1] = DOT4(top, right, c[1]);
      c[2] = DOT4(bottom, left, c[2]), c[3] = DOT4(bottom, right, c[3]);
    }
  }
}
#define MMA_BYTES(c, a, b) kern_mma_bytes(c, a, b HERE)
#endif
#if !defined(__CUDACC__)
/* -sin(pi (x - 1/2)), the sine series: error 1.2e-7. */
DEVICE_FUNCTION float kern_cos_pi(float x) {
  float z = (x - 0.5f) * 3.14159265f, z2 = z * z;
  float s = FMA(z2, -2.50521084e-8f, 2.75573192e-6f);
  s = FMA(z2, s, -1.98412698e-4f);
  s = FMA(z2, s, 8.33333333e-3f);
  s = FMA(z2, s, -1.66666667e-1f);
  return -FMA(z * z2, s, z);
}
#endif

/* floor(x) of 0 <= x < 2^22, as a float and as an integer, without the slow conversion unit: m = ROUND_DOWN_ADD(x, KERN_MAGIC),
 * floor = m - KERN_MAGIC, integer = AS_UINT(m) - KERN_MAGIC_BITS. For negative x down to -2^22 likewise (KERN_MAGIC is 1.5*2^23).
 */
#define KERN_MAGIC 12582912.0f
#define KERN_MAGIC_BITS 0x4B400000u

#endif
