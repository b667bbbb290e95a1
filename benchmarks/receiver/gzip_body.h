/* Unpacks gzip bodies (RFC 1952) into one buffer that is used again for each. */
#ifndef GZIP_BODY_H
#define GZIP_BODY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct gzip_body gzip_body;

/* `limit`: most bytes a body may have unpacked. The caller owns the result. */
gzip_body *gzip_body_new(size_t limit);
void gzip_body_free(gzip_body *gzip);

/* Unpacks all members of `in`. On success *out is valid until the next call and *out_len its length; returns
 * false for anything that is not whole gzip members or beyond the limit. `in` may not be *out of an earlier
 * call. */
bool gzip_body_inflate(gzip_body *gzip, const char *in, size_t in_len, const char **out, size_t *out_len);

#endif
