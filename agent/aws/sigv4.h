/* sigv4.h: AWS Signature Version 4: what a request is made to say before it is signed, and the signature.
 *
 * Pure but for the key: deriving it takes four HMACs, so it is kept for as long as secret, day, region and
 * service are the same. One thread at a time.
 *
 * Source: "Create a signed AWS API request" (IAM User Guide, reference_sigv-create-signed-request.html), and
 * "Signature Calculations for the Authorization Header" (Amazon S3 API Reference,
 * sig-v4-header-based-auth.html) for what S3 does otherwise.
 */
#ifndef SLUICE_SIGV4_H
#define SLUICE_SIGV4_H

#include <sluice/aws.h>

#define SL_SHA256_LEN 32

typedef struct sl_sigv4 {
    unsigned char key[SL_SHA256_LEN];
    sl_buf key_of; /* day, region, service and secret that the key was derived from */
} sl_sigv4;

void sl_sigv4_release(sl_sigv4 *sigv4); /* wipes */

typedef struct sl_sigv4_scope {
    const sl_aws_credentials *credentials;
    sl_span region;
    sl_span host; /* as the client sends it: with a port that is not the scheme's own */
    const char *service;
    bool s3;
    int64_t now_ns;
} sl_sigv4_scope;

/* The headers that make `req` a signed one: Authorization, X-Amz-Date, with a session token
 * X-Amz-Security-Token, and for S3 X-Amz-Content-Sha256. */
void sl_sigv4_sign(sl_sigv4 *sigv4, const sl_sigv4_scope *scope, const sl_aws_request *req,
                   sl_aws_headers *out);

/* The other way: a GET whose path carries the signature in its query, and nothing else has to be sent with it
 * ("Authenticating Requests: Using Query Parameters", Amazon S3 API Reference, sigv4-query-string-auth.html).
 * path: as in sl_aws_request. Appended to `out`: the path with its query. Good for expires_s seconds. */
void sl_sigv4_presign(sl_sigv4 *sigv4, const sl_sigv4_scope *scope, sl_span path, unsigned expires_s,
                      sl_buf *out);

/* The steps, for tests. Appended. `signed_names`: the names of all headers that are signed, as
 * "host;x-amz-date". */
void sl_sigv4_canonical_request(const sl_sigv4_scope *scope, const sl_aws_request *req, sl_buf *out,
                                sl_buf *signed_names);
void sl_sigv4_string_to_sign(const sl_sigv4_scope *scope, sl_span canonical_request, sl_buf *out);

#endif
