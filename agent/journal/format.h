/* format.h: the fixed parts of the journal's files as structs: FORMAT.md in code. Pure: no files, no memory.
 *
 * Decoding takes bytes of any origin. What it returns as true carries the right magic, length and checksum;
 * whether this version can read it is told apart (`readable`).
 */
#ifndef SLUICE_JOURNAL_FORMAT_H
#define SLUICE_JOURNAL_FORMAT_H

#include "journal.h"

#define SL_FORMAT_VERSION   1
#define SL_FRAME_WITH_IDS   2 /* version of a frame in which records have ids of their own */
#define SL_SEGMENT_HEADER   64
#define SL_FRAME_HEADER     80
#define SL_FRAME_HEADER_MAX 1024 /* a later version's may be longer */
#define SL_SEAL             80
#define SL_MAX_SEQUENCE     (UINT64_C(1) << 62) /* of a frame or a record: sums of two stay in bounds */
#define SL_MAX_PAYLOAD      (UINT32_C(1) << 30)
#define SL_MAX_TARGET       SL_JOURNAL_MAX_NAME
#define SL_FRAME_FLAGS      0x1f6u /* every record flag that may be stored */
#define SL_MAGIC_LEN        4
#define SL_MAGIC_FRAME      "SLJF"
#define SL_MAGIC_SEAL       "SLJE"
#define SL_MAGIC_COMMON     "SLJ" /* how both begin */
#define SL_MAGIC_COMMON_LEN 3

enum { SL_CODEC_STORED = 0, SL_CODEC_ZSTD = 1 };

typedef struct sl_frame_header {
    uint16_t header_len;
    bool readable;   /* this version knows it, and all is within bounds */
    uint8_t version; /* 0 is written as SL_FORMAT_VERSION */
    uint8_t codec;
    uint32_t payload_len, raw_len, records;
    uint64_t sequence, first_record;
    int64_t first_time, last_time, written;
    uint64_t payload_sum;
} sl_frame_header;

typedef struct sl_segment_header {
    uint8_t version;
    uint64_t id, first, first_record;
    int64_t created;
} sl_segment_header;

typedef struct sl_seal {
    uint64_t frames, first, next, next_record;
    int64_t first_written, last_written;
    uint64_t offset;
} sl_seal;

static inline uint64_t sl_frame_header__total(const sl_frame_header *hdr)
{
    return (uint64_t)hdr->header_len + hdr->payload_len;
}

uint64_t sl_format__sum(const void *ptr, size_t len, uint64_t seed);

void sl_frame_header__encode(const sl_frame_header *hdr, uint64_t id, char out[SL_FRAME_HEADER]);
/* Reads the fields without looking at the checksum. False: not even the magic, or a length out of bounds. */
bool sl_frame_header__parse(const char *in, size_t len, sl_frame_header *out);
/* The same, and the checksum is right. len: what is there; a longer header than that is not true. */
bool sl_frame_header__decode(const char *in, size_t len, uint64_t id, sl_frame_header *out);

void sl_segment_header__encode(const sl_segment_header *hdr, char out[SL_SEGMENT_HEADER]);
bool sl_segment_header__decode(const char in[SL_SEGMENT_HEADER], sl_segment_header *out);

void sl_seal__encode(const sl_seal *seal, uint64_t id, char out[SL_SEAL]);
bool sl_seal__decode(const char in[SL_SEAL], uint64_t id, sl_seal *out);

/* ---- little-endian integers and varints ---- */

static inline void sl_put16(char *at, uint16_t v)
{
    for (int i = 0; i < 2; i++)
        at[i] = (char)(v >> (8 * i));
}
static inline void sl_put32(char *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(v >> (8 * i));
}
static inline void sl_put64(char *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (char)(v >> (8 * i));
}
static inline uint64_t sl_get_le(const char *at, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return v;
}
static inline uint16_t sl_get16(const char *at)
{
    return (uint16_t)sl_get_le(at, 2);
}
static inline uint32_t sl_get32(const char *at)
{
    return (uint32_t)sl_get_le(at, 4);
}
static inline uint64_t sl_get64(const char *at)
{
    return sl_get_le(at, 8);
}

#define SL_VARINT_MAX 10

static inline char *sl_put_varint(char *at, uint64_t v)
{
    while (v >= 0x80) {
        *at++ = (char)(v | 0x80);
        v >>= 7;
    }
    *at++ = (char)v;
    return at;
}
/* The byte after it, or NULL: it runs past `end`, or beyond 64 bits. */
static inline const char *sl_get_varint(const char *at, const char *end, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; at < end && shift < 64; shift += 7) {
        uint64_t byte = (unsigned char)*at++;
        if (shift == 63 && byte > 1) return NULL;
        v |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            return at;
        }
    }
    return NULL;
}
static inline uint64_t sl_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t sl_unzigzag(uint64_t v)
{
    return (int64_t)((v >> 1) ^ (~(v & 1) + 1));
}

#endif
