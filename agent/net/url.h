/* url.h: the URLs of services, taken apart by curl's own parser (RFC 3986 and what browsers accept), so that
 * what passes here is what the client will connect to. Any thread. */
#ifndef SLUICE_URL_H
#define SLUICE_URL_H

#include <sluice/base.h>

/* http or https, a host, no credentials, query or fragment. `what` begins the sentence: "option `endpoint`";
 * `login` ends it where there are credentials: "write them under `auth`". 0 or SL_E_CONFIG; the URL itself is
 * shown only once it is known to hold none. */
int sl_url_check(sl_span text, const char *what, const char *login, sl_err *err);

/* Parts of a URL that passed. Spans point into it. */
typedef struct sl_url_parts {
    bool https;
    sl_span host; /* IPv6 addresses in brackets, as written */
    sl_span port; /* empty: the scheme's own */
    sl_span path; /* without a slash at its end: "" or "/prefix" */
} sl_url_parts;
sl_url_parts sl_url_split(sl_span url);

#endif
