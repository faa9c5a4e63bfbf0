/* tensor_inside.h - shapes and strides as the files of this room share them. */
#ifndef MOHO_TENSOR_INSIDE_H
#define MOHO_TENSOR_INSIDE_H

#include "moho/tensor.h"

/* Rank, dtype and the product of the axes; `what` begins the message. */
moho_status moho_tensor_check_shape(const char *what, moho_dtype dtype, int rank, const size_t *shape, size_t *elements);
/* Contiguous. */
void moho_tensor_set_shape(moho_tensor *tensor, int rank, const size_t *shape);
/* Elements from the first to the last one; 0 of an empty tensor. */
size_t moho_tensor_reach(const moho_tensor *tensor);
/* Two views lie within each other's reach. */
int moho_tensor_may_overlap(const moho_tensor *a, const moho_tensor *b);
/* "[2, 3]" for messages; returns text. */
const char *moho_shape_text(int rank, const size_t *shape, char text[128]);
/* The same elements in the same order: what "in place" means. */
int moho_tensor_is_same_view(const moho_tensor *a, const moho_tensor *b);
/* The public one, with the call's words in front of its errors. */
moho_status moho_tensor_broadcast_for(const char *what, const moho_tensor *tensor, int rank, const size_t *shape,
                                      moho_tensor *out);

#endif
