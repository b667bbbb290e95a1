/* Gzip by libdeflate, which wants all of the input and room for all of the output: the room is guessed from
 * the length at the end of the body, and doubled up to the limit where that was not enough. */
#include "gzip_body.h"

#include "byte_pile.h"

#include <libdeflate.h>
#include <stdint.h>

#define GZIP_SHORTEST 18 /* bytes of an empty member */

struct gzip_body {
    struct libdeflate_decompressor *inflater;
    size_t limit;
    byte_pile out;
};

gzip_body *gzip_body_new(size_t limit)
{
    gzip_body *gzip = bench_alloc(sizeof(*gzip));
    *gzip = (gzip_body){.inflater = libdeflate_alloc_decompressor(), .limit = limit};
    if (!gzip->inflater) bench_die("allocating a decompressor failed");
    return gzip;
}

void gzip_body_free(gzip_body *gzip)
{
    libdeflate_free_decompressor(gzip->inflater);
    pile_release(&gzip->out);
    free(gzip);
}

static size_t stated_length(const char *in, size_t in_len)
{
    const unsigned char *end = (const unsigned char *)in + in_len;
    return (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
}

/* One member into the room behind gzip->out; *used is its length in the input. */
static bool inflate_member(gzip_body *gzip, const char *in, size_t in_len, size_t *used)
{
    size_t room = stated_length(in, in_len) + 1;
    for (;; room *= 2) {
        if (room > gzip->limit - gzip->out.len) room = gzip->limit - gzip->out.len;
        pile_reserve(&gzip->out, room);
        size_t made;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            gzip->inflater, in, in_len, gzip->out.data + gzip->out.len, room, used, &made);
        if (result == LIBDEFLATE_SUCCESS) gzip->out.len += made;
        if (result != LIBDEFLATE_INSUFFICIENT_SPACE) return result == LIBDEFLATE_SUCCESS;
        if (room == gzip->limit - gzip->out.len) return false;
    }
}

bool gzip_body_inflate(gzip_body *gzip, const char *in, size_t in_len, const char **out, size_t *out_len)
{
    gzip->out.len = 0;
    do {
        size_t used = 0;
        if (in_len < GZIP_SHORTEST || !inflate_member(gzip, in, in_len, &used)) return false;
        in += used;
        in_len -= used;
    } while (in_len);
    *out = gzip->out.data;
    *out_len = gzip->out.len;
    return true;
}
