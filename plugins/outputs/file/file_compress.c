/* file_compress.c: a rotated file becomes a gzip or zstd file, slice by slice in constant memory. Each slice
 * is a member (gzip) or frame (zstd) of its own: RFC 1952 section 2.2 and RFC 8878 section 3.1 let both be
 * strung together. */
#include "file_int.h"
#include <errno.h>
#include <libdeflate.h>
#include <zstd.h>

#define SLICE (1u << 20)

typedef struct squeezer {
    int kind;
    struct libdeflate_compressor *gzip;
    ZSTD_CCtx *zstd;
    char *in, *out;
    size_t out_cap;
} squeezer;

static void squeezer_init(squeezer *s, int kind)
{
    *s = (squeezer){.kind = kind, .in = sl_alloc(SLICE)};
    if (kind == FILE_COMPRESS_GZIP) {
        s->gzip = libdeflate_alloc_compressor(6);
        if (!s->gzip) sl_out_of_memory(SLICE);
        s->out_cap = libdeflate_gzip_compress_bound(s->gzip, SLICE);
    } else {
        s->zstd = ZSTD_createCCtx();
        if (!s->zstd) sl_out_of_memory(SLICE);
        s->out_cap = ZSTD_compressBound(SLICE);
    }
    s->out = sl_alloc(s->out_cap);
}

static void squeezer_release(squeezer *s)
{
    libdeflate_free_compressor(s->gzip);
    ZSTD_freeCCtx(s->zstd);
    sl_free(s->in);
    sl_free(s->out);
}

static ssize_t squeeze(squeezer *s, size_t len)
{
    if (s->kind == FILE_COMPRESS_GZIP)
        return (ssize_t)libdeflate_gzip_compress(s->gzip, s->in, len, s->out, s->out_cap);
    size_t n = ZSTD_compressCCtx(s->zstd, s->out, s->out_cap, s->in, len, 3);
    return ZSTD_isError(n) ? -ENOMEM : (ssize_t)n;
}

static int copy_squeezed(squeezer *s, int from, int to)
{
    for (off_t at = 0;;) {
        ssize_t n = sl_fs_pread_all(from, s->in, SLICE, at);
        if (n <= 0) return (int)n;
        ssize_t squeezed = squeeze(s, (size_t)n);
        if (squeezed <= 0) return squeezed < 0 ? (int)squeezed : -EIO;
        int rc = sl_fs_pwrite_all(to, s->out, (size_t)squeezed, -1);
        if (rc < 0) return rc;
        at += n;
    }
}

int file_compress(const char *from, const char *to, int kind)
{
    int in = sl_fs_open(from, O_RDONLY, 0);
    if (in < 0) return in;
    struct stat st;
    int rc = sl_fs_fstat(in, &st);
    int out = rc < 0 ? rc : sl_fs_open(to, O_WRONLY | O_CREAT | O_TRUNC, st.st_mode & 0777);
    if (out < 0) {
        sl_fs_close(in);
        return out;
    }
    squeezer s;
    squeezer_init(&s, kind);
    rc = copy_squeezed(&s, in, out);
    if (rc == 0) rc = sl_fs_fsync(out);
    squeezer_release(&s);
    sl_fs_close(in);
    sl_fs_close(out);
    return rc;
}
