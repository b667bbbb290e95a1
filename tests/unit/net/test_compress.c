#include "check_main.h"
#include "net/compress.h"
#include <libdeflate.h>
#include <zstd.h>

/* Checks the member's CRC and length, too. */
static size_t gunzip(sl_span packed, char *out, size_t room)
{
    struct libdeflate_decompressor *gzip = libdeflate_alloc_decompressor();
    size_t read = 0, written = 0;
    ck_assert_int_eq(libdeflate_gzip_decompress_ex(gzip, packed.ptr, packed.len, out, room, &read, &written),
                     LIBDEFLATE_SUCCESS);
    ck_assert_uint_eq(read, packed.len);
    libdeflate_free_decompressor(gzip);
    return written;
}

static void fill(sl_buf *body, size_t lines)
{
    sl_buf_clear(body);
    for (size_t i = 0; i < lines; i++)
        sl_buf_printf(body, "{\"n\":%zu,\"level\":\"info\",\"message\":\"request done\"}\n", i);
}

START_TEST(compress__body_after_body_reads_back)
{
    static char plain[1 << 20];
    const int types[] = {SL_COMPRESS_GZIP, SL_COMPRESS_ZSTD};
    const size_t sizes[] = {1, 5000, 0, 20, 9000};
    for (size_t t = 0; t < SL_LEN(types); t++) {
        sl_compressor *compressor = sl_compressor_new(types[t], 0);
        sl_buf body = SL_BUF_NONE, out = SL_BUF_NONE;
        for (size_t i = 0; i < SL_LEN(sizes); i++) {
            fill(&body, sizes[i]);
            ck_assert_int_eq(sl_compressor_run(compressor, sl_buf_span(&body), &out), 0);
            size_t len = types[t] == SL_COMPRESS_GZIP
                             ? gunzip(sl_buf_span(&out), plain, sizeof plain)
                             : ZSTD_decompress(plain, sizeof plain, out.ptr, out.len);
            ck_assert_uint_eq(len, body.len);
            ck_assert(memcmp(plain, body.ptr ? body.ptr : "", len) == 0);
            if (sizes[i] > 1000) ck_assert_uint_lt(out.len, body.len / 5);
        }
        sl_buf_release(&body);
        sl_buf_release(&out);
        sl_compressor_free(compressor);
    }
}
END_TEST

START_TEST(compress__names_are_those_of_http)
{
    ck_assert_str_eq(sl_compress_name(SL_COMPRESS_GZIP), "gzip");
    ck_assert_str_eq(sl_compress_name(SL_COMPRESS_ZSTD), "zstd");
    ck_assert_ptr_null(sl_compress_name(SL_COMPRESS_NONE));
}
END_TEST

SL_TEST_MAIN("compress", compress__body_after_body_reads_back, compress__names_are_those_of_http)
