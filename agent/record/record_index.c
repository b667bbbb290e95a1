/* record_index.c: from a line to an object, and the tokens of a record.
 *
 * Tokens of all records of a batch stand in one tape. A record keeps the number of its first one, not a
 * pointer, since the tape moves as it grows.
 */
#include "record_int.h"

bool sl_record__wrap(const sl_record *rec, sl_buf *buf)
{
    sl_buf_append_span(buf, SL_SPAN("{\"message\":\""));
    size_t replaced = sl_json_write_escaped(buf, sl_record__text(rec));
    sl_buf_append_char(buf, '"');
    if (rec->flags & SL_RECORD_TRUNCATED) sl_buf_append_span(buf, SL_SPAN(",\"truncated\":true"));
    sl_buf_append_char(buf, '}');
    return replaced > 0;
}

/* Makes an object of a line, in the arena. */
static bool wrap_in_arena(sl_batch *batch, sl_record *rec)
{
    sl_buf *buf = &batch->_scratch;
    sl_buf_clear(buf);
    if (sl_buf_try_reserve(buf, 6 * (size_t)rec->len + SL_WRAP_MAX) != 0) return false;
    bool repaired = sl_record__wrap(rec, buf);
    char *text = buf->len <= SL_MAX_RECORD_GROWN ? sl_arena_try_alloc(&batch->arena, buf->len) : NULL;
    if (!text) return false;
    memcpy(text, buf->ptr, buf->len);
    rec->text = text;
    rec->len = (uint32_t)buf->len;
    rec->flags &= (uint16_t)~SL_RECORD_RAW;
    rec->flags |= SL_RECORD_VALID_UTF8 | SL_RECORD_WRAPPED;
    batch->repaired += repaired;
    return true;
}

/* Scans the text; on success the tokens are the record's. The place of older tokens of this record is used
 * again when they end the tape. */
static sl_json_result index_text(sl_batch *batch, sl_record *rec, sl_span text)
{
    sl_tape *tape = &batch->tape;
    if (rec->tape_len > 0 && rec->tape_at + rec->tape_len == tape->len) tape->len = rec->tape_at;
    uint32_t at = tape->len;
    rec->tape_len = 0;
    sl_json_result res = sl_json_index(tape, text);
    if (res.error != SL_JSON_OK) return res;
    rec->tape_at = at;
    rec->tape_len = res.tokens;
    return res;
}

static const sl_token *tokens_of(const sl_batch *batch, const sl_record *rec)
{
    return batch->tape.tok + rec->tape_at;
}

/* ---- lines as JSON ---- */

static sl_span trim_space(sl_span s)
{
    while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t' || *s.ptr == '\n' || *s.ptr == '\r'))
        s.ptr++, s.len--;
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\n' ||
                         s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

/* The index of a text that is to be an object: cleaned (see clean.c), so that *text may move into the arena.
 */
static sl_parse_result index_line(sl_batch *batch, sl_record *rec, sl_span *text)
{
    sl_parse_result res = {.json = index_text(batch, rec, *text)};
    if (res.json.error != SL_JSON_OK) return res;
    res.not_object = tokens_of(batch, rec)[0].type != SL_JSON_OBJECT;
    if (res.not_object || !sl_text__is_unclean(*text, &res.json)) return res;
    if (!sl_text__clean(batch, text, &res.replaced)) {
        res.json.error = SL_JSON_NO_MEMORY;
        return res;
    }
    sl_json_result again = index_text(batch, rec, *text);
    if (again.error != SL_JSON_OK) res.json.error = again.error;
    return res;
}

static void forget_tokens(sl_batch *batch, sl_record *rec)
{
    if (rec->tape_len > 0) batch->tape.len = rec->tape_at;
    rec->tape_len = 0;
}

sl_parse_result sl_record_parse_json(sl_batch *batch, sl_record *rec)
{
    sl_assert(!batch->sealed && (rec->flags & SL_RECORD_RAW));
    sl_span text = trim_space(sl_record__text(rec));
    size_t trimmed = (size_t)(text.ptr - rec->text);
    sl_parse_result res = index_line(batch, rec, &text);
    if (res.json.error != SL_JSON_OK || res.not_object) {
        forget_tokens(batch, rec);
        res.json.at += (uint32_t)trimmed;
        return res;
    }
    rec->text = text.ptr;
    rec->len = (uint32_t)text.len;
    rec->flags &= (uint16_t) ~(SL_RECORD_RAW | SL_RECORD_WRAPPED);
    rec->flags |= SL_RECORD_INDEXED | SL_RECORD_VALID_UTF8;
    sl_record__settle_joins(batch, rec, tokens_of(batch, rec));
    return res;
}

/* The decoded text of a string, in the arena. ptr NULL when memory is out. */
static sl_span decode_string(sl_batch *batch, sl_span spelled)
{
    char *text = sl_arena_try_alloc(&batch->arena, spelled.len);
    return text ? (sl_span){text, sl_json_unescape(spelled, text)} : SL_SPAN_NONE;
}

bool sl_record_parse_json_at(sl_batch *batch, sl_record *rec, const sl_path *path, sl_parse_result *result)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    uint32_t at = tok ? sl_path_find(path, sl_record__text(rec), tok) : 0;
    if (at == 0 || tok[at].type != SL_JSON_STRING) return false;
    sl_span text = decode_string(batch, sl_token__text(sl_record__text(rec), &tok[at]));
    *result = (sl_parse_result){.json = {.error = SL_JSON_NO_MEMORY}};
    if (!text.ptr) return false;
    text = trim_space(text);
    sl_record inner = {.text = text.ptr};
    *result = index_line(batch, &inner, &text);
    forget_tokens(batch, &inner);
    if (result->json.error != SL_JSON_OK || result->not_object) return false;
    int res = sl_record_set(batch, rec, path, text);
    if (res != 0) result->json.error = res == SL_E_LIMIT ? SL_JSON_TOO_DEEP : SL_JSON_NO_MEMORY;
    return res == 0;
}

bool sl_record_unwrap(sl_batch *batch, sl_record *rec)
{
    uint32_t count;
    if (!(rec->flags & SL_RECORD_WRAPPED)) return false;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    if (!tok || count != 3 || tok[2].type != SL_JSON_STRING) return false;
    if (!sl_key__is(sl_token__text(sl_record__text(rec), &tok[1]), tok[1].flags, SL_NAME_MESSAGE))
        return false;
    sl_span line = decode_string(batch, sl_token__text(sl_record__text(rec), &tok[2]));
    if (!line.ptr) return false;
    rec->text = line.ptr;
    rec->len = (uint32_t)line.len;
    rec->flags &= (uint16_t) ~(SL_RECORD_WRAPPED | SL_RECORD_INDEXED | SL_RECORD_TIME);
    rec->flags |= SL_RECORD_RAW;
    return true;
}

/* ---- tokens ---- */

/* A record that its input called an object but is none is a line like any other. */
static bool index_object(sl_batch *batch, sl_record *rec)
{
    sl_json_result res = index_text(batch, rec, sl_record__text(rec));
    if (res.error == SL_JSON_NO_MEMORY) return false;
    if (res.error == SL_JSON_OK && tokens_of(batch, rec)[0].type == SL_JSON_OBJECT) return true;
    if (!wrap_in_arena(batch, rec)) return false;
    if (index_text(batch, rec, sl_record__text(rec)).error != SL_JSON_OK) return false;
    sl_record__settle_joins(batch, rec, tokens_of(batch, rec));
    return true;
}

static bool make_tokens(sl_batch *batch, sl_record *rec)
{
    bool wrapped = rec->flags & SL_RECORD_RAW;
    if (wrapped && !wrap_in_arena(batch, rec)) return false;
    if (sl_record_flush(batch, rec) != 0 || !index_object(batch, rec)) return false;
    if (wrapped) sl_record__settle_joins(batch, rec, tokens_of(batch, rec));
    rec->flags |= SL_RECORD_INDEXED;
    return true;
}

const sl_token *sl_record_tokens(sl_batch *batch, sl_record *rec, uint32_t *count)
{
    sl_assert(!batch->sealed);
    /* A second round writes in the common fields that a wrapped line could not leave beside it. */
    while (!(rec->flags & SL_RECORD_INDEXED) || rec->splices)
        if (!make_tokens(batch, rec)) return NULL;
    *count = rec->tape_len;
    return tokens_of(batch, rec);
}
