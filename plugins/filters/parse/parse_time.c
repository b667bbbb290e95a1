/* parse_time.c: the time of a record, and its "@timestamp".
 *
 * The first field that is there and holds a time gives the record's time. Delivered is one "@timestamp":
 *   - the record's own, untouched, when it gave the time and is RFC 3339;
 *   - else the record's time, in UTC, joined at encoding; an own one is taken out then: it was the source in
 *     another spelling, or another field was asked to be the source, or it is no time at all and moves to
 *     "@timestamp_original". Numbers in fields that nobody asked for (`time: 35` may be a duration) are no
 *     bad times.
 */
#include "parse_int.h"

#define TIME_TEXT_MAX 64 /* a decoded time with escapes in it; longer ones are no times */

#define TIMESTAMP "@timestamp"
#define ORIGINAL  "@timestamp_original"

const sl_option parse_time_options[] = {
    {"field", SL_OPT_PATH, offsetof(parse_time_conf, fields), .flags = SL_OPT_LIST | SL_OPT_MAIN,
     .def = "[\"@timestamp\", timestamp, time, ts]", .set_offset = offsetof(parse_time_conf, fields_set),
     .help = "The field with the time, or several: the first that is there and holds a time counts. With the "
             "filter's `field`, "
             "the default is looked for inside it."},
    {"format", SL_OPT_STRING, offsetof(parse_time_conf, format),
     .help = "A strptime format, with `%L` and `%f` for fractions, e.g. `%d/%b/%Y:%H:%M:%S %z`. Without one, "
             "ISO 8601, RFC 3339, "
             "`YYYY-MM-DD HH:mm:ss` and numbers since the epoch in s, ms, us or ns are recognised."},
    {"zone", SL_OPT_STRING, offsetof(parse_time_conf, zone), .def = "UTC",
     .help = "Time zone of times that do not tell theirs: `UTC`, `local`, an offset like `+02:00`, or a name "
             "like "
             "`Europe/Berlin`."},
    {"keep", SL_OPT_BOOL, offsetof(parse_time_conf, keep), .def = "true",
     .help = "Keep the field that the time was read from; `@timestamp` itself is never there twice."},
    {0}};

/* ---- configuration ---- */

static sl_path *path_inside(const sl_path *outer, sl_span name, sl_err *err)
{
    sl_buf text = SL_BUF_NONE;
    if (outer) {
        sl_buf_append_span(&text, sl_path_text(outer));
        sl_buf_append_char(&text, '.');
    }
    sl_buf_append_span(&text, name);
    sl_path *path = sl_path_parse(sl_buf_span(&text), err);
    sl_buf_release(&text);
    return path;
}

static bool is_timestamp(const sl_path *path)
{
    sl_span text = sl_path_text(path);
    return sl_span_is_cstr(text, TIMESTAMP) || sl_span_is_cstr(text, "[\"" TIMESTAMP "\"]") ||
           sl_span_is_cstr(text, "['" TIMESTAMP "']");
}

static int add_candidate(parse_time_conf *conf, sl_path *path)
{
    if (!path) return SL_E_CONFIG;
    conf->candidates[conf->count++] = (time_candidate){path, is_timestamp(path)};
    return 0;
}

/* The fields of the configuration, inside `field` if nobody wrote them; behind them the record's own
 * "@timestamp". */
static int make_candidates(parse_time_conf *conf, const sl_path *field, sl_err *err)
{
    conf->candidates = sl_calloc(conf->fields.count + 1, sizeof(*conf->candidates));
    bool has_timestamp = false;
    int res = 0;
    for (size_t i = 0; i < conf->fields.count && res == 0; i++) {
        sl_span name = sl_path_text(SL_LIST_AT(conf->fields, sl_path *, i));
        res = add_candidate(conf, path_inside(conf->fields_set ? NULL : field, name, err));
        if (res == 0) has_timestamp |= conf->candidates[i].is_timestamp;
    }
    if (res == 0 && !has_timestamp) res = add_candidate(conf, sl_path_parse(SL_SPAN(TIMESTAMP), err));
    return res == 0 ? 0 : sl_err_prefix(err, "option `time.field`");
}

int parse_time_check(parse_time_conf *conf, const sl_path *field, sl_err *err)
{
    int res = make_candidates(conf, field, err);
    if (res != 0) return res;
    conf->original = sl_path_parse(SL_SPAN(ORIGINAL), err);
    if (!conf->original) return err->code;
    conf->timezone = sl_timezone_parse(conf->zone, err);
    if (!conf->timezone) return sl_err_prefix(err, "option `time.zone`");
    if (conf->format.len == 0) return 0;
    conf->compiled = sl_time_format_parse(conf->format, err);
    return conf->compiled ? 0 : sl_err_prefix(err, "option `time.format`");
}

void parse_time_release(parse_time_conf *conf)
{
    for (uint32_t i = 0; i < conf->count; i++)
        sl_path_free(conf->candidates[i].path);
    sl_free(conf->candidates);
    sl_path_free(conf->original);
    sl_time_format_free(conf->compiled);
    sl_timezone_free(conf->timezone);
}

/* ---- one field ---- */

typedef enum reading { ABSENT, READ, NO_TIME } reading;

bool parse_time_read(const parse_time_conf *conf, sl_span text, int64_t now_ns, int64_t *ns)
{
    if (!conf->compiled) return sl_time_parse(text, conf->timezone, ns);
    return sl_time_parse_format(conf->compiled, text, conf->timezone, now_ns, ns);
}

/* The time in the value of a token. */
static bool read_value(const parse_time_conf *conf, const sl_record *rec, const sl_token *tok, int64_t *ns)
{
    char decoded[TIME_TEXT_MAX];
    sl_span text = {rec->text + tok->off, tok->len};
    if (tok->type != SL_JSON_STRING && tok->type != SL_JSON_NUMBER) return false;
    if (tok->flags & SL_TOKEN_ESCAPED) {
        if (text.len > sizeof(decoded)) return false;
        text = (sl_span){decoded, sl_json_unescape(text, decoded)};
    }
    return parse_time_read(conf, text, rec->time_ns, ns);
}

static reading read_candidate(const parse_time_conf *conf, const sl_record *rec, const sl_token *tok,
                              const time_candidate *candidate, uint32_t *at, int64_t *ns)
{
    *at = sl_path_find(candidate->path, (sl_span){rec->text, rec->len}, tok);
    if (*at == 0 || tok[*at].type == SL_JSON_NULL) return ABSENT;
    if (read_value(conf, rec, &tok[*at], ns)) return READ;
    bool unasked = !conf->fields_set && tok[*at].type != SL_JSON_STRING && !candidate->is_timestamp;
    return unasked ? ABSENT : NO_TIME;
}

/* YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm), as every consumer reads it. text is known to be a time. */
static bool is_rfc3339(sl_span text)
{
    if (text.len < 20 || text.ptr[10] != 'T' || text.ptr[16] != ':' || text.ptr[17] == '6') return false;
    size_t at = 19;
    if (text.ptr[at] == '.')
        while (++at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') {
        }
    if (at > 29) return false; /* finer than ns: an index takes it for text */
    if (at + 1 == text.len) return text.ptr[at] == 'Z';
    return at + 6 == text.len && (text.ptr[at] == '+' || text.ptr[at] == '-') && text.ptr[at + 3] == ':';
}

/* ---- "@timestamp" ---- */

static bool has_own_timestamp(const sl_record *rec)
{
    return !(rec->flags & SL_RECORD_TIME);
}

static void take_out(sl_batch *batch, sl_record *rec, const sl_path *timestamp)
{
    sl_record_remove(batch, rec, timestamp);
    rec->flags |= SL_RECORD_TIME;
}

/* An "@timestamp" that is no time: taken for one by an index it would cost the whole record. */
static void move_aside(const parse_time_conf *conf, sl_batch *batch, sl_record *rec, const sl_path *timestamp)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    uint32_t at = tok ? sl_path_find(timestamp, (sl_span){rec->text, rec->len}, tok) : 0;
    if (at == 0) return;
    bool quoted = tok[at].type == SL_JSON_STRING;
    sl_span value = {rec->text + tok[at].off - quoted, tok[at].len + 2 * (size_t)quoted};
    take_out(batch, rec, timestamp);
    (void)sl_record_set(batch, rec, conf->original,
                        value); /* fails for want of memory only; the time is right all the same */
}

static const sl_path *timestamp_path(const parse_time_conf *conf)
{
    uint32_t i = 0;
    while (!conf->candidates[i].is_timestamp)
        i++;
    return conf->candidates[i].path;
}

/* The record's time is known. `source` gave it, at token `at`. */
static void settle(const parse_time_conf *conf, sl_batch *batch, sl_record *rec, const sl_token *tok,
                   const time_candidate *source, uint32_t at, bool timestamp_is_bad)
{
    if (source->is_timestamp) {
        bool good = tok[at].type == SL_JSON_STRING && !conf->compiled &&
                    is_rfc3339((sl_span){rec->text + tok[at].off, tok[at].len});
        if (!good) take_out(batch, rec, source->path);
        return;
    }
    if (SL_UNLIKELY(has_own_timestamp(rec))) {
        if (timestamp_is_bad)
            move_aside(conf, batch, rec, timestamp_path(conf));
        else
            take_out(batch, rec, timestamp_path(conf));
    }
    if (!conf->keep) sl_record_remove(batch, rec, source->path);
}

void parse_time_apply(const parse_time_conf *conf, sl_batch *batch, sl_record *rec, parse_result *result)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    bool timestamp_is_bad = false;
    result->time = PARSE_TIME_NONE;
    if (!tok) return;
    for (uint32_t i = 0; i < conf->count; i++) {
        const time_candidate *candidate = &conf->candidates[i];
        if (candidate->is_timestamp && !has_own_timestamp(rec)) continue;
        uint32_t at;
        int64_t ns;
        reading found = read_candidate(conf, rec, tok, candidate, &at, &ns);
        if (found == READ) {
            settle(conf, batch, rec, tok, candidate, at, timestamp_is_bad);
            rec->time_ns = ns;
            result->time = PARSE_TIME_FOUND;
            return;
        }
        if (found == NO_TIME && !result->bad_time) result->bad_time = candidate->path;
        timestamp_is_bad |= candidate->is_timestamp;
    }
    if (timestamp_is_bad) move_aside(conf, batch, rec, timestamp_path(conf));
    if (result->bad_time) result->time = PARSE_TIME_BAD;
}
