/* http_headers.h: the header lines of an HTTP client's requests. Inside net/ only; one loop.
 *
 * They hold the credentials, so each list is made once and wiped when it is freed.
 */
#ifndef SLUICE_HTTP_HEADERS_H
#define SLUICE_HTTP_HEADERS_H

#include <curl/curl.h>
#include <sluice/http.h>

typedef struct sl_http_headers {
    const sl_http_conf *conf;
    char *authorization;         /* the whole line, or NULL */
    struct sl_header_list *made; /* one for each content type and encoding that was asked for */
} sl_http_headers;

void sl_http_headers_init(sl_http_headers *headers, const sl_http_conf *conf);
void sl_http_headers_release(sl_http_headers *headers);
/* The list for a content type and encoding (static texts or NULL). Stays valid until release. */
struct curl_slist *sl_http_headers_get(sl_http_headers *headers, const char *type, const char *encoding);
/* Puts the headers of one request before a list of the above; sl_http_headers_take_off() gives the list back
 * as it was and wipes what was put before it. */
struct curl_slist *sl_http_headers_put_on(struct curl_slist *list, const sl_http_header *headers,
                                          size_t count);
void sl_http_headers_take_off(struct curl_slist *lines, size_t count);

#endif
