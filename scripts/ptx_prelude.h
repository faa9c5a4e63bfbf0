/* ptx_prelude.h - what NVRTC knows of itself and clang only from a toolkit's headers: the names of CUDA C++ that kern.h uses, by
 * clang's builtins ("LLVM, NVPTX usage" and BuiltinsNVPTX). For scripts/ptx_check.sh; never part of a build. */
#define __CUDACC__ 1
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __grid_constant__ /* clang knows it from version 20 on */

typedef __SIZE_TYPE__ size_t;
struct uint3 {
  unsigned int x, y, z;
};
struct __attribute__((aligned(8))) float2 {
  float x, y;
};
struct __attribute__((aligned(16))) float4 {
  float x, y, z, w;
};
struct __attribute__((aligned(8))) uint2 {
  unsigned int x, y;
};
struct __attribute__((aligned(16))) uint4 {
  unsigned int x, y, z, w;
};

#define PTX_PLACE(register) \
  (uint3{(unsigned int)__nvvm_read_ptx_sreg_##register##_x(), (unsigned int)__nvvm_read_ptx_sreg_##register##_y(), 0})
#define threadIdx PTX_PLACE(tid)
#define blockDim PTX_PLACE(ntid)
#define blockIdx PTX_PLACE(ctaid)
#define gridDim PTX_PLACE(nctaid)

#define PTX_FUNCTION static __device__ __forceinline__
PTX_FUNCTION void __syncwarp() {
  __nvvm_bar_warp_sync(0xffffffffu);
}
PTX_FUNCTION unsigned int __ballot_sync(unsigned int lanes, bool x) {
  return __nvvm_vote_ballot_sync(lanes, x);
}
PTX_FUNCTION int __any_sync(unsigned int lanes, bool x) {
  return __nvvm_vote_any_sync(lanes, x);
}
PTX_FUNCTION int __all_sync(unsigned int lanes, bool x) {
  return __nvvm_vote_all_sync(lanes, x);
}
PTX_FUNCTION float __shfl_sync(unsigned int lanes, float x, int lane) {
  return __nvvm_shfl_sync_idx_f32(lanes, x, lane, 31);
}
PTX_FUNCTION int __shfl_sync(unsigned int lanes, int x, int lane) {
  return __nvvm_shfl_sync_idx_i32(lanes, x, lane, 31);
}
PTX_FUNCTION unsigned int __shfl_sync(unsigned int lanes, unsigned int x, int lane) {
  return (unsigned int)__nvvm_shfl_sync_idx_i32(lanes, (int)x, lane, 31);
}
PTX_FUNCTION float __shfl_xor_sync(unsigned int lanes, float x, int mask) {
  return __nvvm_shfl_sync_bfly_f32(lanes, x, mask, 31);
}
PTX_FUNCTION int __shfl_xor_sync(unsigned int lanes, int x, int mask) {
  return __nvvm_shfl_sync_bfly_i32(lanes, x, mask, 31);
}
PTX_FUNCTION unsigned int __shfl_xor_sync(unsigned int lanes, unsigned int x, int mask) {
  return (unsigned int)__nvvm_shfl_sync_bfly_i32(lanes, (int)x, mask, 31);
}

PTX_FUNCTION float2 make_float2(float x, float y) {
  return float2{x, y};
}
PTX_FUNCTION float4 make_float4(float x, float y, float z, float w) {
  return float4{x, y, z, w};
}
PTX_FUNCTION uint2 make_uint2(unsigned int x, unsigned int y) {
  return uint2{x, y};
}

PTX_FUNCTION float __fmaf_rn(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
PTX_FUNCTION float __fsqrt_rn(float x) {
  return __nvvm_sqrt_rn_f(x);
}
PTX_FUNCTION float __fadd_rd(float a, float b) {
  return __nvvm_add_rm_f(a, b);
}
PTX_FUNCTION int __float2int_rn(float x) {
  return __nvvm_f2i_rn(x);
}
PTX_FUNCTION float fabsf(float x) {
  return __builtin_fabsf(x);
}
PTX_FUNCTION int __popc(unsigned int x) {
  return __builtin_popcount(x);
}
PTX_FUNCTION int __ffs(int x) {
  return __builtin_ffs(x);
}
PTX_FUNCTION int __clz(int x) {
  return x ? __builtin_clz((unsigned int)x) : 32;
}
PTX_FUNCTION int __dp4a(int a, int b, int c) {
  int sum;
  asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
  return sum;
}
PTX_FUNCTION unsigned int __float_as_uint(float x) {
  return __builtin_bit_cast(unsigned int, x);
}
PTX_FUNCTION int __float_as_int(float x) {
  return __builtin_bit_cast(int, x);
}
PTX_FUNCTION float __int_as_float(int x) {
  return __builtin_bit_cast(float, x);
}
PTX_FUNCTION float __uint_as_float(unsigned int x) {
  return __builtin_bit_cast(float, x);
}
PTX_FUNCTION unsigned int atomicAdd(unsigned int *p, unsigned int x) {
  return __atomic_fetch_add(p, x, __ATOMIC_RELAXED);
}
PTX_FUNCTION unsigned int atomicOr(unsigned int *p, unsigned int x) {
  return __atomic_fetch_or(p, x, __ATOMIC_RELAXED);
}

/* NVRTC's min and max take float, int and unsigned, and int with unsigned as unsigned. A double would come out in the PTX. */
#define PTX_LEAST(type)                   \
  PTX_FUNCTION type min(type a, type b) { \
    return a < b ? a : b;                 \
  }                                       \
  PTX_FUNCTION type max(type a, type b) { \
    return a > b ? a : b;                 \
  }
PTX_LEAST(int)
PTX_LEAST(unsigned int)
PTX_FUNCTION float min(float a, float b) {
  return __builtin_fminf(a, b);
}
PTX_FUNCTION float max(float a, float b) {
  return __builtin_fmaxf(a, b);
}
PTX_FUNCTION double min(double a, double b) {
  return __builtin_fmin(a, b);
}
PTX_FUNCTION double max(double a, double b) {
  return __builtin_fmax(a, b);
}
PTX_FUNCTION unsigned int min(int a, unsigned int b) {
  return min((unsigned int)a, b);
}
PTX_FUNCTION unsigned int min(unsigned int a, int b) {
  return min(a, (unsigned int)b);
}
PTX_FUNCTION unsigned int max(int a, unsigned int b) {
  return max((unsigned int)a, b);
}
PTX_FUNCTION unsigned int max(unsigned int a, int b) {
  return max(a, (unsigned int)b);
}
