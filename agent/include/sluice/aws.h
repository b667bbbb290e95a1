/* aws.h: what an output for a service of Amazon Web Services needs: where the service is, whose credentials it
 * gets, and the signature of each request.
 *
 *   typedef struct { sl_aws_conf aws; sl_http_conf http; … } my_conf;
 *   static const sl_option options[] = {SL_OPT_INLINE_TABLE(my_conf, aws, sl_aws_options), …};
 *   static const sl_aws_service logs = {.name = "logs", .host = "logs", .gov_is_fips = true};
 *
 * check():  sl_aws_conf_check()
 * start():  sl_aws_new(): it asks for credentials at once
 * changed(): sl_aws_ready() says 0: sl_aws_url() and sl_aws_sign() may be used from here on
 * each sending: sl_aws_sign(), also of a repetition: a signature holds the time and is good for minutes
 * "ExpiredToken" and the like: sl_aws_expired(), and the request is tried again
 *
 * Sources: "AWS Signature Version 4 for API requests", IAM User Guide (reference_sigv.html); "Standardized
 * credential providers", AWS SDKs and Tools Reference Guide (standardized-credentials.html).
 */
#ifndef SLUICE_AWS_H
#define SLUICE_AWS_H

#include <sluice/base.h>
#include <sluice/http.h>
#include <sluice/loop.h>
#include <sluice/option.h>

/* Where credentials come from. AUTO: the first of the others that is there, in this order. */
enum {
    SL_AWS_AUTO,
    SL_AWS_OPTIONS,
    SL_AWS_ENVIRONMENT,  /* AWS_ACCESS_KEY_ID, … */
    SL_AWS_PROFILE,      /* of the shared files, also by IAM Identity Center ("SSO") */
    SL_AWS_WEB_IDENTITY, /* AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: EKS's IRSA, other OIDC providers */
    SL_AWS_CONTAINER,    /* ECS, EKS Pod Identity */
    SL_AWS_IMDS,         /* the instance metadata service of EC2, version 2 */
};

/* A role that is taken on with the credentials that were found. */
typedef struct sl_aws_assume_conf {
    sl_span role_arn; /* empty: none */
    sl_span external_id, session_name;
    int64_t duration_ns; /* 0: what AWS gives by itself */
} sl_aws_assume_conf;

typedef struct sl_aws_conf {
    sl_span region;       /* empty: from environment, profile or instance metadata */
    sl_span endpoint;     /* URL of the service; empty: AWS's own name for it */
    sl_span sts_endpoint; /* the same of the service that roles are asked from */
    bool fips;            /* the endpoints whose cryptography is validated */
    bool dual_stack;      /* the endpoints that have IPv6 addresses, too */
    int credentials;      /* SL_AWS_* */
    sl_span access_key_id;
    sl_span secret_access_key, session_token; /* secrets */
    sl_span profile;
    sl_aws_assume_conf assume_role;
} sl_aws_conf;

/* The rows of sl_aws_conf, for SL_OPT_INLINE_TABLE(). */
extern const sl_option sl_aws_options[];
/* What no single row can say. For a plugin's check(). 0 or SL_E_CONFIG; never a secret in the text. */
int sl_aws_conf_check(const sl_aws_conf *conf, sl_err *err);

/* A service, as its plugin knows it: constant. */
typedef struct sl_aws_service {
    const char *name; /* in the scope of a signature: "logs" */
    const char *host; /* first label of its endpoints: "logs" */
    bool gov_is_fips; /* its plain endpoints in the us-gov regions are the FIPS ones; none is named -fips */
    bool s3;          /* signs as S3 wants it: paths encoded once and as they are; X-Amz-Content-Sha256 */
} sl_aws_service;

/* The URL of the service in a region: of `endpoint` when set, else made from name, region, `fips` and
 * `dual_stack` and the partition (China, us-gov, …) that the region belongs to. Appended to `url`. 0 or
 * SL_E_CONFIG: no such region can be, and nothing is appended. */
int sl_aws_endpoint(const sl_aws_conf *conf, const sl_aws_service *service, sl_span region, sl_buf *url,
                    sl_err *err);

/* ---- one user of one service, on one loop ---- */

typedef struct sl_aws sl_aws;

/* Begins to ask for credentials and, where it is not configured, the region. conf and service must outlive the
 * object. http: its `proxy` and `tls.ca` hold for requests that leave the machine; must outlive it, too.
 * changed(): on the loop, never from within a call: sl_aws_ready() has another answer now, or the URL another
 * value. Errors are logged by the caller, who knows whether they matter.
 * All calls on that loop. */
sl_aws *sl_aws_new(sl_loop *loop, const sl_aws_conf *conf, const sl_aws_service *service,
                   const sl_http_conf *http, void (*changed)(void *arg), void *arg);
void sl_aws_free(sl_aws *aws); /* NULL is fine; changed() is not called any more */

/* 0: requests can be signed. SL_E_AGAIN: credentials were asked for, the answer is awaited. Else what keeps
 * them away: one sentence that lists each source that was tried and why it gave none; they are asked for again
 * by themselves, more and more seldom. */
int sl_aws_ready(const sl_aws *aws, sl_err *err);

/* The credentials in use, valid until the loop's next turn; NULL unless ready. They are refreshed before they
 * end; should that fail, the old ones stay until they have ended. */
typedef struct sl_aws_credentials {
    sl_span access_key_id, secret_access_key;
    sl_span session_token; /* empty: none */
    int64_t expires_ns;    /* wall clock; 0: they do not end */
    const char *source;    /* "environment", "instance metadata", …; static */
} sl_aws_credentials;
const sl_aws_credentials *sl_aws_credentials_get(const sl_aws *aws);

/* Both empty until they are known, which is before ready; unchanged from then on. */
sl_span sl_aws_region(const sl_aws *aws);
sl_span sl_aws_url(const sl_aws *aws); /* for sl_http_conf's `url` */

/* The service said that the credentials have expired or are not known (any more): others are asked for, once a
 * few seconds at most; ready again says so. */
void sl_aws_expired(sl_aws *aws);

/* ---- signing ---- */

typedef struct sl_aws_request {
    const char *method;
    sl_span path;                  /* what follows the URL, as it is sent: percent-encoded, with the query */
    const sl_http_header *headers; /* those to be signed: Content-Type, Content-Encoding, X-Amz-… */
    size_t header_count;
    sl_span body; /* as it goes over the wire: compressed */
} sl_aws_request;

/* The headers to send beside those of the request. Zero-initialised is valid, and so is using it again. */
#define SL_AWS_SIGNED_HEADERS 4
typedef struct sl_aws_headers {
    sl_http_header items[SL_AWS_SIGNED_HEADERS]; /* values point into text */
    size_t count;
    sl_buf text;
} sl_aws_headers;
void sl_aws_headers_release(sl_aws_headers *headers); /* wipes */

/* Signs for the time now_ns (wall clock) with the credentials in use. Must be ready. */
void sl_aws_sign(sl_aws *aws, const sl_aws_request *req, int64_t now_ns, sl_aws_headers *out);
/* The URL of a GET of `path` (as in sl_aws_request) that is signed by its query and good for expires_s seconds,
 * or until the credentials end. Appended; it is a secret for so long. Must be ready. */
void sl_aws_presign(sl_aws *aws, sl_span path, unsigned expires_s, int64_t now_ns, sl_buf *url);

#endif
