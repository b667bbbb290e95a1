/* http.h: requests and answers as a plugin sees them, and the options that every HTTP output shares.
 *
 * A plugin that delivers over HTTP encodes a body and judges an answer. Connections, TLS, compression,
 * time-outs, retries and balancing over several URLs are the core's.
 */
#ifndef SLUICE_HTTP_H
#define SLUICE_HTTP_H

#include <sluice/base.h>
#include <sluice/option.h>

enum { SL_COMPRESS_NONE, SL_COMPRESS_GZIP, SL_COMPRESS_ZSTD };

typedef struct sl_tls_conf {
    bool verify;          /* default true */
    sl_span ca;           /* file of trusted CAs; empty: the system's */
    sl_span cert, key;    /* client certificate and key, PEM files */
    sl_span key_password; /* secret */
    sl_span pinned_key;   /* sha256//<base64> of the server's public key */
    sl_span server_name;  /* name to verify instead of the URL's host */
} sl_tls_conf;

typedef struct sl_auth_conf {
    sl_span user, password; /* basic */
    sl_span api_key;        /* Authorization: ApiKey … */
    sl_span bearer;         /* Authorization: Bearer … */
} sl_auth_conf;

typedef struct sl_http_conf {
    sl_list url; /* of sl_span; requests are spread over the healthy ones */
    sl_auth_conf auth;
    sl_tls_conf tls;
    sl_list headers;            /* of sl_opt_pair */
    int compress;               /* SL_COMPRESS_* */
    int64_t compress_level;     /* 0: 1, the fastest */
    int64_t timeout_ns;         /* of a whole request, default 60s */
    int64_t connect_timeout_ns; /* default 10s */
    uint64_t max_answer;        /* bytes of an answer that are read, default 16MiB */
    sl_span proxy; /* secret: it may hold a password; empty: none, the environment is not asked */
} sl_http_conf;

/* The rows of sl_http_conf, `offset`s relative to it: take them into a plugin's table by
 * SL_OPT_INLINE_TABLE(). */
extern const sl_option sl_http_options[];
/* The same without `url` and `auth`, for a service whose plugin knows where it is and how to log in. */
extern const sl_option sl_http_transfer_options[];
/* What no single row can say: URLs (http or https, a host, no credentials, query or fragment), headers, ways
 * of authentication that exclude each other, files that must be readable. For a plugin's check(), which calls
 * it once the URLs are known. 0 or SL_E_CONFIG; the text names the option and never holds a secret. */
int sl_http_conf_check(const sl_http_conf *conf, sl_err *err);
/* Its part for the options of sl_http_transfer_options. */
int sl_http_transfer_check(const sl_http_conf *conf, sl_err *err);
/* Its part for TLS, for outputs that have the same options under `tls` and connect by other means. */
int sl_tls_conf_check(const sl_tls_conf *tls, sl_err *err);

/* A row that takes in another table at an offset, as if its rows stood here. */
#define SL_OPT_INLINE ((sl_opt_type)100)
#define SL_OPT_INLINE_TABLE(struct_type, member, table)                                                      \
    {                                                                                                        \
        "", SL_OPT_INLINE, offsetof(struct_type, member), .rows = (table)                                    \
    }

/* A header of one request, beside those of the configuration. */
typedef struct sl_http_header {
    const char *name;
    sl_span value; /* no control characters */
} sl_http_header;

/* What came back. All spans are valid during the call they are given to. */
typedef enum sl_transport_error {
    SL_TRANSPORT_OK,
    SL_TRANSPORT_RESOLVE, /* the name could not be resolved */
    SL_TRANSPORT_CONNECT, /* refused, unreachable, connect timed out */
    SL_TRANSPORT_TLS,     /* certificate or handshake */
    SL_TRANSPORT_TIMEOUT, /* no whole answer within the time-out */
    SL_TRANSPORT_BROKEN,  /* ended before the answer did; or the answer was no HTTP, or longer than max_answer
                           */
} sl_transport_error;

typedef struct sl_answer {
    sl_transport_error transport;
    int status; /* 100..599; 0 without one */
    sl_span body;
    int64_t retry_after_ns; /* from Retry-After, else 0 */
    int64_t date_ns;        /* the other side's clock (Date), ns since the epoch; 0: it did not say */
    const char *error;      /* for a person, when transport is not OK; no secrets */
    sl_span url;            /* which of the URLs, without credentials */
    int64_t duration_ns;
} sl_answer;

#endif
