/* The head of an HTTP/1.1 request, and bodies in chunks (RFC 9112), as far as the receiver needs them.
 *
 * Pure functions over bytes that may be cut anywhere. What comes in is not trusted: lengths are bounded, a
 * request with two lengths or a length and chunks is refused. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_MAX_HEAD (64u << 10)           /* bytes of request line and headers */
#define HTTP_MAX_BODY (UINT64_C(256) << 20) /* bytes of a body on the wire */

typedef enum { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_OTHER } http_method;

typedef struct http_request {
    http_method method;
    uint32_t path, path_len;   /* where in the input the path is */
    uint32_t query, query_len; /* and the query, without '?'; length 0: none */
    uint32_t head_len;         /* bytes up to the body */
    uint64_t body_len;         /* Content-Length, 0 if none */
    bool chunked, gzip, close, expects_continue;
} http_request;

/* Parses the head at `in`. Returns 0 when complete, 1 when more bytes are needed, or the HTTP status (400,
 * 413, 415, 431, 501) to refuse with; `request` is whole only after 0. */
int http_request_parse(http_request *request, const char *in, size_t len);

typedef struct http_chunks {
    enum { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE } state;
    uint64_t left;     /* bytes of the chunk still to come */
    uint32_t digits;   /* of its size */
    uint32_t line_len; /* of the trailer line being read */
} http_chunks;

/* Decodes what it can of `in`: copies data to `out` (room for `len` bytes), sets `*used` and `*written`.
 * Returns 1 when the body is complete, 0 when it is not, -1 when it is not chunks or larger than
 * HTTP_MAX_BODY. `chunks` starts zeroed and is kept between calls; `total` is what earlier calls wrote. */
int http_chunks_decode(http_chunks *chunks, const char *in, size_t len, char *out, uint64_t total,
                       size_t *used, size_t *written);

#endif
