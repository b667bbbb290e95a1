/* joined.c: what is kept beside a record and joined at encoding: the common fields, "@timestamp", "offset".
 *
 * Joining must not make a name twice at top level: Elasticsearch refuses such a document. So when a line
 * becomes an object its keys are compared with the joined names. Nearly all keys are told apart by their
 * length alone.
 */
#include "record_int.h"

#define KEY_ON_STACK 512

static uint64_t len_bit(size_t len)
{
    return UINT64_C(1) << (len < 63 ? len : 63);
}

bool sl_key__is(sl_span spelled, uint8_t flags, sl_span name)
{
    if (!(flags & SL_TOKEN_ESCAPED)) return sl_name__is(spelled, name);
    /* An escape spells one byte with at most six. */
    if (spelled.len < name.len || spelled.len / 6 > name.len) return false;
    char stack[KEY_ON_STACK];
    char *key = spelled.len <= sizeof(stack) ? stack : sl_try_alloc(spelled.len);
    if (!key) return false;
    size_t len = sl_json_unescape(spelled, key);
    bool same = sl_span_is((sl_span){key, len}, name);
    if (key != stack) sl_free(key);
    return same;
}

/* ---- the common fields ---- */

/* One block: the struct, the tokens, the names, the object's text, the decoded names. */
static sl_common *make_common(sl_span object, const sl_token *tok)
{
    uint32_t names = 0;
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next)
        names++;
    size_t tok_size = tok[0].next * sizeof(*tok), names_size = names * sizeof(sl_span);
    sl_common *common = sl_alloc(sizeof(*common) + tok_size + names_size + 2 * object.len);
    sl_token *own_tok = (sl_token *)(common + 1);
    sl_span *name = (sl_span *)((char *)own_tok + tok_size);
    char *text = (char *)(name + names), *decoded = text + object.len;
    memcpy(own_tok, tok, tok_size);
    memcpy(text, object.ptr, object.len);
    *common = (sl_common){.object = {text, object.len}, .tok = own_tok, .names = name, .count = names};
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next) {
        size_t len = sl_json_unescape((sl_span){text + tok[k].off, tok[k].len}, decoded);
        *name++ = (sl_span){decoded, len};
        decoded += len;
        common->name_lens |= len_bit(len);
    }
    return common;
}

int sl_batch_set_common(sl_batch *batch, sl_span members)
{
    sl_assert(!batch->sealed && batch->count == 0 && !batch->_common);
    if (members.len == 0) return 0;
    if (members.len > SL_MAX_COMMON_LEN) return SL_E_LIMIT;
    sl_buf *buf = &batch->_scratch;
    sl_buf_clear(buf);
    sl_buf_append_char(buf, '{');
    sl_buf_append_span(buf, members);
    sl_buf_append_char(buf, '}');
    sl_span object = sl_buf_span(buf);
    sl_json_result res = sl_json_index(&batch->tape, object);
    if (res.error != SL_JSON_OK) return SL_E_SYNTAX;
    bool any = res.tokens > 1 && !memchr(object.ptr, '\n', object.len);
    if (any) {
        batch->_common = make_common(object, batch->tape.tok + (batch->tape.len - res.tokens));
        batch->common = (sl_span){batch->_common->object.ptr + 1, members.len};
    }
    batch->tape.len -= res.tokens;
    return any ? 0 : SL_E_SYNTAX;
}

static bool common_has(const sl_common *common, sl_span name)
{
    if (!common || !(common->name_lens & len_bit(name.len))) return false;
    for (uint32_t i = 0; i < common->count; i++)
        if (sl_name__is(common->names[i], name)) return true;
    return false;
}

/* ---- joined names ---- */

uint16_t sl_batch__joined_by(const sl_batch *batch, sl_span name)
{
    uint16_t by = 0;
    if (sl_name__is(name, SL_NAME_TIME)) by |= SL_RECORD_TIME;
    if (sl_name__is(name, SL_NAME_OFFSET)) by |= SL_RECORD_OFFSET;
    if (common_has(batch->_common, name)) by |= SL_RECORD_COMMON;
    return by;
}

static uint16_t joined_by_escaped(const sl_batch *batch, sl_span spelled)
{
    char stack[KEY_ON_STACK];
    char *key = spelled.len <= sizeof(stack) ? stack : sl_alloc(spelled.len);
    size_t len = sl_json_unescape(spelled, key);
    uint16_t by = sl_batch__joined_by(batch, (sl_span){key, len});
    if (key != stack) sl_free(key);
    return by;
}

/* The flags of all joined names that the record has itself. */
static uint16_t own_names(const sl_batch *batch, sl_span text, const sl_token *tok)
{
    uint64_t lens = len_bit(SL_NAME_TIME.len) | len_bit(SL_NAME_OFFSET.len);
    if (batch->_common) lens |= batch->_common->name_lens;
    uint16_t own = 0;
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next) {
        sl_span key = sl_token__text(text, &tok[k]);
        if (SL_UNLIKELY(tok[k].flags & SL_TOKEN_ESCAPED))
            own |= joined_by_escaped(batch, key);
        else if (lens & len_bit(key.len))
            own |= sl_batch__joined_by(batch, key);
    }
    return own;
}

void sl_record__settle_joins(sl_batch *batch, sl_record *rec, const sl_token *tok)
{
    uint16_t own = own_names(batch, sl_record__text(rec), tok);
    rec->flags |= SL_RECORD_TIME;
    rec->flags &= (uint16_t) ~(own & (SL_RECORD_TIME | SL_RECORD_OFFSET));
    if (own & rec->flags & SL_RECORD_COMMON) sl_record__take_common_in(batch, rec, tok);
}

static bool has_member(sl_span text, const sl_token *tok, sl_span name)
{
    for (uint32_t k = 1; k < tok[0].next; k = tok[k + 1].next)
        if (sl_key__is(sl_token__text(text, &tok[k]), tok[k].flags, name)) return true;
    return false;
}

void sl_record__take_common_in(sl_batch *batch, sl_record *rec, const sl_token *tok)
{
    const sl_common *common = batch->_common;
    rec->flags &= (uint16_t)~SL_RECORD_COMMON;
    if (!common) return;
    sl_buf *buf = &batch->_scratch;
    sl_buf_clear(buf);
    uint32_t i = 0;
    for (uint32_t k = 1; k < common->tok[0].next; k = common->tok[k + 1].next, i++) {
        if (has_member(sl_record__text(rec), tok, common->names[i])) continue;
        uint32_t start = sl_token__start(&common->tok[k]), end = sl_token__end(&common->tok[k + 1]);
        if (buf->len > 0) sl_buf_append_char(buf, ',');
        sl_buf_append(buf, common->object.ptr + start, end - start);
    }
    if (buf->len == 0) return;
    bool last = tok[0].next == 1;
    if (!last) sl_buf_append_char(buf, ',');
    sl_record_splice(batch, rec, sl_token__start(tok) + 1, 0, sl_batch_dup(batch, sl_buf_span(buf)));
}
