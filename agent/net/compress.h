/* compress.h: whole bodies compressed for the wire, with one context that is used again for each.
 *
 * Belongs to one thread at a time. Memory: the context (libdeflate below 1 MiB at level 1, zstd about 1 MiB
 * at level 1) is made at the first body.
 */
#ifndef SLUICE_COMPRESS_H
#define SLUICE_COMPRESS_H

#include <sluice/http.h>

typedef struct sl_compressor sl_compressor;

/* type: SL_COMPRESS_GZIP or SL_COMPRESS_ZSTD. level: 0 is 1, the fastest. gzip 1..12 (RFC 1952, by
 * libdeflate), zstd 1..19 (RFC 8878). */
sl_compressor *sl_compressor_new(int type, int level);
void sl_compressor_free(sl_compressor *compressor); /* NULL is fine */
/* Replaces what is in `out` by the compressed body, one gzip member or zstd frame. 0 or SL_E_NOMEM. */
int sl_compressor_run(sl_compressor *compressor, sl_span body, sl_buf *out);
/* The value of Content-Encoding; NULL for SL_COMPRESS_NONE. */
const char *sl_compress_name(int type);

#endif
