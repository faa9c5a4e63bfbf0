/* demigrate_record.h - what demigrate_ranges.k writes of a column's range of samples and demigrate_v3.k reads, in words. */
#ifndef MOHO_KERNELS_DEMIGRATE_RECORD_H
#define MOHO_KERNELS_DEMIGRATE_RECORD_H

#define RECORD_NODES 20  /* after the bounds: leg terms of four nodes */
#define RECORD_SMOOTH 36 /* 1: the polynomial holds */
#define RECORD_USED 37
#define RECORD_WORDS 40

#endif
