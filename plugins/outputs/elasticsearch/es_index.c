/* es_index.c: names of indices.
 *
 * A name that comes from a record is input: it is held to Elasticsearch's rules before it is sent, so that a
 * strange value cannot make a whole request fail, and it must not begin with a dot, so that no record gets
 * into a system index. Most templates have times and no fields: their name is made once for each day (hour,
 * minute) it stands for.
 */
#include "es_int.h"

bool es_index_is_valid(sl_span name)
{
    if (!name.len || name.len > ES_MAX_INDEX_NAME) return false;
    if (strchr("-_+.", name.ptr[0])) return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c == 0x7f || (c >= 'A' && c <= 'Z') || strchr("\\/*?\"<>|,#:", c)) return false;
    }
    return true;
}

void es_constant_write(const sl_template *tpl, sl_buf *out)
{
    sl_assert(sl_template_is_constant(tpl));
    sl_reader nothing = {0}; /* of which it reads nothing */
    sl_template_write(tpl, &nothing, out);
}

void es_index_init(es_index *index, const es_conf *conf, sl_counter *fallbacks)
{
    const sl_template *tpl = conf->data_stream ? conf->data_stream : conf->index;
    *index = (es_index){.tpl = tpl,
                        .fallback = conf->index_fallback,
                        .constant = sl_template_is_constant(tpl),
                        .fallbacks = fallbacks};
    index->granule_ns = sl_template_granule(tpl);
}

void es_index_release(es_index *index)
{
    sl_buf_release(&index->name);
    sl_buf_release(&index->next);
}

static int64_t granule_at(const es_index *index, int64_t time_ns)
{
    int64_t granule = time_ns / index->granule_ns;
    return time_ns % index->granule_ns < 0 ? granule - 1 : granule;
}

static bool is_cached(es_index *index, int64_t time_ns)
{
    if (!index->granule_ns) return false;
    int64_t granule = granule_at(index, time_ns);
    bool hit = index->cached && granule == index->cached_granule;
    index->cached = true;
    index->cached_granule = granule;
    return hit;
}

/* Neighbours mostly have the same name, which is checked once. */
static void take_next(es_index *index)
{
    if (sl_span_is(sl_buf_span(&index->name), sl_buf_span(&index->next))) return;
    sl_buf name = index->name;
    index->name = index->next;
    index->next = name;
    index->name_ok = es_index_is_valid(sl_buf_span(&index->name));
}

sl_span es_index_name(es_index *index, sl_reader *reader)
{
    if (!is_cached(index, reader->rec->time_ns)) {
        sl_buf_clear(&index->next);
        bool made = sl_template_write(index->tpl, reader, &index->next) == 0;
        if (!made) sl_buf_clear(&index->next);
        take_next(index);
    }
    if (index->name_ok) return sl_buf_span(&index->name);
    sl_counter_add(index->fallbacks, 1);
    return index->fallback;
}
