/* compress.c: libdeflate and zstd in one call each: a body is in memory whole, so nothing is streamed. */
#include "compress.h"
#include <libdeflate.h>
#include <zstd.h>

struct sl_compressor {
    int type, level;
    struct libdeflate_compressor *gzip;
    ZSTD_CCtx *zstd;
};

sl_compressor *sl_compressor_new(int type, int level)
{
    sl_compressor *compressor = sl_calloc(1, sizeof *compressor);
    compressor->type = type;
    compressor->level = level > 0 ? level : 1;
    return compressor;
}

void sl_compressor_free(sl_compressor *compressor)
{
    if (!compressor) return;
    libdeflate_free_compressor(compressor->gzip);
    ZSTD_freeCCtx(compressor->zstd);
    sl_free(compressor);
}

const char *sl_compress_name(int type)
{
    switch (type) {
    case SL_COMPRESS_GZIP: return "gzip";
    case SL_COMPRESS_ZSTD: return "zstd";
    default: return NULL;
    }
}

static int run_gzip(sl_compressor *compressor, sl_span body, sl_buf *out)
{
    if (!compressor->gzip) compressor->gzip = libdeflate_alloc_compressor(compressor->level);
    if (!compressor->gzip) return SL_E_NOMEM;
    size_t bound = libdeflate_gzip_compress_bound(compressor->gzip, body.len);
    if (sl_buf_try_reserve(out, bound) < 0) return SL_E_NOMEM;
    out->len = libdeflate_gzip_compress(compressor->gzip, body.ptr, body.len, out->ptr, out->cap);
    if (!out->len) sl_bug("gzip of %zu bytes did not fit its own bound", body.len);
    return 0;
}

static int run_zstd(sl_compressor *compressor, sl_span body, sl_buf *out)
{
    if (!compressor->zstd) compressor->zstd = ZSTD_createCCtx();
    if (!compressor->zstd || sl_buf_try_reserve(out, ZSTD_compressBound(body.len)) < 0) return SL_E_NOMEM;
    size_t len =
        ZSTD_compressCCtx(compressor->zstd, out->ptr, out->cap, body.ptr, body.len, compressor->level);
    if (ZSTD_isError(len)) return SL_E_NOMEM; /* the bound is kept: nothing else can fail */
    out->len = len;
    return 0;
}

int sl_compressor_run(sl_compressor *compressor, sl_span body, sl_buf *out)
{
    sl_buf_clear(out);
    return compressor->type == SL_COMPRESS_GZIP ? run_gzip(compressor, body, out)
                                                : run_zstd(compressor, body, out);
}
