/* record_get.c: a field of a record as a value, with what is joined at encoding. */
#include "record_int.h"

static void found_token(sl_found *found, sl_span text, const sl_token *tok)
{
    *found = (sl_found){
        .where = SL_FOUND_TEXT,
        .type = (sl_json_type)tok->type,
        .escaped = (tok->flags & SL_TOKEN_ESCAPED) != 0,
        .text = sl_token__text(text, tok),
    };
}

/* By joined.c's rule a record has no member of a name that its flags join: so this is only asked when the
 * record has none. */
static bool find_joined(const sl_batch *batch, const sl_record *rec, const sl_path *path, sl_found *found)
{
    sl_span name = path->steps[0].key;
    uint16_t by = sl_batch__joined_by(batch, name) & rec->flags;
    if (path->count == 1 && (by & SL_RECORD_TIME)) {
        *found = (sl_found){.where = SL_FOUND_TIME, .type = SL_JSON_STRING};
        return true;
    }
    if (path->count == 1 && (by & SL_RECORD_OFFSET)) {
        *found = (sl_found){.where = SL_FOUND_OFFSET, .type = SL_JSON_NUMBER};
        return true;
    }
    if (!(by & SL_RECORD_COMMON)) return false;
    const sl_common *common = batch->_common;
    uint32_t at = sl_path_find(path, common->object, common->tok);
    if (at) found_token(found, common->object, &common->tok[at]);
    return at != 0;
}

bool sl_record__find(const sl_batch *batch, const sl_record *rec, const sl_token *tok, const sl_path *path,
                     sl_found *found)
{
    uint32_t at = sl_path_find(path, sl_record__text(rec), tok);
    if (at == 0) return find_joined(batch, rec, path, found);
    found_token(found, sl_record__text(rec), &tok[at]);
    return true;
}

size_t sl_found__room(const sl_found *found)
{
    if (found->where == SL_FOUND_TIME) return SL_TIME_TEXT_MAX;
    if (found->where == SL_FOUND_OFFSET) return SL_U64_TEXT_MAX;
    return found->escaped ? found->text.len : 0;
}

sl_value sl_found__value(const sl_found *found, const sl_record *rec, char *room)
{
    sl_value value = {.type = found->type, .text = found->text};
    if (found->where != SL_FOUND_TEXT) {
        sl_buf buf = {.ptr = room, .cap = sl_found__room(found)};
        if (found->where == SL_FOUND_TIME)
            sl_json_write_time(&buf, rec->time_ns);
        else
            sl_buf_append_u64(&buf, rec->origin);
        value.text = sl_buf_span(&buf);
    } else if (found->escaped) {
        value.text = (sl_span){room, sl_json_unescape(found->text, room)};
    }
    return value;
}

static bool value_in_buf(const sl_found *found, const sl_record *rec, sl_buf *scratch, sl_value *out)
{
    sl_buf_clear(scratch);
    if (sl_buf_try_reserve(scratch, sl_found__room(found)) != 0) return false;
    *out = sl_found__value(found, rec, scratch->ptr);
    return true;
}

bool sl_record_get(sl_batch *batch, sl_record *rec, const sl_path *path, sl_buf *scratch, sl_value *out)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    sl_found found;
    return tok && sl_record__find(batch, rec, tok, path, &found) && value_in_buf(&found, rec, scratch, out);
}

bool sl_record_get_sealed(const sl_batch *batch, const sl_record *rec, sl_tape *tape, const sl_path *path,
                          sl_buf *scratch, sl_value *out)
{
    sl_assert(batch->sealed);
    tape->len = 0;
    sl_found found;
    if (sl_json_index(tape, sl_record__text(rec)).error != SL_JSON_OK) return false;
    return sl_record__find(batch, rec, tape->tok, path, &found) && value_in_buf(&found, rec, scratch, out);
}
