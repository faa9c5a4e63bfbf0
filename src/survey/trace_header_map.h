/* trace_header_map.h - where in a 240-byte trace header each value is: our own map, 1-based bytes with a type.
 *
 *   "source_x=73,receiver_x=81:i4,cdp=21:i4"   "su"   "standard,cdp_x=201:f8"   "time_scalar=none"
 */
#ifndef MOHO_SURVEY_TRACE_HEADER_MAP_H
#define MOHO_SURVEY_TRACE_HEADER_MAP_H

#include "base/fail.h"

/* field, name, SU key, byte and type in `standard` (SEG-Y rev 1), byte in `su` (its bytes 181-240 hold other things). */
#define MOHO_HEADER_TABLE(X)                                       \
  X(SOURCE_X, "source_x", "sx", 73, I4, 73)                        \
  X(SOURCE_Y, "source_y", "sy", 77, I4, 77)                        \
  X(RECEIVER_X, "receiver_x", "gx", 81, I4, 81)                    \
  X(RECEIVER_Y, "receiver_y", "gy", 85, I4, 85)                    \
  X(CDP_X, "cdp_x", "cdpx", 181, I4, 0)                            \
  X(CDP_Y, "cdp_y", "cdpy", 185, I4, 0)                            \
  X(OFFSET, "offset", "offset", 37, I4, 37)                        \
  X(AZIMUTH, "azimuth", "azimuth", 0, I4, 0)                       \
  X(CDP, "cdp", "cdp", 21, I4, 21)                                 \
  X(INLINE, "inline", "iline", 189, I4, 0)                         \
  X(CROSSLINE, "crossline", "xline", 193, I4, 0)                   \
  X(COORDINATE_SCALAR, "coordinate_scalar", "scalco", 71, I2, 71)  \
  X(COORDINATE_UNITS, "coordinate_units", "counit", 89, I2, 89)    \
  X(TRACE_ID, "trace_id", "trid", 29, I2, 29)                      \
  X(DELAY, "delay", "delrt", 109, I2, 109)                         \
  X(MUTE_START, "mute_start", "muts", 111, I2, 111)                \
  X(MUTE_END, "mute_end", "mute", 113, I2, 113)                    \
  X(SAMPLES, "samples", "ns", 115, U2, 115)                        \
  X(INTERVAL, "interval", "dt", 117, U2, 117)                      \
  X(TIME_SCALAR, "time_scalar", "time_scalar", 215, I2, 0)         \
  X(RECEIVER_ELEVATION, "receiver_elevation", "gelev", 41, I4, 41) \
  X(SOURCE_ELEVATION, "source_elevation", "selev", 45, I4, 45)     \
  X(SOURCE_DEPTH, "source_depth", "sdepth", 49, I4, 49)            \
  X(RECEIVER_DATUM, "receiver_datum", "gdel", 53, I4, 53)          \
  X(SOURCE_DATUM, "source_datum", "sdel", 57, I4, 57)              \
  X(ELEVATION_SCALAR, "elevation_scalar", "scalel", 69, I2, 69)    \
  X(WEATHERING, "weathering_velocity", "wevel", 91, I2, 91)        \
  X(SUBWEATHERING, "subweathering_velocity", "swevel", 93, I2, 93) \
  X(SOURCE_UPHOLE, "source_uphole", "sut", 95, I2, 95)             \
  X(RECEIVER_UPHOLE, "receiver_uphole", "gut", 97, I2, 97)         \
  X(SOURCE_STATIC, "source_static", "sstat", 99, I2, 99)           \
  X(RECEIVER_STATIC, "receiver_static", "gstat", 101, I2, 101)     \
  X(TOTAL_STATIC, "total_static", "tstat", 103, I2, 103)           \
  X(LAG_A, "lag_a", "laga", 105, I2, 105)                          \
  X(LAG_B, "lag_b", "lagb", 107, I2, 107)

typedef enum {
#define MOHO_HEADER_ENUM(field, name, su, byte, type, su_byte) MOHO_HEADER_##field,
  MOHO_HEADER_TABLE(MOHO_HEADER_ENUM)
#undef MOHO_HEADER_ENUM
      MOHO_HEADER_COUNT
} moho_header_field;

typedef enum {
  MOHO_HEADER_I2,
  MOHO_HEADER_I4,
  MOHO_HEADER_U2,
  MOHO_HEADER_U4,
  MOHO_HEADER_F4,
  MOHO_HEADER_IBM4,
  MOHO_HEADER_F8
} moho_header_type;

typedef struct moho_header_place {
  uint8_t byte; /* 1-based; 0: the file has no such header */
  uint8_t type; /* moho_header_type */
} moho_header_place;

typedef struct moho_header_map {
  moho_header_place places[MOHO_HEADER_COUNT];
} moho_header_map;

/* text: as above, NULL for the preset; su: which preset to begin with. MOHO_ERROR_KEY names the nearest name. */
moho_status moho_header_map_parse(const char *text, int su, moho_header_map *out);
/* The place of a header by Moho's name or SU's key, also of those that Moho itself does not use (fldr, ep, gelev, ...). */
moho_status moho_header_map_find(const moho_header_map *map, const char *name, moho_header_place *out);
/* The name by which moho_header_map_find() knows a header, the same for its SU key; NULL when it is unknown. */
const char *moho_header_known(const char *name);
/* All names and keys; returns how many were put into names. */
size_t moho_header_names(const char **names, size_t capacity);
const char *moho_header_field_name(moho_header_field field);
size_t moho_header_type_size(moho_header_type type);

/* The value; 0 where the file has none. */
double moho_header_value(const uint8_t *header, moho_header_place place, int little);

static inline double moho_header_get(const uint8_t *header, const moho_header_map *map, moho_header_field field, int little) {
  return moho_header_value(header, map->places[field], little);
}

#endif
