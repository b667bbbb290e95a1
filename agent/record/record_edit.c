/* record_edit.c: setting and removing a field by its path.
 *
 * Both work on the record's tokens and leave splices. A joined name is made the record's own first, so that
 * there is one way to edit.
 */
#include "record_int.h"

#define JOINED_SCALARS (SL_RECORD_TIME | SL_RECORD_OFFSET)

/* Which joined values the path's first name means. */
static uint16_t joined_at(const sl_batch *batch, const sl_record *rec, const sl_path *path)
{
    return sl_batch__joined_by(batch, path->steps[0].key) & rec->flags;
}

/* The tokens of the record for an edit at `path`, whose first step then is the record's own or nowhere but in
 * a joined scalar. NULL when memory is out. */
static const sl_token *tokens_for_edit(sl_batch *batch, sl_record *rec, const sl_path *path)
{
    uint32_t count;
    const sl_token *tok = sl_record_tokens(batch, rec, &count);
    if (!tok || !(joined_at(batch, rec, path) & SL_RECORD_COMMON)) return tok;
    sl_record__take_common_in(batch, rec, tok);
    return sl_record_tokens(batch, rec, &count);
}

/* Appends `"key":` for the step, then the objects for those behind it, the value, and the closing braces. */
static void write_member(sl_buf *buf, const sl_path *path, uint32_t step, sl_span json)
{
    for (uint32_t i = step; i < path->count; i++) {
        if (i > step) sl_buf_append_char(buf, '{');
        sl_json_write_string(buf, path->steps[i].key);
        sl_buf_append_char(buf, ':');
    }
    sl_buf_append_span(buf, json);
    for (uint32_t i = step + 1; i < path->count; i++)
        sl_buf_append_char(buf, '}');
}

static int copy_in(sl_batch *batch, sl_span s, sl_span *out)
{
    char *ptr = sl_arena_try_alloc(&batch->arena, s.len ? s.len : 1);
    if (!ptr) return SL_E_NOMEM;
    memcpy(ptr, s.ptr, s.len);
    *out = (sl_span){ptr, s.len};
    return 0;
}

/* A new member at the end of the object at `at`. */
static int insert_member(sl_batch *batch, sl_record *rec, const sl_token *tok, uint32_t at,
                         const sl_path *path, uint32_t step, sl_span json)
{
    for (uint32_t i = step; i < path->count; i++)
        if (!path->steps[i].key.ptr) return SL_E_NOT_FOUND;
    sl_buf *buf = &batch->_scratch;
    sl_buf_clear(buf);
    if (sl_buf_try_reserve(buf, json.len + 8 * SL_PATH_MAX_TEXT) != 0) return SL_E_NOMEM;
    bool empty = tok[at].next == at + 1;
    if (!empty) sl_buf_append_char(buf, ',');
    write_member(buf, path, step, json);
    sl_span member;
    if (copy_in(batch, sl_buf_span(buf), &member) != 0) return SL_E_NOMEM;
    sl_record_splice(batch, rec, sl_token__end(&tok[at]) - 1, 0, member);
    return 0;
}

static int replace_value(sl_batch *batch, sl_record *rec, const sl_token *value, sl_span json)
{
    sl_span copy;
    if (copy_in(batch, json, &copy) != 0) return SL_E_NOMEM;
    uint32_t start = sl_token__start(value);
    sl_record_splice(batch, rec, start, sl_token__end(value) - start, copy);
    return 0;
}

/* Follows the path as far as it goes: *at is the last value found, *step the first step that is not there. */
static void follow(const sl_record *rec, const sl_token *tok, const sl_path *path, uint32_t *at,
                   uint32_t *step)
{
    *at = 0;
    for (*step = 0; *step < path->count; ++*step) {
        uint32_t next = sl_path__step(&path->steps[*step], sl_record__text(rec), tok, *at);
        if (next == 0) return;
        *at = next;
    }
}

/* How deep arrays and objects stand in each other. json is valid. */
static uint32_t nesting_of(sl_span json)
{
    uint32_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '{' || c == '[')
            deepest = ++depth > deepest ? depth : deepest;
        else if (c == '}' || c == ']')
            depth--;
    }
    return deepest;
}

static bool is_too_deep(const sl_path *path, sl_span json)
{
    bool nested = json.len > 0 && (*json.ptr == '{' || *json.ptr == '[');
    return nested && path->count + nesting_of(json) > SL_JSON_MAX_DEPTH;
}

int sl_record_set(sl_batch *batch, sl_record *rec, const sl_path *path, sl_span json)
{
    if (is_too_deep(path, json)) return SL_E_LIMIT;
    const sl_token *tok = tokens_for_edit(batch, rec, path);
    if (!tok) return SL_E_NOMEM;
    uint16_t joined = joined_at(batch, rec, path) & JOINED_SCALARS;
    if (joined && path->count > 1) return SL_E_NOT_FOUND;
    uint32_t at, step;
    follow(rec, tok, path, &at, &step);
    int res;
    if (step == path->count)
        res = replace_value(batch, rec, &tok[at], json);
    else if (tok[at].type != SL_JSON_OBJECT)
        res = SL_E_NOT_FOUND;
    else
        res = insert_member(batch, rec, tok, at, path, step, json);
    if (res == 0) rec->flags &= (uint16_t)~joined;
    return res;
}

/* ---- removing ---- */

/* Takes out every value that the steps from `step` on lead to from `at`, also through members of the same
 * name. */
static bool remove_all(sl_batch *batch, sl_record *rec, const sl_token *tok, const sl_path *path,
                       uint32_t step, uint32_t at)
{
    const sl_step *s = &path->steps[step];
    bool last = step + 1 == path->count, removed = false;
    if (!s->key.ptr) {
        uint32_t e = sl_path__step(s, sl_record__text(rec), tok, at);
        if (e == 0) return false;
        if (!last) return remove_all(batch, rec, tok, path, step + 1, e);
        sl_record_remove_token(batch, rec, tok, e);
        return true;
    }
    if (tok[at].type != SL_JSON_OBJECT) return false;
    for (uint32_t k = at + 1; k < tok[at].next; k = tok[k + 1].next) {
        if (!sl_key__is(sl_token__text(sl_record__text(rec), &tok[k]), tok[k].flags, s->key)) continue;
        if (last) {
            sl_record_remove_token(batch, rec, tok, k + 1);
            removed = true;
        } else {
            removed |= remove_all(batch, rec, tok, path, step + 1, k + 1);
        }
    }
    return removed;
}

bool sl_record_remove(sl_batch *batch, sl_record *rec, const sl_path *path)
{
    const sl_token *tok = tokens_for_edit(batch, rec, path);
    if (!tok) return false;
    uint16_t joined = joined_at(batch, rec, path) & JOINED_SCALARS;
    if (joined && path->count > 1) return false;
    rec->flags &= (uint16_t)~joined;
    return remove_all(batch, rec, tok, path, 0, 0) || joined;
}
