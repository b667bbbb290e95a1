/* es_cloud_id.c: Elastic Cloud's way to name a deployment: a label, a colon, and in base64 the host and the
 * ids of its parts, separated by `$`. */
#include "es_int.h"

/* Hosts and ids are made of these only: nothing else may get into a URL. */
static bool is_host(sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '.';
        if (!ok) return false;
    }
    return text.len > 0;
}

static bool is_port(sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') return false;
    }
    return text.len > 0 && text.len <= 5;
}

static sl_span cut(sl_span *rest, char at)
{
    const char *found = rest->len ? memchr(rest->ptr, at, rest->len) : NULL;
    size_t len = found ? (size_t)(found - rest->ptr) : rest->len;
    sl_span first = {rest->ptr, len};
    size_t used = found ? len + 1 : len;
    *rest = (sl_span){rest->ptr + used, rest->len - used};
    return first;
}

static char *make_url(sl_span plain)
{
    sl_span host = cut(&plain, '$'), id = cut(&plain, '$');
    sl_span name = cut(&host, ':');
    sl_span port = host.len ? host : SL_SPAN("443");
    sl_span own_port = SL_SPAN_NONE;
    sl_span id_name = id;
    if (memchr(id.ptr ? id.ptr : "", ':', id.len)) {
        id_name = cut(&id, ':');
        own_port = id;
    }
    if (own_port.len) port = own_port;
    if (!is_host(name) || !is_host(id_name) || !is_port(port)) return NULL;
    sl_buf url = SL_BUF_NONE;
    sl_buf_printf(&url, "https://" SL_SPAN_FMT "." SL_SPAN_FMT ":" SL_SPAN_FMT, SL_SPAN_ARG(id_name),
                  SL_SPAN_ARG(name), SL_SPAN_ARG(port));
    char *text = sl_strndup(url.ptr, url.len);
    sl_buf_release(&url);
    return text;
}

char *es_cloud_id_url(sl_span cloud_id)
{
    const char *colon = cloud_id.len ? memrchr(cloud_id.ptr, ':', cloud_id.len) : NULL;
    sl_span coded = cloud_id;
    if (colon) coded = (sl_span){colon + 1, (size_t)(cloud_id.ptr + cloud_id.len - colon - 1)};
    sl_buf plain = SL_BUF_NONE;
    char *url = sl_buf_append_unbase64(&plain, coded) && plain.len ? make_url(sl_buf_span(&plain)) : NULL;
    sl_buf_release(&plain);
    return url;
}
