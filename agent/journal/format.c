/* format.c: the fixed headers of the journal's files, to bytes and back (FORMAT.md). */
#include "format.h"

#include <xxhash.h>

#define MAGIC_SEGMENT "SLJS"

uint64_t sl_format__sum(const void *ptr, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(ptr, len, seed);
}

static void put_start(char *out, const char *magic, uint8_t codec, uint16_t len)
{
    memset(out, 0, len);
    memcpy(out, magic, SL_MAGIC_LEN);
    out[4] = SL_FORMAT_VERSION;
    out[5] = (char)codec;
    sl_put16(out + 6, len);
}

static void put_sum(char *out, size_t len, uint64_t seed)
{
    sl_put64(out + len - 8, sl_format__sum(out, len - 8, seed));
}

static bool sum_is_right(const char *in, size_t len, uint64_t seed)
{
    return sl_get64(in + len - 8) == sl_format__sum(in, len - 8, seed);
}

void sl_frame_header__encode(const sl_frame_header *hdr, uint64_t id, char out[SL_FRAME_HEADER])
{
    put_start(out, SL_MAGIC_FRAME, hdr->codec, SL_FRAME_HEADER);
    if (hdr->version) out[4] = (char)hdr->version;
    sl_put32(out + 8, hdr->payload_len);
    sl_put32(out + 12, hdr->raw_len);
    sl_put32(out + 16, hdr->records);
    sl_put64(out + 24, hdr->sequence);
    sl_put64(out + 32, hdr->first_record);
    sl_put64(out + 40, (uint64_t)hdr->first_time);
    sl_put64(out + 48, (uint64_t)hdr->last_time);
    sl_put64(out + 56, (uint64_t)hdr->written);
    sl_put64(out + 64, hdr->payload_sum);
    put_sum(out, SL_FRAME_HEADER, id);
}

static bool is_readable(const sl_frame_header *hdr)
{
    return hdr->version >= SL_FORMAT_VERSION && hdr->version <= SL_FRAME_WITH_IDS &&
           hdr->header_len == SL_FRAME_HEADER && hdr->codec <= SL_CODEC_ZSTD &&
           hdr->raw_len <= SL_MAX_FRAME_RAW && hdr->records <= SL_MAX_RECORDS;
}

bool sl_frame_header__parse(const char *in, size_t len, sl_frame_header *out)
{
    if (len < SL_FRAME_HEADER || memcmp(in, SL_MAGIC_FRAME, SL_MAGIC_LEN) != 0) return false;
    *out = (sl_frame_header){
        .version = (uint8_t)in[4],
        .codec = (uint8_t)in[5],
        .header_len = sl_get16(in + 6),
        .payload_len = sl_get32(in + 8),
        .raw_len = sl_get32(in + 12),
        .records = sl_get32(in + 16),
        .sequence = sl_get64(in + 24),
        .first_record = sl_get64(in + 32),
        .first_time = (int64_t)sl_get64(in + 40),
        .last_time = (int64_t)sl_get64(in + 48),
        .written = (int64_t)sl_get64(in + 56),
        .payload_sum = sl_get64(in + 64),
    };
    out->readable = is_readable(out);
    return out->header_len >= SL_FRAME_HEADER && out->header_len <= SL_FRAME_HEADER_MAX &&
           out->payload_len <= SL_MAX_PAYLOAD;
}

static bool numbers_are_sane(const sl_frame_header *hdr)
{
    return hdr->sequence > 0 && hdr->sequence < SL_MAX_SEQUENCE && hdr->first_record < SL_MAX_SEQUENCE;
}

bool sl_frame_header__decode(const char *in, size_t len, uint64_t id, sl_frame_header *out)
{
    return sl_frame_header__parse(in, len, out) && out->header_len <= len && numbers_are_sane(out) &&
           sum_is_right(in, out->header_len, id);
}

void sl_segment_header__encode(const sl_segment_header *hdr, char out[SL_SEGMENT_HEADER])
{
    put_start(out, MAGIC_SEGMENT, 0, SL_SEGMENT_HEADER);
    sl_put64(out + 8, hdr->id);
    sl_put64(out + 16, hdr->first);
    sl_put64(out + 24, hdr->first_record);
    sl_put64(out + 32, (uint64_t)hdr->created);
    put_sum(out, SL_SEGMENT_HEADER, 0);
}

bool sl_segment_header__decode(const char in[SL_SEGMENT_HEADER], sl_segment_header *out)
{
    if (memcmp(in, MAGIC_SEGMENT, SL_MAGIC_LEN) != 0 || sl_get16(in + 6) != SL_SEGMENT_HEADER) return false;
    *out = (sl_segment_header){
        .version = (uint8_t)in[4],
        .id = sl_get64(in + 8),
        .first = sl_get64(in + 16),
        .first_record = sl_get64(in + 24),
        .created = (int64_t)sl_get64(in + 32),
    };
    return sum_is_right(in, SL_SEGMENT_HEADER, 0);
}

void sl_seal__encode(const sl_seal *seal, uint64_t id, char out[SL_SEAL])
{
    put_start(out, SL_MAGIC_SEAL, 0, SL_SEAL);
    sl_put64(out + 8, seal->frames);
    sl_put64(out + 16, seal->first);
    sl_put64(out + 24, seal->next);
    sl_put64(out + 32, seal->next_record);
    sl_put64(out + 40, (uint64_t)seal->first_written);
    sl_put64(out + 48, (uint64_t)seal->last_written);
    sl_put64(out + 64, seal->offset);
    put_sum(out, SL_SEAL, id);
}

bool sl_seal__decode(const char in[SL_SEAL], uint64_t id, sl_seal *out)
{
    if (memcmp(in, SL_MAGIC_SEAL, SL_MAGIC_LEN) != 0 || sl_get16(in + 6) != SL_SEAL) return false;
    *out = (sl_seal){
        .frames = sl_get64(in + 8),
        .first = sl_get64(in + 16),
        .next = sl_get64(in + 24),
        .next_record = sl_get64(in + 32),
        .first_written = (int64_t)sl_get64(in + 40),
        .last_written = (int64_t)sl_get64(in + 48),
        .offset = sl_get64(in + 64),
    };
    return sum_is_right(in, SL_SEAL, id);
}
