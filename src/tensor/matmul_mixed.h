/* matmul_mixed.h - matrices of f16 and bf16: brought to f32 by a launch, multiplied and added up there, rounded once into C. */
#ifndef MOHO_TENSOR_MATMUL_MIXED_H
#define MOHO_TENSOR_MATMUL_MIXED_H

#include "tensor/prepared.h"

/* *x, rank 1 or 3, becomes f32 in a temporary of the plan, filled by a step; f32 and nothing (no buffer) stay. */
moho_status matmul_widen(moho_tensor *x, moho_prepared *prepared);
/* The same of C: filled where it is read. */
moho_status matmul_widen_result(moho_tensor *c, int is_read, moho_prepared *prepared);
/* A step that rounds the product into C; nothing where C is f32, and `wide` with it. */
moho_status matmul_narrow(const moho_tensor *wide, const moho_tensor *c, moho_prepared *prepared);

#endif
