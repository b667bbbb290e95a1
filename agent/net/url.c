/* url.c: what a URL of a service may look like. */
#include "url.h"
#include <curl/curl.h>

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK && text;
    curl_free(text);
    return has;
}

static bool is_http(CURLU *url)
{
    char *scheme = NULL;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) return false;
    bool is = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    curl_free(scheme);
    return is;
}

static int check_parts(CURLU *url, const char *what, const char *login, const char *text, sl_err *err)
{
    if (!strstr(text, "://"))
        return sl_err_set(err, SL_E_CONFIG, "%s has no scheme: write it as https://host:port", what);
    CURLUcode rc = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    if (rc != CURLUE_OK)
        return sl_err_set(err, SL_E_CONFIG, "%s is not a URL: %s", what, curl_url_strerror(rc));
    if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        return sl_err_set(err, SL_E_CONFIG, "%s holds a user name or password: %s", what, login);
    if (!is_http(url))
        return sl_err_set(err, SL_E_CONFIG, "%s: %s is neither http:// nor https://", what, text);
    if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
        return sl_err_set(err, SL_E_CONFIG, "%s: %s must end before any `?` or `#`", what, text);
    return 0;
}

int sl_url_check(sl_span text, const char *what, const char *login, sl_err *err)
{
    if (memchr(text.ptr, '\0', text.len)) return sl_err_set(err, SL_E_CONFIG, "%s holds a NUL", what);
    CURLU *url = curl_url();
    char *copy = sl_strndup(text.ptr, text.len);
    int rc = url ? check_parts(url, what, login, copy, err) : sl_err_set(err, SL_E_NOMEM, "out of memory");
    sl_free(copy);
    curl_url_cleanup(url);
    return rc;
}

static sl_span from(sl_span text, size_t at)
{
    return (sl_span){text.ptr + at, text.len - at};
}

sl_url_parts sl_url_split(sl_span url)
{
    sl_url_parts parts = {
        .https = sl_span_is_nocase((sl_span){url.ptr, url.len < 5 ? url.len : 5}, SL_SPAN("https"))};
    size_t scheme = sl_span_find(url, SL_SPAN("://"), 0);
    sl_span rest = scheme < url.len ? from(url, scheme + 3) : url;
    size_t slash = sl_span_find(rest, SL_SPAN("/"), 0);
    parts.path = from(rest, slash);
    while (parts.path.len && parts.path.ptr[parts.path.len - 1] == '/')
        parts.path.len--;
    sl_span host = {rest.ptr, slash};
    size_t bracket = host.len && host.ptr[0] == '[' ? sl_span_find(host, SL_SPAN("]"), 0) : 0;
    size_t colon = sl_span_find(host, SL_SPAN(":"), bracket);
    if (colon < host.len) parts.port = from(host, colon + 1);
    parts.host = (sl_span){host.ptr, colon};
    if (sl_span_is_cstr(parts.port, parts.https ? "443" : "80")) parts.port = SL_SPAN_NONE;
    return parts;
}
