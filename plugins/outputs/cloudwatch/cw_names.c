/* cw_names.c: where a record goes.
 *
 * Names come from records, so they are input: what the service would refuse is escaped or refused here, record
 * by record, and never makes a whole request fail. Most names are the same for neighbours: they are checked and
 * escaped when they change, and where the templates have no fields, made once for each time they stand for.
 */
#include "cw_int.h"

#define NO_NAME  "!a field that the name of its group or stream is made of is missing"
#define BAD_NAME "!the name of its group or stream is not allowed"

/* ---- one name ---- */

static bool is_group_char(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-/.#", c));
}

static bool is_stream_char(unsigned char c)
{
    return c >= 0x20 && c != 0x7f && c != ':' && c != '*';
}

/* Unicode characters, as the service's model counts lengths. */
static bool is_start(unsigned char c)
{
    return (c & 0xc0) != 0x80;
}

static bool is_valid(sl_span name, bool (*is_char)(unsigned char c))
{
    size_t chars = 0;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (!is_char(c)) return false;
        chars += is_start(c);
    }
    return chars > 0 && chars <= CW_MAX_NAME;
}

static bool is_reserved(sl_span group)
{
    return sl_span_starts_with(group, SL_SPAN("aws/"));
}

bool cw_group_is_valid(sl_span name)
{
    return is_valid(name, is_group_char) && !is_reserved(name);
}

bool cw_stream_is_valid(sl_span name)
{
    return is_valid(name, is_stream_char);
}

/* One `_` for each character that may not be there, however many bytes it has. */
static void escape(sl_span name, size_t chars, bool (*is_char)(unsigned char c), sl_buf *out)
{
    bool drop = false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (is_start(c)) {
            if (chars++ == CW_MAX_NAME) return;
            drop = !is_char(c);
            sl_buf_append_char(out, drop ? '_' : (char)c);
        } else if (!drop) {
            sl_buf_append_char(out, (char)c);
        }
    }
    if (!chars) sl_buf_append_char(out, '_');
}

void cw_group_escape(sl_span name, sl_buf *out)
{
    bool reserved = is_reserved(name);
    if (reserved) sl_buf_append_char(out, '_');
    escape(name, reserved, is_group_char, out);
}

void cw_stream_escape(sl_span name, sl_buf *out)
{
    escape(name, 0, is_stream_char, out);
}

/* ---- both names of a record ---- */

void cw_places_init(cw_places *places, const cw_conf *conf)
{
    int64_t group = sl_template_granule(conf->group), stream = sl_template_granule(conf->stream);
    *places = (cw_places){.conf = conf, .granule_ns = group < stream ? group : stream};
}

void cw_places_release(cw_places *places)
{
    sl_reader_release(&places->reader);
    sl_buf_release(&places->raw);
    sl_buf_release(&places->next);
    sl_buf_release(&places->key);
}

static void write_name(sl_span raw, bool escape_it, bool (*is_right)(sl_span),
                       void (*escape_name)(sl_span, sl_buf *), sl_buf *key, bool *good)
{
    if (is_right(raw))
        sl_buf_append_span(key, raw);
    else if (escape_it)
        escape_name(raw, key);
    else
        *good = false;
}

static void make_key(cw_places *places)
{
    const sl_buf *raw = &places->raw;
    sl_span group = {raw->ptr, places->split}, stream = {raw->ptr + group.len, raw->len - group.len};
    bool good = true, escape_it = places->conf->bad_names == CW_BAD_ESCAPE;
    sl_buf_clear(&places->key);
    write_name(group, escape_it, cw_group_is_valid, cw_group_escape, &places->key, &good);
    sl_buf_append_char(&places->key, '\0');
    write_name(stream, escape_it, cw_stream_is_valid, cw_stream_escape, &places->key, &good);
    if (good) return;
    sl_buf_clear(&places->key);
    sl_buf_append_cstr(&places->key, BAD_NAME);
}

static void take_next(cw_places *places, size_t split)
{
    sl_buf raw = places->raw;
    places->raw = places->next;
    places->next = raw;
    places->split = split;
    make_key(places);
    places->known = true;
}

static bool is_known(cw_places *places, int64_t time_ns)
{
    if (!places->granule_ns) return false;
    int64_t granule = time_ns / places->granule_ns - (time_ns % places->granule_ns < 0);
    bool known = places->known && granule == places->granule;
    places->granule = granule;
    return known;
}

sl_span cw_place_of(cw_places *places, const sl_batch *batch, const sl_record *rec)
{
    if (is_known(places, rec->time_ns)) return sl_buf_span(&places->key);
    sl_reader_set(&places->reader, (sl_batch *)(uintptr_t)batch, (sl_record *)(uintptr_t)rec);
    sl_buf *next = &places->next;
    sl_buf_clear(next);
    bool made = sl_template_write(places->conf->group, &places->reader, next) == 0;
    size_t split = next->len;
    made = made && sl_template_write(places->conf->stream, &places->reader, next) == 0;
    if (!made) return SL_SPAN(NO_NAME);
    bool same =
        places->known && split == places->split && sl_span_is(sl_buf_span(next), sl_buf_span(&places->raw));
    if (!same) take_next(places, split);
    return sl_buf_span(&places->key);
}

bool cw_place_split(sl_span key, sl_span *group, sl_span *stream, sl_span *reason)
{
    const char *nul = memchr(key.ptr, '\0', key.len);
    if (!nul) {
        *reason = (sl_span){key.ptr + 1, key.len - 1};
        return false;
    }
    *group = (sl_span){key.ptr, (size_t)(nul - key.ptr)};
    *stream = (sl_span){nul + 1, key.len - group->len - 1};
    return true;
}
